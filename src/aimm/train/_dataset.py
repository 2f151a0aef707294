"""The data set of a training: a data access with arguments, or a path or URL."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aimm import plugins
from aimm._types import StateCallback, ignore_state
from aimm.errors import DatasetError
from aimm.train._digest import data_digest, tree_digest
from aimm.train._remote import fetch, is_remote, local_path


class Dataset:
    """What to train on, and how to get it; nothing is read before it is asked for.

    Args:
        source: Name of a data access, path, or URL.
        arguments: Arguments of the data access.
        cache: Folder for copies of what is remote.

    Attributes:
        source: As given.
        arguments: As given.
    """

    def __init__(self, source: str, arguments: Mapping[str, Any] | None = None, cache: str | None = None) -> None:
        self.source, self.arguments, self._cache = source, dict(arguments or {}), cache
        self._path: Path | None = None
        self._digest: str | None = None

    @classmethod
    def of(cls, given: "str | os.PathLike[str] | Mapping[str, Any] | Dataset", cache: str | None = None) -> "Dataset":
        """The data set that a configuration names: text, or a mapping with ``name`` and ``arguments``.

        Raises:
            DatasetError: It is neither.
        """
        if isinstance(given, Dataset):
            return given
        if isinstance(given, Mapping):
            unknown = sorted(map(str, given.keys() - {"name", "arguments"}))
            arguments = given.get("arguments", {})
            if unknown or not isinstance(given.get("name"), str) or not isinstance(arguments, Mapping):
                raise DatasetError(
                    str(dict(given)), "expected 'name', and 'arguments' if it takes some, and no other key"
                )
            return cls(given["name"], arguments, cache)
        return cls(os.fspath(given), cache=cache)

    def __repr__(self) -> str:
        return f"Dataset({self.source!r}, {self.arguments!r})" if self.arguments else f"Dataset({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and (self.source, self.arguments) == (other.source, other.arguments)

    __hash__ = None  # type: ignore[assignment]

    @property
    def kind(self) -> str:
        """``data access``, ``path`` or ``url``.

        Raises:
            DatasetError: It is none of them.
        """
        if is_remote(self.source):
            return "url"
        names = [owner.name for owner in plugins.owners("data access")]
        if self.source in names:
            return "data access"
        if os.path.exists(local_path(self.source)):
            return "path"
        from difflib import get_close_matches

        close = get_close_matches(self.source, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise DatasetError(self.source, f"there is no data access of this name, and no such file or folder{hint}")

    def load(self, state_cb: StateCallback = ignore_state, **arguments: Any) -> Any:
        """Call the data access.

        Args:
            state_cb: Told how far it is.
            arguments: Arguments beside, or in place of, those of the configuration.

        Raises:
            DatasetError: It is no data access, but a path or URL, which :attr:`path` leads to.
        """
        kind = self.kind
        if kind != "data access":
            raise DatasetError(self.source, f"it is a {kind}, which the training command reads at 'dataset.path'")
        data = plugins.exec_data_access(self.source, state_cb, **{**self.arguments, **arguments})
        self._digest = data_digest(data)
        return data

    @property
    def path(self) -> Path:
        """The local file or folder; what is remote is copied into the cache first.

        Raises:
            DatasetError: It is a data access, which :meth:`load` calls; or it cannot be fetched.
        """
        if self._path is None:
            self._path = self._find()
        return self._path

    def _find(self) -> Path:
        kind = self.kind
        if kind == "data access":
            raise DatasetError(
                self.source, "it is a data access, whose data the training command gets from 'dataset.load()'"
            )
        if kind == "path":
            return Path(local_path(self.source))
        if self._cache is None:
            raise DatasetError(self.source, "it is remote, and there is no plugin_cache to keep a copy in")
        try:
            return Path(fetch(self.source, os.path.join(self._cache, "datasets")))
        except (OSError, RuntimeError) as error:
            raise DatasetError(self.source, f"it cannot be fetched: {type(error).__name__}: {error}") from error

    def describe(self) -> dict[str, Any]:
        """The data set as it stands in ``metadata.json``: source, kind, arguments, digest.

        The digest is that of the file or folder, or of the data that was loaded last; None if none was, or if the
        data is of a kind that has none.
        """
        try:
            kind = self.kind
        except DatasetError:
            kind = "unknown"  # the command never looked at it
        found = self._path or (Path(local_path(self.source)) if kind == "path" else None)
        digest = tree_digest(found) if found else self._digest
        return {
            "source": self.source,
            "kind": kind,
            "arguments": self.arguments,
            "digest": digest and f"sha256:{digest}",
        }
