"""What finished steps gave, kept beside the artifacts, so that a later run need not do them again.

Plain data, bytes, NumPy arrays, data frames and tuples, lists and mappings of these are kept as they are, as are
instances that ``aimm.fit`` and its like return. Anything else only by pickle, if the caller says so; without, the step
is simply run again when its output is needed.
"""

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aimm.errors import AimmError
from aimm.store._atomic import write_atomically
from aimm.tasks._artifacts import ArtifactInfo, digest, load_artifact, save_artifact
from aimm.tasks._records import HandlerRecord

FOLDER = ".aimm"
_SCALARS = (str, bool, int, float, type(None))


class Unstorable(Exception):
    """A value cannot be kept."""


class Checkpoints:
    """The finished steps and artifacts of one output folder.

    Args:
        out: The output folder.
        find_handler: From a name to the handler that writes a value.
        allow_pickle: Whether to pickle what has no other form.
    """

    def __init__(self, out: Path, find_handler: Callable[[str], HandlerRecord], allow_pickle: bool) -> None:
        self._folder = out / FOLDER
        self._find_handler, self._allow_pickle = find_handler, allow_pickle

    def step(self, name: str) -> dict[str, Any]:
        """What is known of a step: ``key`` and ``outputs`` (None if they could not be kept); empty if nothing."""
        return self._read(self._path("steps", name) / "step.json")

    def artifact_key(self, name: str) -> str | None:
        """The digest under which an artifact was written."""
        return self._read(self._path("artifacts", name).with_suffix(".json")).get("key")

    def save_step(self, name: str, key: str, outputs: dict[str, Any], model_type: str | None = None) -> None:
        """Keep what a step gave; what was kept of it before is gone."""
        folder = self._path("steps", name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            kept = _Writer(folder, self._find_handler, self._allow_pickle, model_type).encode(outputs)
        except Unstorable:
            kept = None
        self._write(folder / "step.json", {"step": name, "key": key, "outputs": kept})

    def load_step(self, name: str) -> dict[str, Any]:
        """What a step gave; empty if it could not be kept.

        Raises:
            ArtifactError: A file of it was altered.
        """
        reader = _Reader(self._path("steps", name), self._find_handler, self._allow_pickle)
        outputs: dict[str, Any] | None = reader.decode(self.step(name).get("outputs"))
        return outputs or {}

    def save_artifact(self, name: str, key: str) -> None:
        """Note under which digest an artifact was written."""
        path = self._path("artifacts", name).with_suffix(".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write(path, {"artifact": name, "key": key})

    def _path(self, what: str, name: str) -> Path:
        return self._folder / what / hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:24]

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}  # what cannot be read was not kept
        return found if isinstance(found, dict) else {}

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        write_atomically(str(path), [json.dumps(content).encode()])


class _Writer:
    def __init__(self, folder: Path, find_handler: Any, allow_pickle: bool, model_type: str | None) -> None:
        self._folder, self._find_handler, self._allow_pickle = folder, find_handler, allow_pickle
        self._model_type, self._count = model_type, 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        kind = type(value)
        if depth > 50:
            raise Unstorable
        if kind in _SCALARS:
            return value
        if kind is dict and all(type(key) is str for key in value):
            return {"dict": {key: self.encode(one, depth + 1) for key, one in value.items()}}
        if kind in (list, tuple):
            return {kind.__name__: [self.encode(one, depth + 1) for one in value]}
        if kind is bytes and len(value) < 2**16:
            return {"bytes": base64.b64encode(value).decode()}
        return self._encode_file(value)

    def _encode_file(self, value: Any) -> Any:
        name = f"value_{self._count}"
        self._count += 1
        for handler, args in self._handlers_of(value):
            try:
                info = save_artifact(self._folder, name, value, self._find_handler(handler), args)
            except Exception:  # noqa: BLE001 - an object that cannot be written is the plugin's affair
                continue
            return {"file": info._asdict(), "scalar": _is_numpy_scalar(value)}
        raise Unstorable

    def _handlers_of(self, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        kind = type(value)
        if self._model_type is not None:
            yield "aimm.ModelArtifactTask", {"model_type": self._model_type}
        elif kind is bytes:
            yield "aimm.BytesArtifactTask", {}
        elif kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas":
            yield "aimm.DataframeArtifactTask", {}
        elif (kind.__module__, kind.__name__) == ("numpy", "ndarray") or _is_numpy_scalar(value):
            yield "aimm.NumpyArrayArtifactTask", {}
        if self._allow_pickle:
            yield "aimm.PickleArtifactTask", {"allow_pickle": True}


class _Reader:
    def __init__(self, folder: Path, find_handler: Any, allow_pickle: bool) -> None:
        self._folder, self._find_handler, self._allow_pickle = folder, find_handler, allow_pickle

    def decode(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if "dict" in value:
            return {key: self.decode(one) for key, one in value["dict"].items()}
        if "list" in value:
            return [self.decode(one) for one in value["list"]]
        if "tuple" in value:
            return tuple(self.decode(one) for one in value["tuple"])
        if "bytes" in value:
            return base64.b64decode(value["bytes"])
        info = ArtifactInfo(**value["file"])
        pickled = info.handler.endswith("PickleArtifactTask")
        args = {"allow_pickle": self._allow_pickle} if pickled else {}
        loaded = load_artifact(self._folder, info, self._find_handler(info.handler), args)
        return loaded[()] if value["scalar"] else loaded


def can_load(kept: dict[str, Any], allow_pickle: bool) -> bool:
    """Whether the outputs of a step can be had without running it."""
    return kept.get("outputs") is not None and (allow_pickle or "PickleArtifactTask" not in json.dumps(kept["outputs"]))


def is_intact(out: Path, info: ArtifactInfo) -> bool:
    """Whether an artifact still is what was written."""
    try:
        return digest(out / info.path) == info.sha256
    except (OSError, AimmError):
        return False


def _is_numpy_scalar(value: Any) -> bool:
    kind = type(value)
    return kind.__module__ == "numpy" and hasattr(value, "dtype") and kind.__name__ != "ndarray"


def model_type_of(task: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """The model type of what a model action returns as an instance."""
    if task not in ("aimm.fit", "aimm.instantiate", "aimm.deserialize"):
        return None
    model_type = args[0] if args else kwargs.get("model_type")
    return model_type if isinstance(model_type, str) else None
