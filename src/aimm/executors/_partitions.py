"""Partitioned data: where the parts of a data set come from, and the folder that takes one file for each."""

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any

from aimm.errors import MissingExtraError, PartitionError

MANIFEST = "manifest.json"
"""The file of an output folder that says what it is the output of."""
SUFFIXES = (".parquet", ".csv")
Part = tuple[str, Any]
"""What a part is called, and where it is: a path, a Dask delayed object, or the data itself."""


def parts_of(data: Any) -> list[Part]:
    """The parts of a data set, in order.

    Args:
        data: A folder with ``.parquet`` or ``.csv`` files, in the order of their names; a Dask DataFrame; or a list of
            chunks of any kind.

    Raises:
        PartitionError: It is none of these, or has no parts.
    """
    if isinstance(data, (str, os.PathLike)):
        return _files(os.path.abspath(os.fspath(data)))
    if hasattr(data, "to_delayed"):
        return [(f"partition {number}", each) for number, each in enumerate(data.to_delayed())]
    if isinstance(data, Sequence) and not isinstance(data, (bytes, bytearray)) and data:
        return [(f"chunk {number}", chunk) for number, chunk in enumerate(data)]
    kind = type(data).__name__
    raise PartitionError(kind, "expected a folder of .parquet or .csv files, a Dask DataFrame or a list of chunks")


def _files(folder: str) -> list[Part]:
    if not os.path.isdir(folder):
        raise PartitionError(folder, "it is no folder; expected one with .parquet or .csv files")
    names = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIXES) and name[0] not in "._")
    if not names:
        raise PartitionError(folder, "it holds no .parquet or .csv files")
    return [(name, os.path.join(folder, name)) for name in names]


def read_part(place: Any) -> Any:
    """The data of a part: a data frame for a file, what it computes for a delayed object, else the part itself.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    if isinstance(place, str) and place.endswith(SUFFIXES):
        pandas = _pandas()
        return pandas.read_parquet(place) if place.endswith(".parquet") else pandas.read_csv(place)
    if hasattr(place, "compute"):
        return place.compute(scheduler="synchronous")
    return place


def write_part(path: str, prediction: Any) -> int:
    """Write the predictions for one part, whole or not at all.

    Args:
        path: Where they go, ending in ``.parquet`` or ``.csv``.
        prediction: What ``predict`` returned: a data frame, or anything with one row for each prediction.

    Returns:
        How many rows they are.
    """
    pandas = _pandas()
    if isinstance(prediction, pandas.Series):
        prediction = prediction.to_frame(prediction.name or "prediction")
    elif not isinstance(prediction, pandas.DataFrame):
        width = getattr(prediction, "shape", (0,))[1:]
        names = [f"prediction_{number}" for number in range(width[0])] if width else ["prediction"]
        prediction = pandas.DataFrame(prediction, columns=names)
    # A name of its own for each writer: a part may be written twice at once, when Dask takes a worker for lost.
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        if path.endswith(".parquet"):
            prediction.columns = prediction.columns.map(str)
            prediction.to_parquet(temporary, index=False)
        else:
            prediction.to_csv(temporary, index=False)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    return len(prediction)


class Output:
    """A folder with one file for each part, that can be continued.

    Args:
        folder: The folder; made if it does not exist.
        parts: The parts of the data.
        made_by: What else decides the output: model, options.
        suffix: ``.parquet`` or ``.csv``.

    Raises:
        PartitionError: The folder holds something else, or the output of other data or another model.
    """

    def __init__(self, folder: str, parts: Sequence[Part], made_by: Sequence[str], suffix: str) -> None:
        if suffix not in SUFFIXES:
            raise PartitionError(
                folder, f"parts cannot be written as {suffix!r}; expected one of {', '.join(SUFFIXES)}"
            )
        self.folder, self._parts, self._suffix = folder, parts, suffix
        manifest = {"version": 1, "parts": [_identity(*part) for part in parts], "made_by": [*made_by, suffix]}
        path = os.path.join(folder, MANIFEST)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                try:
                    found = json.load(file)
                except ValueError:
                    found = None
            if found != manifest:
                raise PartitionError(folder, "it holds the output of other data or another model: choose a new folder")
            for name in os.listdir(folder):
                if name.endswith(".tmp"):  # of a writer that was killed
                    os.unlink(os.path.join(folder, name))
            return
        os.makedirs(folder, exist_ok=True)
        if os.listdir(folder):
            raise PartitionError(folder, f"it is not empty and has no {MANIFEST}: choose a new folder")
        from aimm.store._atomic import write_atomically

        write_atomically(path, [json.dumps(manifest, indent=1).encode()])

    def path(self, number: int) -> str:
        """Where the predictions for a part go; the names sort in the order of the parts."""
        return os.path.join(self.folder, f"part-{number:06}{self._suffix}")

    def missing(self) -> list[int]:
        """The parts that are not there yet."""
        return [number for number in range(len(self._parts)) if not os.path.exists(self.path(number))]


def _identity(name: str, place: Any) -> list[Any]:
    if isinstance(place, str) and place.endswith(SUFFIXES):
        status = os.stat(place)
        return [place, status.st_size, status.st_mtime_ns]
    return [name, str(place.key) if hasattr(place, "key") else _digest(place)]


def _digest(value: Any) -> str:
    import pickle

    digest = hashlib.sha256()
    digest.update(pickle.dumps(value, 5, buffer_callback=lambda buffer: digest.update(buffer.raw())))
    return digest.hexdigest()


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise MissingExtraError("pandas", "partitions", "reading and writing partitioned data") from None
    return pandas
