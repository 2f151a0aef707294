"""Model files whose digests are all right and whose payload is not: nothing of it runs."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aimm_sklearn.errors import PayloadError
from cases import flowers
from sklearn.svm import SVC

from aimm import plugins, store

SVC_TYPE = "sklearn.svm.SVC"


class Harmful:
    """Unpickled, it makes a folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("it_ran",)


class Forger:
    """A plugin that writes model files of an estimator with any payload."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload

    @plugins.hookimpl
    def model_types(self) -> list[str]:
        """The type that it forges."""
        return [SVC_TYPE]

    @plugins.hookimpl
    def serialize(self) -> bytes:
        """What it was given."""
        return self.payload


def forged(path: Path, payload: bytes) -> Path:
    """A model file with this payload."""
    forging = plugins.PluginManager()
    forging.register(Forger(payload))
    store.save_model(path, SVC_TYPE, None, manager=forging)
    return path


def bomb(member: str, size: int) -> bytes:
    """A small archive with a huge member."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        with file.open(member, "w") as content:
            for _ in range(size >> 20):
                content.write(b" " * (1 << 20))
        if member != "schema.json":
            file.writestr("schema.json", "{}")
    return written.getvalue()


def test_a_model_comes_back(manager: plugins.PluginManager, tmp_path: Path) -> None:
    """The way there and back, with an example that replays."""
    X, y = flowers().fit
    store.save_model(tmp_path / "m", SVC_TYPE, SVC().fit(X, y), example=store.Example(X[:3]), manager=manager)
    opened = store.open_model(tmp_path / "m")
    assert opened.replay(manager=manager)
    assert isinstance(opened.load(manager=manager), SVC)


@pytest.mark.filterwarnings("ignore::aimm.errors.ModelVersionWarning")
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_is_not_loaded(
    manager: plugins.PluginManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    """A pickle in a good model file is refused by its own error."""
    monkeypatch.chdir(tmp_path)
    path = forged(tmp_path / "m", pickle.dumps(Harmful(), protocol))
    with pytest.raises(PayloadError, match="not the whole and unaltered bytes that serialize wrote"):
        store.load_model(path, manager=manager)
    assert not (tmp_path / "it_ran").exists()


@pytest.mark.filterwarnings("ignore::aimm.errors.ModelVersionWarning")
@pytest.mark.parametrize(("member", "size"), [("schema.json", 1 << 27), ("array.npy", 3 << 29)])
def test_a_bomb_is_not_unpacked(manager: plugins.PluginManager, tmp_path: Path, member: str, size: int) -> None:
    """An archive that unpacks to a thousand times its size is refused before anything of it is unpacked."""
    with pytest.raises(PayloadError, match=r"the bytes unpack to \d+,\d+,\d+(,\d+)? bytes, far more than a model"):
        store.load_model(forged(tmp_path / "m", bomb(member, size)), manager=manager)
