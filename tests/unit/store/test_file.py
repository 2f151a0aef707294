"""Model files: what is written can be read, and what was touched is refused before any plugin is imported."""

import hashlib
import io
import json
import os
import signal
import struct
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

import aimm
from aimm import plugins, store
from aimm.errors import (
    DamagedFileError,
    ForeignFileError,
    FormatVersionError,
    ModelFileError,
    PayloadError,
    PluginNotFoundError,
)
from aimm.store import _disk
from aimm.store._layout import MAGIC, MAX_HEADER
from store_faults import manager as manager_of_payloads
from support import FakeSite, model_source

PREFIX = 78
INSTANCE = [1, 2, "three"]


@pytest.fixture
def host(manager: plugins.PluginManager, site: FakeSite) -> plugins.PluginManager:
    """A manager with one installed, lazy model type ``x``."""
    site.add("aimm-x", "1.5", {"aimm.models": {"x": "x_plugin"}}, {"x_plugin": model_source("x")})
    manager.initialize()
    return manager


@pytest.fixture
def saved(host: plugins.PluginManager, tmp_path: Path) -> Path:
    """A model file of ``x``, whose plugin is not imported (any more)."""
    path = tmp_path / "x.model"
    store.save_model(path, "x", INSTANCE, manager=host)
    host.unload_all()
    host.initialize()
    del sys.modules["x_plugin"]
    return path


def read(path: Path, host: plugins.PluginManager) -> tuple[store.Header, Any]:
    """Load a model."""
    return store.load_model(path, manager=host)


def forge(header: Any, payload: bytes = b"", *, digest: bytes | None = None, length: int | None = None) -> bytes:
    """A model file with any header, in JSON or as bytes, whose digest is right unless given."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    right = hashlib.sha256(encoded).digest()
    prefix = struct.pack(">8sHI32s32x", MAGIC, 2, len(encoded) if length is None else length, digest or right)
    return prefix + encoded + payload


def header_of(payload: bytes = b"", **changes: Any) -> dict[str, Any]:
    """A right header for a payload, with changes; a change to ``...`` leaves the key out."""
    header = {
        "model_type": "x",
        "distribution": None,
        "version": None,
        "aimm": "0.1.0",
        "python": "3.11.0",
        "created": "2026-01-01T00:00:00+00:00",
        "sha256": hashlib.sha256(payload).hexdigest(),
        "length": len(payload),
        "signed_by": None,
        "example": None,
    }
    return {key: value for key, value in {**header, **changes}.items() if value is not ...}


# What is written can be read


def test_a_model_comes_back(saved: Path, host: plugins.PluginManager) -> None:
    """Loading gives an equal instance and the header that saving returned."""
    header, instance = read(saved, host)
    assert instance == INSTANCE
    assert header == store.read_header(saved) == store.verify_model(saved)


def test_the_header_says_where_the_model_comes_from(saved: Path) -> None:
    """Model type, distribution, versions, time, digest and length stand in the file."""
    header = store.read_header(saved)
    payload = saved.read_bytes()[-header.length :]
    python = ".".join(map(str, sys.version_info[:3]))
    assert header[:5] == ("x", "aimm-x", "1.5", aimm.__version__, python)
    assert header.created.endswith("+00:00")
    assert (payload, header.sha256) == (repr(INSTANCE).encode(), hashlib.sha256(payload).hexdigest())


def test_the_layout_is_the_documented_one(saved: Path) -> None:
    """Magic, version, header length, header digest, JSON header, payload: at the offsets that the module states."""
    content = saved.read_bytes()
    magic, version, length, digest, signature = struct.unpack(">8sHI32s32s", content[:PREFIX])
    encoded = content[PREFIX : PREFIX + length]
    assert (magic, version) == (b"\x89AIMM\r\n\x1a", store.FORMAT_VERSION)
    assert hashlib.sha256(encoded).digest() == digest
    assert signature == bytes(32)
    assert json.loads(encoded) == store.read_header(saved)._asdict()
    assert content[PREFIX + length :] == repr(INSTANCE).encode()


def test_the_payload_is_in_memory_once(tmp_path: Path) -> None:
    """Neither saving nor reading makes a copy, and the plugin gets the very object that was read and verified."""
    host, payload, got = manager_of_payloads(), bytes(range(256)) * (1 << 15), []  # 8 MiB
    tracemalloc.start()
    try:
        store.save_model(tmp_path / "m", "x", payload, manager=host)
        assert tracemalloc.get_traced_memory()[1] < len(payload) * 0.2
        opened = store.open_model(tmp_path / "m")
        assert tracemalloc.get_traced_memory()[1] < len(payload) * 1.2
        content = (tmp_path / "m").read_bytes()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        unpacked = store.unpack_model(content)
        assert tracemalloc.get_traced_memory()[1] - before < len(payload) * 0.2
    finally:
        tracemalloc.stop()
    host.register(Observer(got))
    for file in (opened, unpacked):
        file.load(manager=host)
    assert got[0] is opened.payload
    assert got[1] is unpacked.payload
    assert got[0] == got[1] == payload


@pytest.mark.parametrize("most", [7, 1 << 20])
@pytest.mark.parametrize("size", [_disk.START - 1, _disk.START, _disk.START + 1, 3 * _disk.START])
@pytest.mark.parametrize("larger", ["payload", "header"])
def test_what_is_larger_than_the_first_read_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, larger: str, size: int, most: int
) -> None:
    """Wherever the first bytes that are read end, and however few of them a file system gives at a time."""
    host, path, payload, text = manager_of_payloads(), tmp_path / "m", b"", ""
    for _ in range(3):  # the length of the payload, whose digits count too, stands in the header
        content = forge(header_of(payload, example={"text": text}), payload)
        filling = len(payload) + len(text) + size - len(content)
        payload, text = (b"p" * filling, "") if larger == "payload" else (b"", "e" * filling)
    path.write_bytes(content)
    assert len(content) == size
    monkeypatch.setattr(_disk, "open_file", lambda path: _Slow(path, most))
    assert read(path, host)[1] == payload
    assert store.read_header(path) == store.unpack_model(content).header
    path.write_bytes(content[:-1])
    with pytest.raises(DamagedFileError):
        read(path, host)


class _Slow(io.FileIO):
    """A file that gives a few bytes at a time, as a system may."""

    def __init__(self, path: str, most: int) -> None:
        super().__init__(path)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(self._most, -1 if size is None else size))

    def readinto(self, buffer: Any, /) -> int:
        return super().readinto(memoryview(buffer)[: self._most])


class Observer:
    """A wrapper that keeps what a plugin is given to deserialise."""

    def __init__(self, got: list[Any]) -> None:
        self.got = got

    @plugins.hookimpl(wrapper=True)
    def deserialize(self, instance_bytes: Any) -> Any:
        self.got.append(instance_bytes)
        return (yield)


def test_reading_a_header_imports_no_plugin(saved: Path) -> None:
    """What a file says about itself, and whether it is whole, can be known without its plugin."""
    store.read_header(saved)
    store.verify_model(saved)
    assert "x_plugin" not in sys.modules


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary())
def test_any_bytes_come_back(tmp_path: Path, payload: bytes) -> None:
    """Whatever bytes a plugin makes, ``deserialize`` gets the same."""
    manager = plugins.PluginManager()
    manager.register(_Echo(payload))
    store.save_model(tmp_path / "m", "echo", None, manager=manager)
    assert read(tmp_path / "m", manager)[1] == payload


class _Echo:
    """A hook plugin whose payload is given, and whose instances are payloads."""

    def __init__(self, payload: Any) -> None:
        self.payload = payload

    @plugins.hookimpl
    def model_types(self) -> list[str]:
        return ["echo"]

    @plugins.hookimpl
    def serialize(self) -> Any:
        return self.payload

    @plugins.hookimpl
    def deserialize(self, instance_bytes: Any) -> Any:
        return instance_bytes


@pytest.mark.parametrize(
    "payload",
    [
        bytearray(b"abc"),
        memoryview(b"a-b-c")[::2],
        np.arange(6.0).reshape(2, 3).T,
        np.zeros((0, 3)),
        np.arange(3, dtype=">i4"),
    ],
)
def test_every_bytes_like_payload_is_written(manager: plugins.PluginManager, tmp_path: Path, payload: Any) -> None:
    """Whatever offers a buffer can be saved, also where that is not contiguous, empty or of another byte order."""
    manager.register(_Echo(payload))
    header = store.save_model(tmp_path / "m", "echo", None, manager=manager)
    assert read(tmp_path / "m", manager)[1] == memoryview(payload).tobytes()
    assert header.distribution is None


@pytest.mark.parametrize("payload", ["text", None, np.array(["2020"], "M8[Y]")])
def test_what_is_not_bytes_is_not_written(manager: plugins.PluginManager, tmp_path: Path, payload: Any) -> None:
    """A plugin whose ``serialize`` returns something else is named, and the old file stays."""
    (tmp_path / "m").write_bytes(b"old")
    manager.register(_Echo(payload))
    kind = type(payload).__name__
    expected = f"{tmp_path / 'm'}: serialize of 'echo' returned {kind}, not bytes; nothing was written"
    with pytest.raises(PayloadError) as caught:
        store.save_model(tmp_path / "m", "echo", None, manager=manager)
    assert str(caught.value) == expected
    assert (tmp_path / "m").read_bytes() == b"old"


def test_a_missing_plugin_is_named_by_its_distribution(saved: Path) -> None:
    """Without the plugin, a note says which distribution wrote the file and how to get it."""
    with pytest.raises(PluginNotFoundError) as caught:
        read(saved, plugins.PluginManager({"names": [], "entry_points": {"enabled": False}}))
    assert caught.value.__notes__ == [f"{saved} was written by aimm-x 1.5; pip install aimm-x==1.5"]


def test_a_distribution_name_is_no_command(tmp_path: Path, manager: plugins.PluginManager) -> None:
    """What a forged file calls its distribution cannot become a second command in the advice."""
    (tmp_path / "m").write_bytes(forge(header_of(distribution="x; reboot", version="$(id)")))
    with pytest.raises(PluginNotFoundError) as caught:
        read(tmp_path / "m", manager)
    assert caught.value.__notes__[0].endswith("pip install 'x; reboot==$(id)'")


def test_without_a_distribution_there_is_no_advice(tmp_path: Path, manager: plugins.PluginManager) -> None:
    """A file written by a plugin without a distribution does not suggest to install None."""
    (tmp_path / "m").write_bytes(forge(header_of()))
    with pytest.raises(PluginNotFoundError) as caught:
        read(tmp_path / "m", manager)
    assert not hasattr(caught.value, "__notes__")


# What was touched is refused


def refused(path: Path, content: bytes, host: plugins.PluginManager) -> ModelFileError:
    """The error with which a content is refused; the plugin was not imported for it."""
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        read(path, host)
    with pytest.raises(ModelFileError):
        store.verify_model(path)
    assert "x_plugin" not in sys.modules
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_a_flipped_bit_is_refused(saved: Path, host: plugins.PluginManager, data: st.DataObject) -> None:
    """One bit changed anywhere (magic, version, length, digest, header, payload) is noticed."""
    content = _remembered(saved)
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    changed = bytearray(content)
    changed[position // 8] ^= 1 << position % 8
    refused(saved, bytes(changed), host)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_changed_bytes_are_refused(saved: Path, host: plugins.PluginManager, data: st.DataObject) -> None:
    """So are bytes replaced, inserted or taken out anywhere."""
    content = _remembered(saved)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 20)))
    changed = content[:start] + data.draw(st.binary(max_size=20)) + content[end:]
    if changed != content:
        refused(saved, changed, host)


def _remembered(saved: Path) -> bytes:
    """The first content of a file that a test overwrites again and again."""
    kept = saved.with_suffix(".kept")
    if not kept.exists():
        kept.write_bytes(saved.read_bytes())
    return kept.read_bytes()


def test_a_truncated_file_is_refused_at_every_length(saved: Path, host: plugins.PluginManager) -> None:
    """Cut anywhere, the file is called cut short, not foreign; only an empty one is no model file at all."""
    content = saved.read_bytes()
    assert isinstance(refused(saved, b"", host), ForeignFileError)
    for length in range(1, len(content)):
        assert isinstance(refused(saved, content[:length], host), DamagedFileError)


@pytest.mark.parametrize("extra", [b"\0", b"more", b"x" * 10_000])
def test_a_file_with_something_behind_is_refused(saved: Path, host: plugins.PluginManager, extra: bytes) -> None:
    """Bytes after the payload do not belong to the model."""
    error = refused(saved, saved.read_bytes() + extra, host)
    assert f"its payload should have {len(repr(INSTANCE))} bytes and has {len(repr(INSTANCE)) + len(extra)}" in str(
        error
    )


@given(content=st.binary(max_size=200))
@example(b"PK\x03\x04 a zip archive")
@example(b"\x80\x04\x95 a pickle")
@example(b"\x89PNG\r\n\x1a\n")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_foreign_file_is_refused(tmp_path: Path, host: plugins.PluginManager, content: bytes) -> None:
    """No other bytes pass for a model file."""
    refused(tmp_path / "m", content, host)


def test_a_file_of_another_kind_is_called_so(tmp_path: Path, host: plugins.PluginManager) -> None:
    """The message tells an empty file and a file of another format from a damaged one."""
    assert str(refused(tmp_path / "m", b"", host)).endswith(": it is empty, not a model file")
    message = str(refused(tmp_path / "m", b"PK\x03\x04", host))
    assert message.endswith(": it is not a model file of aimm (its first bytes are wrong)")


@pytest.mark.parametrize(
    "mangle",
    [
        lambda content: content.replace(b"\r\n", b"\n"),
        lambda content: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n\r\n"),
        lambda content: content.decode("latin-1").encode(),
        lambda content: content.decode("utf-8", "replace").encode(),
        lambda content: bytes(byte & 0x7F for byte in content),
    ],
    ids=["dos2unix", "unix2dos", "recoded", "replaced", "7 bit"],
)
def test_a_text_mode_copy_is_recognised(saved: Path, host: plugins.PluginManager, mangle: Callable[..., bytes]) -> None:
    """A copy that took the file for text is told to be copied again."""
    error = refused(saved, mangle(saved.read_bytes()), host)
    assert isinstance(error, ForeignFileError)
    assert "altered by a text-mode copy, which a binary file does not survive: copy it again" in str(error)


def test_a_newer_format_is_refused_with_the_way_out(saved: Path, host: plugins.PluginManager) -> None:
    """A file of a later format version asks for a later aimm."""
    content = saved.read_bytes()
    error = refused(saved, content[:8] + b"\x00\x03" + content[10:], host)
    assert isinstance(error, FormatVersionError)
    assert "it has format version 3, this aimm reads up to version 2: upgrade aimm-plugins" in str(error)


@pytest.mark.parametrize("length", [MAX_HEADER + 1, 2**32 - 1])
def test_a_forged_header_length_allocates_nothing(tmp_path: Path, host: plugins.PluginManager, length: int) -> None:
    """A header may not be as long as it claims."""
    message = str(refused(tmp_path / "m", forge(header_of(), length=length), host))
    assert f"its header claims {length} bytes, more than the {MAX_HEADER} that are allowed" in message


@pytest.mark.parametrize("length", [1, 2**62, 10**30])
def test_a_forged_payload_length_is_refused(tmp_path: Path, host: plugins.PluginManager, length: int) -> None:
    """A payload has to be as long as the header says."""
    message = str(refused(tmp_path / "m", forge(header_of(length=length)), host))
    assert f"its payload should have {length} bytes and has 0" in message


def test_a_payload_of_another_file_is_refused(tmp_path: Path, host: plugins.PluginManager) -> None:
    """A payload of the right length and another content does not match its digest."""
    message = str(refused(tmp_path / "m", forge(header_of(b"mine"), b"thei"), host))
    assert message.endswith("its payload was altered: the SHA-256 in the header does not match")


def test_a_header_with_a_wrong_digest_is_refused(tmp_path: Path, host: plugins.PluginManager) -> None:
    """The header is checked before it is parsed."""
    message = str(refused(tmp_path / "m", forge(b"{not json", digest=b"0" * 32), host))
    assert message.endswith("its header is cut short or was altered: its SHA-256 does not match")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xff",
        b"{",
        b"null",
        b"[" * 100_000,
        b'{"length": ' + b"9" * 10_000 + b"}",
        {},
        [1],
        header_of(model_type=...),
        header_of(surprise=1),
        *(header_of(**{name: 5}) for name in ("model_type", "aimm", "python", "created", "sha256")),
        *(header_of(**{name: value}) for name in ("distribution", "version") for value in (5, 0, [], "a\x1b[2Jb")),
        *(header_of(length=value) for value in ("0", None, 0.0, True, -1)),
    ],
)
def test_a_header_of_another_shape_is_refused(tmp_path: Path, host: plugins.PluginManager, header: Any) -> None:
    """A header with a right digest still has to have the right keys and types."""
    error = refused(tmp_path / "m", forge(header), host)
    assert isinstance(error, DamagedFileError)
    assert str(error).endswith("its header is not what this format version prescribes")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path, host: plugins.PluginManager) -> None:
    """Missing files and folders are Python's own errors."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(OSError, match=r"No such file|Is a directory"):
            read(path, host)


# Crashes


@pytest.mark.parametrize("moment", ["sync", "replace"])
def test_a_killed_save_leaves_the_old_model(saved: Path, host: plugins.PluginManager, moment: str) -> None:
    """A process killed in mid-save, with the new content written but not yet in place, loses nothing."""
    source = f"""
        import os, sys, time
        from aimm import plugins, store
        from aimm.store import _disk
        plugins.serialize(["x"])(lambda instance: b"n" * 1_000_000)
        def stop(*args):
            print("in the middle", flush=True)
            time.sleep(60)
        _disk.{moment} = stop
        store.save_model(sys.argv[1], "x", None)
    """
    command = [sys.executable, "-c", textwrap.dedent(source), str(saved)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        process.send_signal(signal.SIGKILL)
    assert read(saved, host)[1] == INSTANCE
    assert any(name.startswith(".x.model.") for name in os.listdir(saved.parent))


def test_a_failing_plugin_leaves_the_old_model(saved: Path, host: plugins.PluginManager) -> None:
    """A ``serialize`` that raises touches no file."""
    before = sorted(os.listdir(saved.parent))
    other = plugins.PluginManager()
    other.register(_Raising())
    with pytest.raises(ValueError, match="cannot be saved"):
        store.save_model(saved, "raising", None, manager=other)
    assert sorted(os.listdir(saved.parent)) == before
    assert read(saved, host)[1] == INSTANCE


class _Raising:
    @plugins.hookimpl
    def model_types(self) -> list[str]:
        return ["raising"]

    @plugins.hookimpl
    def serialize(self) -> bytes:
        raise ValueError("cannot be saved")


def test_the_default_manager_serves_where_none_is_given(tmp_path: Path) -> None:
    """Without a manager, the plugins of the process save and load."""
    plugins.serialize(["x"])(lambda instance: instance)
    plugins.deserialize(["x"])(lambda instance_bytes: instance_bytes)
    store.save_model(str(tmp_path / "m"), "x", b"content")
    assert store.load_model(str(tmp_path / "m"))[1] == b"content"
