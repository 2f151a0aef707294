"""The artifact handlers that come with ``aimm``. Libraries are imported when one of their values is met."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

from aimm.plugins import PluginManager, default_manager
from aimm.tasks._interface import ArtifactTaskInterface
from aimm.tasks._optional import optional

if TYPE_CHECKING:
    import numpy
    import pandas


def _file(working_dir: Path, name: str, suffix: str) -> Path:
    # Not with_suffix: it would turn the name "v1.2" into "v1.txt".
    return Path(working_dir, name if name.endswith(suffix) else name + suffix)


class StringArtifactTask(ArtifactTaskInterface):
    """Text, as UTF-8; line ends stay as they are."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: str, type: str = "txt", **kwargs: Any) -> Path:
        """Write text into ``<name>.<type>``."""
        _expect(contents, str, "text")
        path = _file(working_dir, name, f".{type}")
        path.write_text(contents, encoding="utf-8", newline="")
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> str:
        """Read the text."""
        with open(Path(working_dir, path), encoding="utf-8", newline="") as file:
            return file.read()

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """``type`` is the end of the file name."""
        return {"type": {"type": "string", "pattern": r"^\w+$", "maxLength": 20}}


class BytesArtifactTask(ArtifactTaskInterface):
    """Bytes, as they are."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: bytes, **kwargs: Any) -> Path:
        """Write bytes into ``<name>.bin``."""
        _expect(contents, (bytes, bytearray, memoryview), "bytes")
        path = _file(working_dir, name, ".bin")
        path.write_bytes(contents)
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> bytes:
        """Read the bytes."""
        return Path(working_dir, path).read_bytes()

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """No arguments."""
        return None


class JsonArtifactTask(ArtifactTaskInterface):
    """What JSON can hold. Tuples come back as lists; NaN, infinity and keys that are no strings are refused."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: Any, **kwargs: Any) -> Path:
        """Write ``<name>.json``."""
        _check_keys(contents)
        path = _file(working_dir, name, ".json")
        text = json.dumps(contents, indent=2, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8", newline="\n")
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> Any:
        """Read the value."""
        return json.loads(Path(working_dir, path).read_text(encoding="utf-8"))

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """No arguments."""
        return None


class FileArtifactTask(ArtifactTaskInterface):
    """A file that a task has written somewhere: it is copied."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: os.PathLike[str] | str, **kwargs: Any) -> Path:
        """Copy the file; it keeps the end of its name."""
        path = _file(working_dir, name, Path(contents).suffix)
        shutil.copyfile(contents, path)
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> Path:
        """Give the path of the file."""
        return Path(working_dir, path)

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """No arguments."""
        return None


class DirectoryArtifactTask(ArtifactTaskInterface):
    """A folder that a task has written somewhere: it is copied with all that is in it."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: os.PathLike[str] | str, **kwargs: Any) -> Path:
        """Copy the folder; links stay links."""
        path = Path(working_dir, name)
        shutil.copytree(contents, path, symlinks=True)
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> Path:
        """Give the path of the folder."""
        return Path(working_dir, path)

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """No arguments."""
        return None


class NumpyArrayArtifactTask(ArtifactTaskInterface):
    """One NumPy array, without pickle: arrays of Python objects are refused."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: "numpy.ndarray[Any, Any]", **kwargs: Any) -> Path:
        """Write ``<name>.npy``."""
        np = optional("numpy", "artifacts")
        path = _file(working_dir, name, ".npy")
        np.save(path, contents, allow_pickle=False)
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> "numpy.ndarray[Any, Any]":
        """Read the array."""
        found: numpy.ndarray[Any, Any] = optional("numpy", "artifacts").load(
            Path(working_dir, path), allow_pickle=False
        )
        return found

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """No arguments."""
        return None


class NumpyArraysArtifactTask(ArtifactTaskInterface):
    """Several NumPy arrays, by name or in order, without pickle. They come back by name: ``arr_0``, … for a list."""

    @staticmethod
    def serialize(
        working_dir: Path,
        name: str,
        contents: "Mapping[str, numpy.ndarray[Any, Any]] | Sequence[numpy.ndarray[Any, Any]]",
        **kwargs: Any,
    ) -> Path:
        """Write ``<name>.npz``."""
        from zipfile import ZipFile, ZipInfo

        np = optional("numpy", "artifacts")
        arrays = contents if isinstance(contents, Mapping) else {f"arr_{i}": array for i, array in enumerate(contents)}
        path = _file(working_dir, name, ".npz")
        # Not numpy.savez: it takes no array called "file", and writes the time of day into the file.
        with ZipFile(path, "w") as archive:
            for key, array in arrays.items():
                with archive.open(ZipInfo(f"{key}.npy"), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> "dict[str, numpy.ndarray[Any, Any]]":
        """Read the arrays."""
        with optional("numpy", "artifacts").load(Path(working_dir, path), allow_pickle=False) as arrays:
            return dict(arrays)

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """No arguments."""
        return None


class DataframeArtifactTask(ArtifactTaskInterface):
    """A pandas data frame, as Parquet or CSV. CSV keeps neither the index nor types such as dates."""

    @staticmethod
    def serialize(
        working_dir: Path, name: str, contents: "pandas.DataFrame", format: str = "parquet", **kwargs: Any
    ) -> Path:
        """Write ``<name>.parquet`` or ``<name>.csv``."""
        optional("pandas", "artifacts")
        path = _file(working_dir, name, f".{format}")
        if format == "csv":
            plain = contents.index.equals(type(contents)(index=range(len(contents))).index)
            if not plain:
                raise ValueError("CSV does not keep the index: use the format parquet, or reset_index() first")
            contents.to_csv(path, index=False)
        else:
            optional("pyarrow", "artifacts")
            contents.to_parquet(path, engine="pyarrow")
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> "pandas.DataFrame":
        """Read the data frame, by the end of the file name."""
        pd = optional("pandas", "artifacts")
        read = pd.read_csv if path.endswith(".csv") else pd.read_parquet
        found: pandas.DataFrame = read(Path(working_dir, path))
        return found

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """``format`` is ``parquet`` or ``csv``."""
        return {"format": {"enum": ["parquet", "csv"]}}


class ModelArtifactTask(ArtifactTaskInterface):
    """An instance of a model type, as a model file of :mod:`aimm.store`."""

    _manager: "Callable[[], PluginManager | None]" = staticmethod(lambda: default_manager)

    @classmethod
    def of(cls, manager: PluginManager) -> "type[ModelArtifactTask]":
        """The handler for the model types of one manager, which it does not keep alive."""
        return type(
            cls.__name__, (cls,), {"__doc__": cls.__doc__, "__module__": cls.__module__, "_manager": ref(manager)}
        )

    @classmethod
    def serialize(  # type: ignore[override]
        cls, working_dir: Path, name: str, contents: Any, *, model_type: str, **kwargs: Any
    ) -> Path:
        """Write ``<name>.aimm``."""
        from aimm.store import save_model

        path = _file(working_dir, name, ".aimm")
        save_model(path, model_type, contents, manager=cls._alive())
        return path

    @classmethod
    def deserialize(cls, working_dir: Path, path: str, **kwargs: Any) -> Any:
        """Verify the file and have its model type deserialise it."""
        from aimm.store import load_model

        return load_model(Path(working_dir, path), manager=cls._alive())[1]

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """``model_type`` is the model type of the instance."""
        return {"model_type": {"type": "string", "minLength": 1}}

    @classmethod
    def _alive(cls) -> PluginManager:
        return alive(cls._manager())


class PickleArtifactTask(ArtifactTaskInterface):
    """Any Python object. Reading one runs whatever its author put into it, so ``allow_pickle`` must be given."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: Any, *, allow_pickle: bool, **kwargs: Any) -> Path:  # type: ignore[override]
        """Write ``<name>.pickle``."""
        import pickle

        path = _file(working_dir, name, ".pickle")
        with open(path, "wb") as file:
            pickle.dump(contents, file, protocol=5)
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, *, allow_pickle: bool = False, **kwargs: Any) -> Any:
        """Read the object, if the caller gives ``allow_pickle=True``."""
        import pickle

        if allow_pickle is not True:
            raise ValueError("a pickle can run any code: give allow_pickle=True if you trust whoever wrote it")
        with open(Path(working_dir, path), "rb") as file:
            return pickle.load(file)

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """``allow_pickle`` must be true."""
        return {"allow_pickle": {"const": True}}


HANDLERS: tuple[type[ArtifactTaskInterface], ...] = (
    StringArtifactTask,
    BytesArtifactTask,
    JsonArtifactTask,
    FileArtifactTask,
    DirectoryArtifactTask,
    NumpyArrayArtifactTask,
    NumpyArraysArtifactTask,
    DataframeArtifactTask,
    ModelArtifactTask,
    PickleArtifactTask,
)
"""Every handler of this module."""


def alive(manager: PluginManager | None) -> PluginManager:
    """The manager behind a weak reference.

    Raises:
        ReferenceError: It is gone.
    """
    if manager is None:
        raise ReferenceError("the plugin manager of this task or artifact handler is gone")
    return manager


def _expect(contents: Any, cls: Any, what: str) -> None:
    if not isinstance(contents, cls):
        raise TypeError(f"expected {what}, not {type(contents).__name__}")


def _check_keys(contents: Any) -> None:
    """JSON turns other keys than strings into strings without a word."""
    pending = [contents]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if wrong := [key for key in value if not isinstance(key, str)]:
                raise TypeError(f"the keys of JSON are strings, not {wrong[0]!r}")
            pending += value.values()
        elif isinstance(value, (list, tuple)):
            pending += value
