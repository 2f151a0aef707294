import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from aimm.plugins import _cache

TEXT = "line one\nline two\n"
WRITER = """
import sys
from aimm.plugins import _cache
print("ready", flush=True)
while True:
    _cache.write("key", "x" * 4_000_000)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the cache is in this test; not made yet."""
    return tmp_path / "cache" / "aimm"


def the_file(folder: Path) -> Path:
    (file,) = folder.glob("index-*.txt")
    return file


def test_what_is_written_is_read(folder: Path) -> None:
    """Under its key, in a folder and a file for this user alone."""
    assert _cache.read("key") is None
    _cache.write("key", TEXT)
    assert _cache.read("key") == TEXT
    assert _cache.read("other") is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert the_file(folder).stat().st_mode & 0o777 == 0o600


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(), text=st.text())
def test_any_text_comes_back(folder: Path, key: str, text: str) -> None:
    """Line breaks of every kind, and the halves of characters that undecodable paths are made of."""
    _cache.write(key, text)
    assert _cache.read(key) == text


def test_two_keys_that_share_a_file_do_not_mix(folder: Path) -> None:
    """The whole key stands in the file, whose name is only a digest of it."""
    _cache.write("key", TEXT)
    file = the_file(folder)
    _cache.write("other", TEXT)
    (other,) = set(folder.glob("index-*.txt")) - {file}
    os.replace(other, file)
    assert _cache.read("key") is None


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_no_file(folder: Path, data: st.DataObject) -> None:
    """Cut short at any place, continued, or with any bits changed."""
    _cache.write("key", TEXT)
    file = the_file(folder)
    content = file.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytes([content[place] ^ data.draw(st.integers(1, 255))])
    damaged = [content[:place], content[:place] + changed + content[place + 1 :], content + b"x"]
    file.write_bytes(data.draw(st.sampled_from(damaged)))
    assert _cache.read("key") is None
    file.unlink()


def test_a_file_that_others_may_write_is_not_read(folder: Path) -> None:
    """Whoever could write it could name what gets imported."""
    _cache.write("key", TEXT)
    the_file(folder).chmod(0o666)
    assert _cache.read("key") is None


def test_a_folder_that_others_may_write_is_not_used(folder: Path) -> None:
    """They could put their own file in the place of ours."""
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    _cache.write("key", TEXT)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_not_read(folder: Path) -> None:
    """Nor is anything written into their folder."""
    _cache.write("key", TEXT)
    os.chown(the_file(folder), 12345, 12345)
    assert _cache.read("key") is None
    os.chown(folder, 12345, 12345)
    _cache.write("other", TEXT)
    assert _cache.read("other") is None


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_plain_file_is_not_read(folder: Path, tmp_path: Path, kind: str) -> None:
    """A link may point anywhere, and a pipe would be waited for."""
    _cache.write("key", TEXT)
    file = the_file(folder)
    file.rename(tmp_path / "elsewhere")
    if kind == "link":
        file.symlink_to(tmp_path / "elsewhere")
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    assert _cache.read("key") is None


def test_without_a_home_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that does not exist is not made."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    _cache.write("key", TEXT)
    assert _cache.read("key") is None
    assert not (tmp_path / "nobody").exists()
    monkeypatch.setenv("HOME", "")
    _cache.write("key", TEXT)
    assert _cache.read("key") is None


def test_a_home_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``~/.cache/aimm``, where XDG_CACHE_HOME says nothing or is relative, which does not count."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    _cache.write("key", TEXT)
    assert the_file(tmp_path / ".cache" / "aimm").is_file()
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert _cache.read("key") == TEXT


def test_a_home_that_takes_nothing_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be; a read-only home is refused by the system in the same way."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    _cache.write("key", TEXT)
    assert _cache.read("key") is None


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that not even root may write")
def test_a_read_only_home_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here one that refuses root as well."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/self")
    _cache.write("key", TEXT)
    assert _cache.read("key") is None


@pytest.mark.parametrize(("value", "off"), [("1", True), ("yes", True), ("0", False), ("False", False), ("", False)])
def test_the_cache_can_be_switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, off: bool) -> None:
    """Then it is neither read nor written."""
    _cache.write("key", TEXT)
    monkeypatch.setenv("AIMM_NO_CACHE", value)
    assert _cache.read("key") == (None if off else TEXT)
    _cache.write("second", TEXT)
    assert len(list(folder.iterdir())) == (1 if off else 2)


def test_a_writer_that_is_killed_leaves_the_old_text_or_the_new(tmp_path: Path) -> None:
    """SIGKILL at any time; what the dead left behind is swept out later."""
    for delay in (0.0, 0.002, 0.005, 0.011, 0.02):
        writer = subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE)
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        text = _cache.read("key")
        assert text is None or text == "x" * 4_000_000
    folder = tmp_path / "cache" / "aimm"
    for left in folder.glob("*.tmp"):
        os.utime(left, (time.time() - 3600,) * 2)
    _cache.write("key", TEXT)
    assert _cache.read("key") == TEXT
    assert not list(folder.glob("*.tmp"))


def test_a_temporary_file_of_a_living_writer_stays(folder: Path) -> None:
    """Only what is old enough to be abandoned goes."""
    _cache.write("key", TEXT)
    (folder / "index-1.txt.1.tmp").touch()
    _cache.write("key", TEXT)
    assert (folder / "index-1.txt.1.tmp").exists()


def test_a_write_that_fails_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here because the last step is refused."""
    _cache.write("key", TEXT)
    file = the_file(folder)
    file.unlink()
    file.mkdir()
    (file / "x").touch()
    _cache.write("key", TEXT)
    assert not list(folder.glob("*.tmp"))


def test_old_files_give_way(folder: Path) -> None:
    """One file for each interpreter and search path adds up; the latest stay."""
    for number in range(40):
        _cache.write(f"key {number}", TEXT)
        for file in folder.iterdir():
            os.utime(file, (file.stat().st_mtime - 10,) * 2)
    assert len(list(folder.iterdir())) == 32
    assert _cache.read("key 39") == TEXT
    assert _cache.read("key 0") is None


def test_a_stamp_tells_changes(tmp_path: Path) -> None:
    """Content, replacement and removal."""
    file = tmp_path / "file"
    assert _cache.stamp_at(str(file)) == _cache.NOTHING
    file.write_text("a")
    first = _cache.stamp_at(str(file))
    assert first == _cache.stamp_at(str(file))
    file.write_text("ab")
    second = _cache.stamp_at(str(file))
    time.sleep(0.02)
    (tmp_path / "other").write_text("ab")
    os.replace(tmp_path / "other", file)
    assert len({first, second, _cache.stamp_at(str(file)), _cache.NOTHING}) == 4


def test_a_stamp_notices_a_change_that_hides(tmp_path: Path) -> None:
    """The same size and the same time of modification, put back by hand: the time of the change of state tells."""
    file = tmp_path / "file"
    file.write_text("a")
    before, status = _cache.stamp_at(str(file)), file.stat()
    time.sleep(0.02)
    file.write_text("b")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert _cache.stamp_at(str(file)) != before


def test_what_changed_just_now_is_not_settled(tmp_path: Path) -> None:
    """Nor is what lies in the future, after the clock was set back."""
    file = tmp_path / "file"
    file.touch()
    assert not _cache.is_settled(file.stat())
    os.utime(file, (0, 0))
    assert not _cache.is_settled(file.stat())  # ctime
    os.utime(file, (2**33, 2**33))
    assert not _cache.is_settled(file.stat())
    assert _cache.is_settled(os.stat(sys.executable))
