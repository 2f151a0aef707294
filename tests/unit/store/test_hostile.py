"""Files made to do harm: none is loaded, nothing of them runs, and each has its own clear error.

Digests, lengths, types, headers and signatures that are merely wrong are in ``test_file.py`` and ``test_policy.py``;
here an attacker has computed every digest anew.
"""

import json
import os
import pickle
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from aimm import plugins, store
from aimm.errors import (
    AimmError,
    DamagedFileError,
    ExampleError,
    ForeignFileError,
    ModelNameError,
    ModelTooLargeError,
    ModelVersionError,
    ModelVersionWarning,
    PluginNotFoundError,
    SignatureError,
)
from aimm.store._layout import Header, build_head
from support import FakeSite, model_source

MARK = "it_ran"


class Payload:
    """Pickled, it makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (MARK,)


def forge(path: Path, payload: bytes = b"[1]", **changes: Any) -> Path:
    """A model file in which everything is consistent, whatever it says."""
    import hashlib

    origin = ("x", "aimm-x", "1.5", "0.1.0", "3.11.0", "2026-01-01T00:00:00+00:00")
    header = Header(*origin, hashlib.sha256(payload).hexdigest(), len(payload))._replace(**changes)
    path.write_bytes(build_head(header) + payload)
    return path


@pytest.fixture
def host(site: FakeSite) -> plugins.PluginManager:
    """A manager with the model type ``x`` of ``aimm-x 1.5``, and a second plugin that shows when it is imported."""
    site.add("aimm-x", "1.5", {"aimm.models": {"x": "x_plugin"}}, {"x_plugin": model_source("x")})
    site.add("trap", "1.0", {"aimm.models": {"trap": "trap"}}, {"trap": f"import os\nos.mkdir({MARK!r})"})
    return plugins.PluginManager({"entry_points": {"exclude": ["trap"]}, "names": []})


@pytest.fixture(autouse=True)
def _nothing_ran(tmp_path: Path) -> Any:
    yield
    assert not (tmp_path / MARK).exists()


def test_an_honest_forgery_loads(host: plugins.PluginManager, tmp_path: Path) -> None:
    """What ``forge`` makes is a good file: it is not refused for another reason than those below."""
    assert store.load_model(forge(tmp_path / "m"), manager=host)[1] == [1]


@pytest.mark.parametrize("model_type", ["os.system", "builtins.eval", "trap", "../../x", "x_plugin:deserialize", ""])
def test_a_type_that_is_no_model_type(host: plugins.PluginManager, tmp_path: Path, model_type: str) -> None:
    """A file names what the host owns or nothing: no module, path, or plugin that the host excludes."""
    with pytest.raises(PluginNotFoundError, match=re.escape(repr(model_type))):
        store.load_model(forge(tmp_path / "m", model_type=model_type), manager=host)


def test_a_plugin_that_did_not_write_it(host: plugins.PluginManager, tmp_path: Path) -> None:
    """A forged distribution or version is told, or refused where the policy says so."""
    for changes in ({"distribution": "numpy"}, {"version": "99"}, {"distribution": None, "version": None}):
        path = forge(tmp_path / "m", **changes)
        with pytest.warns(ModelVersionWarning, match=r"installed is aimm-x 1\.5"):
            store.load_model(path, manager=host)
        with pytest.raises(ModelVersionError, match="the policy of this host refuses other versions"):
            store.load_model(path, policy=store.Policy(other_version="refuse"), manager=host)


def test_a_forgery_cannot_be_signed(host: plugins.PluginManager, tmp_path: Path) -> None:
    """Where a signature is required, none of these files comes as far as a plugin."""
    strict = store.Policy(keys={"ci": b"k" * 32}, require_signature=True)
    with pytest.raises(SignatureError, match="not signed"):
        store.load_model(forge(tmp_path / "m"), policy=strict, manager=host)
    with pytest.raises(DamagedFileError, match="header and signature do not say the same"):
        store.load_model(forge(tmp_path / "m", signed_by="ci"), policy=strict, manager=host)


@pytest.mark.parametrize("field", ["model_type", "distribution", "version", "aimm", "python", "created", "signed_by"])
def test_a_text_that_moves_the_cursor(tmp_path: Path, field: str) -> None:
    """What is shown to people has no control characters."""
    with pytest.raises(DamagedFileError, match="its header is not what this format version prescribes"):
        store.read_header(forge(tmp_path / "m", **{field: "a\x1b[2J"}))


@pytest.mark.parametrize("content", [pickle.dumps(Payload()), b"\x89AIMM" + pickle.dumps(Payload())])
def test_a_pickle_is_no_model_file(host: plugins.PluginManager, tmp_path: Path, content: bytes) -> None:
    """Nor is one behind half of the magic."""
    (tmp_path / "m").write_bytes(content)
    with pytest.raises((ForeignFileError, DamagedFileError)):
        store.load_model(tmp_path / "m", manager=host)


def test_a_pickle_for_a_payload(host: plugins.PluginManager, tmp_path: Path) -> None:
    """A plugin that reads text gets bytes and refuses them; nobody unpickles."""
    with pytest.raises(ValueError, match=r"."):
        store.load_model(forge(tmp_path / "m", pickle.dumps(Payload())), manager=host)


def test_a_sparse_bomb_is_not_read(host: plugins.PluginManager, tmp_path: Path) -> None:
    """A file of 4 TiB that takes no room on the disk is refused before anything is allocated."""
    path = forge(tmp_path / "m", b"", length=1 << 42)
    with open(path, "ab") as file:
        file.truncate(path.stat().st_size + (1 << 42))
    tracemalloc.start()
    with pytest.raises(ModelTooLargeError, match=r"its payload has 4,398,046,511,104 bytes, .* allows"):
        store.load_model(path, policy=store.Policy(max_bytes=1 << 30), manager=host)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    "text", ["[" * 400_000 + "]" * 400_000, '{"a":' * 100_000 + "1" + "}" * 100_000, "9" * 900_000]
)
def test_a_header_that_is_a_bomb(host: plugins.PluginManager, tmp_path: Path, text: str) -> None:
    """Deep nesting and endless numbers are refused as what they are."""
    import hashlib
    import struct

    digest = hashlib.sha256(text.encode()).digest()
    (tmp_path / "m").write_bytes(struct.pack(">8sHI32s32x", b"\x89AIMM\r\n\x1a", 2, len(text), digest) + text.encode())
    with pytest.raises(DamagedFileError, match="its header is not what this format version prescribes"):
        store.load_model(tmp_path / "m", manager=host)


def test_an_example_that_is_a_bomb(host: plugins.PluginManager, tmp_path: Path) -> None:
    """An example that claims more than it has is refused when it is replayed, and does not hinder loading."""
    array = {"array": "AAAA", "dtype": "<f8", "shape": [1 << 40]}
    path = forge(tmp_path / "m", example={"args": [array], "kwargs": {}, "output": ""})
    opened = store.open_model(path)
    assert opened.load(manager=host) == [1]
    with pytest.raises(ExampleError, match="its input example cannot be brought back"):
        opened.replay(manager=host)


@pytest.mark.parametrize("example", [[], "text", 5, True])
def test_an_example_of_another_shape(tmp_path: Path, example: object) -> None:
    """It is an object or null."""
    with pytest.raises(DamagedFileError, match="its header is not what this format version prescribes"):
        store.read_header(forge(tmp_path / "m", example=example))


def test_a_key_twice_in_the_header(tmp_path: Path) -> None:
    """Two readers could take two values; none is taken."""
    import hashlib
    import struct

    good = build_head(store.read_header(forge(tmp_path / "m")))[78:]
    text = b'{"model_type": "trap", ' + good[1:]
    prefix = struct.pack(">8sHI32s32x", b"\x89AIMM\r\n\x1a", 2, len(text), hashlib.sha256(text).digest())
    (tmp_path / "m").write_bytes(prefix + text + b"[1]")
    with pytest.raises(DamagedFileError, match="its header is not what this format version prescribes"):
        store.read_header(tmp_path / "m")


def test_a_path_in_a_name(tmp_path: Path, host: plugins.PluginManager) -> None:
    """No name, and nothing in a file, decides where a store writes."""
    models = store.ModelStore(tmp_path / "models")
    for name in ("../evil", "/evil", "..", "a/../../evil"):
        with pytest.raises(ModelNameError):
            models.add(name, forge(tmp_path / "m"))
    models.add("good", forge(tmp_path / "m", model_type="../../evil"))
    with pytest.raises(PluginNotFoundError):
        models.load("good", manager=host)
    assert sorted(path.name for path in tmp_path.rglob("*evil*")) == []


def test_a_link_in_the_store_leads_nowhere(tmp_path: Path, host: plugins.PluginManager) -> None:
    """A file of the store that was replaced by a link to something else is noticed as any exchange is."""
    models = store.ModelStore(tmp_path / "models")
    entry = models.add("good", forge(tmp_path / "m"))
    (tmp_path / "secret").write_text("secret")
    file = tmp_path / "models" / "objects" / f"{entry.identity}.aimm"
    file.unlink()
    file.symlink_to(tmp_path / "secret")
    with pytest.raises(ForeignFileError, match=r"good@1 \(.*\): it is not a model file"):
        models.load("good", manager=host)


def test_the_index_cannot_make_paths(tmp_path: Path, host: plugins.PluginManager) -> None:
    """Whoever writes into the index can name other files, but not have them loaded or removed."""
    import sqlite3

    models = store.ModelStore(tmp_path / "models")
    models.add("good", forge(tmp_path / "m"))
    (tmp_path / "keep.aimm").write_bytes((tmp_path / "m").read_bytes())
    database = sqlite3.connect(tmp_path / "models" / "index.sqlite")
    with database:
        database.execute("UPDATE versions SET identity = '../../keep'")
    database.close()
    with pytest.raises(AimmError, match="it is another model file than the one that was saved"):
        models.load("good", manager=host)
    models.remove("good")
    models.gc(grace=0)
    assert (tmp_path / "keep.aimm").exists()


def test_json_is_all_that_is_parsed(tmp_path: Path) -> None:
    """The header is JSON and nothing more: no dates, no types, no references."""
    header = store.read_header(forge(tmp_path / "m"))
    assert json.loads(build_head(header)[78:]) == header._asdict()
