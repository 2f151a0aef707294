"""The folder of artifacts: killed at any moment, written by several processes, described by a hostile list."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aimm import tasks
from aimm.errors import ArtifactError

posix = pytest.mark.skipif(sys.platform == "win32", reason="forks, and locks folders")
SAVE = """
import os, shutil, sys
from pathlib import Path
from aimm import tasks

def save(out, source):
    handler = tasks.find_handler("DirectoryArtifactTask" if source.is_dir() else "FileArtifactTask")
    return tasks.save_artifact(out, "a", source, handler)
"""
KILLED = (
    SAVE
    + """
# Before its first, second, ... change of the folder the child is killed, until it gets through.
base, work, source = map(Path, sys.argv[1:])
CHANGES = [(os, "rename"), (os, "replace"), (os, "unlink"), (os, "mkdir"), (os, "rmdir"), (shutil, "rmtree")]
for number in range(100):
    out = work / str(number)
    shutil.copytree(base, out)
    child = os.fork()
    if not child:
        left = [number]
        def counting(change):
            def changed(*args, **kwargs):
                if not left[0]:
                    os._exit(9)
                left[0] -= 1
                return change(*args, **kwargs)
            return changed
        for module, name in CHANGES:
            setattr(module, name, counting(getattr(module, name)))
        save(out, source)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 9:
        sys.exit(code)
"""
)


def made(folder: Path, name: str, text: str, is_folder: bool) -> Path:
    """A file, or a folder with one file."""
    path = folder / name / "x.txt"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path.parent if is_folder else path


def text_of(found: Path) -> str:
    """What it says."""
    return (found / "x.txt" if found.is_dir() else found).read_text()


def save(out: Path, source: Path, name: str = "a") -> tasks.ArtifactInfo:
    """Save a file or folder."""
    return tasks.save_artifact(out, name, source, handler_of(source.is_dir()))


def handler_of(is_folder: bool) -> tasks.HandlerRecord:
    """The handler of files or folders."""
    return tasks.find_handler("DirectoryArtifactTask" if is_folder else "FileArtifactTask")


def listed(out: Path) -> set[str]:
    """All that lies in the folder."""
    return {path.name for path in out.iterdir()}


@posix
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "replaced"])
@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "file"])
def test_killed_at_any_moment(tmp_path: Path, is_folder: bool, is_new: bool) -> None:
    """The old artifact is there, or the new one, with its digest; the next save finds nothing in its way."""
    base, work = tmp_path / "base", tmp_path / "work"
    base.mkdir()
    if not is_new:
        save(base, made(tmp_path, "old", "old", is_folder))
    source = made(tmp_path, "new", "new", is_folder)
    subprocess.run([sys.executable, "-c", KILLED, base, work, source], check=True, timeout=120)
    runs = sorted(work.iterdir(), key=lambda path: int(path.name))
    assert len(runs) >= 4
    seen = []
    for out in runs:
        infos = tasks.read_artifacts(out)
        seen.append(text_of(tasks.load_artifact(out, infos["a"], handler_of(is_folder))) if infos else "nothing")
        again = save(out, source)
        assert text_of(tasks.load_artifact(out, again, handler_of(is_folder))) == "new"
        assert listed(out) == {again.path, "artifacts.json"}
    before = "nothing" if is_new else "old"
    assert (seen[0], seen[-1], set(seen)) == (before, "new", {before, "new"})
    assert seen == sorted(seen, key=lambda text: text == "new")


def test_processes_write_one_folder(tmp_path: Path) -> None:
    """Each of their artifacts is in the list."""
    program = (
        SAVE
        + """
handler = tasks.find_handler("JsonArtifactTask")
for i in range(6):
    tasks.save_artifact(sys.argv[1], f"{sys.argv[2]}-{i}", i, handler)
"""
    )
    command = [sys.executable, "-c", program, tmp_path / "out"]
    running = [subprocess.Popen([*command, name]) for name in ("p", "q", "r")]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    infos = tasks.read_artifacts(tmp_path / "out")
    assert sorted(infos) == sorted(f"{name}-{i}" for name in ("p", "q", "r") for i in range(6))
    assert listed(tmp_path / "out") == {*(info.path for info in infos.values()), "artifacts.json"}


@posix
def test_what_a_living_process_writes_stays(tmp_path: Path) -> None:
    """Only what killed processes left is removed."""
    from aimm.tasks._folder import staging

    (tmp_path / ".b.0000.tmp").mkdir()
    with staging(tmp_path, "a") as alive:
        save(tmp_path, made(tmp_path / "made", "x", "x", False), "c")
        assert listed(tmp_path) == {alive.name, "c.txt", "artifacts.json", "made"}
    assert not alive.exists()


@pytest.mark.parametrize("kinds", [(True, False), (False, True)], ids=str)
def test_a_file_is_replaced_by_a_folder(tmp_path: Path, kinds: tuple[bool, bool]) -> None:
    """And a folder by a file; what was there is gone, also if it had another name."""
    out = tmp_path / "out"
    for number, is_folder in enumerate(kinds):
        info = save(out, made(tmp_path, f"made{number}", "x", is_folder))
    assert listed(out) == {info.path, "artifacts.json"}
    assert tasks.read_artifacts(out) == {"a": info}


@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "file"])
def test_a_link_in_the_place_of_an_artifact_is_not_followed(tmp_path: Path, is_folder: bool) -> None:
    """It is replaced; what it leads to stays as it is."""
    out = tmp_path / "out"
    info = save(out, made(tmp_path, "old", "old", is_folder))
    os.rename(out / info.path, tmp_path / "moved")
    foreign = made(tmp_path, "foreign", "mine", is_folder)
    (out / info.path).symlink_to(foreign)
    with pytest.raises(ArtifactError, match="leads out"):
        tasks.load_artifact(out, info, handler_of(is_folder))
    again = save(out, made(tmp_path, "new", "new", is_folder))
    assert text_of(tasks.load_artifact(out, again, handler_of(is_folder))) == "new"
    assert (text_of(foreign), (out / info.path).is_symlink()) == ("mine", False)


@pytest.fixture
def pending(tmp_path: Path) -> dict[str, Any]:
    """The list of a folder in which an artifact is on its way; it can be altered and written back."""
    (tmp_path / "out").mkdir()
    info = save(tmp_path / "other", made(tmp_path, "made", "new", False))
    staged = tmp_path / "out" / ".a.1.tmp"
    staged.mkdir()
    os.rename(tmp_path / "other" / info.path, staged / "a.txt")
    return {
        "artifacts": [],
        "pending": {"artifact": info._asdict(), "staged": ".a.1.tmp/a.txt", "aside": ".a.txt.1.old"},
    }


def test_what_was_begun_is_finished(tmp_path: Path, pending: dict[str, Any]) -> None:
    """By whoever reads the list next."""
    (tmp_path / "out" / "artifacts.json").write_text(json.dumps(pending))
    assert list(tasks.read_artifacts(tmp_path / "out")) == ["a"]
    assert listed(tmp_path / "out") == {"a.txt", "artifacts.json"}


def test_what_is_lost_is_undone(tmp_path: Path, pending: dict[str, Any]) -> None:
    """What was put aside for it comes back."""
    out = tmp_path / "out"
    (out / "artifacts.json").write_text(json.dumps(pending))
    os.rename(out / ".a.1.tmp" / "a.txt", out / ".a.txt.1.old")
    assert tasks.read_artifacts(out) == {}
    assert "a.txt" in listed(out)
    assert "pending" not in json.loads((out / "artifacts.json").read_text())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("staged", "../made"),
        ("staged", ".a.1.tmp/../../made"),
        ("staged", "link.tmp/x.txt"),
        ("staged", "/etc/hostname"),
        ("aside", "../made"),
        ("aside", ".."),
        ("aside", "a\0.old"),
        ("artifact", {"path": "../made"}),
        ("artifact", None),
    ],
    ids=str,
)
def test_a_hostile_list_reaches_nothing_outside(
    tmp_path: Path, pending: dict[str, Any], key: str, value: object
) -> None:
    """Nothing is moved or removed for it."""
    out = tmp_path / "out"
    (out / "link.tmp").symlink_to(tmp_path / "made")
    pending["pending"][key] = {**pending["pending"]["artifact"], **value} if isinstance(value, dict) else value
    (out / "artifacts.json").write_text(json.dumps(pending))
    with pytest.raises(ArtifactError, match=r"artifacts\.json is damaged"):
        tasks.read_artifacts(out)
    assert (tmp_path / "made" / "x.txt").read_text() == "new"
    assert (out / ".a.1.tmp" / "a.txt").exists()
