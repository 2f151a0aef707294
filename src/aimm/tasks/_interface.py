"""What an artifact handler is."""

import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from aimm.errors import DeclarationError
from aimm.plugins._registry import Record, Source, declare
from aimm.tasks._register import ARTIFACT

METHODS = ("serialize", "deserialize", "validation")
_HOME = __name__.rpartition(".")[0]


class ArtifactTaskInterface(ABC):
    """Writes a value to a file or folder, and reads it back.

    A subclass is registered under its class name when it is defined; it is never instantiated. One that misses a
    method is refused, unless it says ``class Base(ArtifactTaskInterface, abstract=True)``.
    """

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if abstract or cls.__module__ == _HOME or cls.__module__.startswith(f"{_HOME}."):
            return
        missing = [name for name in METHODS if getattr(getattr(cls, name), "__isabstractmethod__", False)]
        where = f"{cls.__module__}.{cls.__qualname__}"
        if missing:
            raise DeclarationError(
                f"the artifact handler {where} does not define {', '.join(missing)}; define all of "
                f"{', '.join(METHODS)}, or write 'class {cls.__name__}(..., abstract=True)' for a base of others"
            )
        for name in METHODS:
            if not _is_static(cls, name):
                raise DeclarationError(f"{where}.{name} must be a @staticmethod: a handler is never instantiated")
        frame = sys._getframe(1)
        while frame.f_globals.get("__name__") == "abc" and frame.f_back is not None:
            frame = frame.f_back
        declare([Record(ARTIFACT, f"{cls.__module__}.{cls.__name__}", cls, Source(""))], frame)

    @staticmethod
    @abstractmethod
    def serialize(working_dir: Path, name: str, contents: Any, **kwargs: Any) -> Path:
        """Write a value.

        Args:
            working_dir: Folder to write into.
            name: Name of the artifact, to be used as the stem or name of the file.
            contents: The value.
            **kwargs: The arguments that :meth:`validation` declares.

        Returns:
            The file or folder that was written, inside ``working_dir``.
        """

    @staticmethod
    @abstractmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> Any:
        """Read a value back.

        Args:
            working_dir: The folder that the artifact lies in.
            path: The artifact, relative to ``working_dir``.
            **kwargs: Reserved.

        Returns:
            The value.
        """

    @staticmethod
    @abstractmethod
    def validation() -> dict[str, Any] | None:
        """The arguments that ``serialize`` takes beyond the first three.

        Returns:
            Name of an argument to its JSON Schema (2020-12); None if there are none. All others are refused. An
            argument is required if ``serialize`` has no default for it.
        """


def _is_static(cls: type, name: str) -> bool:
    import inspect

    found = inspect.getattr_static(cls, name)
    # A class method works as well: what matters is that nobody has to make an instance.
    return isinstance(found, (staticmethod, classmethod))
