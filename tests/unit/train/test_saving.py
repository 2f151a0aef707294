"""A run is saved whole or not at all, locally and remotely, and what went wrong is told."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from aimm.errors import MissingExtraError, OutputError, RunExistsError, RunNotFoundError, SaveError, TrainError
from aimm.train import TrainOutput, list_runs, read_run
from aimm.train._outputs import OutputFile, collect
from aimm.train._runs import FORMAT, FORMAT_VERSION
from aimm.train._saving import check_free, place_of, save

RECORD = {"format": FORMAT, "format_version": FORMAT_VERSION, "started": "2026", "files": []}


@pytest.fixture
def files(tmp_path: Path) -> list[OutputFile]:
    """A model of three bytes and a log in a folder."""
    work = tmp_path / "work"
    (work / "logs").mkdir(parents=True)
    (work / "model.bin").write_bytes(b"abc")
    (work / "logs" / "a.txt").write_bytes(b"0123456789")
    return collect(TrainOutput(work / "model.bin", [work / "logs"]), work)


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """The file system of fsspec that is only in memory, empty."""
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]
    yield filesystem
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]


def saved(place: str, files: list[OutputFile], overwrite: bool = False, **more: Any) -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = []
    save(place_of(place), files, {**RECORD, **more}, overwrite, states.append)
    return states


class TestOutputs:
    """What a command may return."""

    def test_files_keep_their_place_in_the_work_folder(self, files: list[OutputFile]) -> None:
        """Role, name and size of each."""
        assert [(f.role, f.name, f.size) for f in files] == [("model", "model.bin", 3), ("extra", "logs/a.txt", 10)]

    def test_files_from_elsewhere_keep_their_name(self, tmp_path: Path) -> None:
        """A folder keeps its inner structure."""
        (tmp_path / "far" / "deep").mkdir(parents=True)
        (tmp_path / "far" / "deep" / "x").touch()
        assert [f.name for f in collect(TrainOutput(extra_files=[tmp_path / "far"]), None)] == ["far/deep/x"]

    def test_a_file_named_twice_is_one(self, tmp_path: Path) -> None:
        """The model may be among the extra files."""
        (tmp_path / "m").touch()
        assert len(collect(TrainOutput(tmp_path / "m", [tmp_path / "m"]), None)) == 1

    def test_a_missing_file_is_refused(self, tmp_path: Path) -> None:
        """It is named."""
        with pytest.raises(OutputError, match=r"gone' of the training command does not exist"):
            collect(TrainOutput(tmp_path / "gone"), None)

    def test_two_files_of_one_name_are_refused(self, tmp_path: Path) -> None:
        """Both are named."""
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "m").touch()
        with pytest.raises(OutputError, match=r"b/m' .* would be saved as 'm', as '.*a/m' is"):
            collect(TrainOutput(tmp_path / "a" / "m", [tmp_path / "b" / "m"]), None)

    def test_our_name_is_refused(self, tmp_path: Path) -> None:
        """A run has one metadata.json."""
        (tmp_path / "metadata.json").touch()
        with pytest.raises(OutputError, match="as the description of each run is"):
            collect(TrainOutput(tmp_path / "metadata.json"), None)

    def test_what_is_no_file_is_refused(self, tmp_path: Path) -> None:
        """A pipe would block, a link to a folder could lead in circles."""
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OutputError, match="neither a file nor a folder"):
            collect(TrainOutput(tmp_path / "pipe"), None)
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "loop").symlink_to(tmp_path)
        with pytest.raises(OutputError, match="is a link to a folder"):
            collect(TrainOutput(tmp_path / "folder"), None)

    def test_text_is_no_list_of_paths(self) -> None:
        """It would be taken letter by letter."""
        with pytest.raises(TypeError, match=r"extra_files is a list of paths, not the text 'log.txt'"):
            TrainOutput(extra_files="log.txt")


class TestLocal:
    """On a local disk the run appears with one rename."""

    def test_everything_is_there(self, files: list[OutputFile], tmp_path: Path) -> None:
        """Files, metadata, and nothing beside; states tell how far it is."""
        states = saved("runs/one", files)
        assert (tmp_path / "runs" / "one" / "logs" / "a.txt").read_bytes() == b"0123456789"
        assert read_run("runs/one")["path"] == str(tmp_path / "runs" / "one")
        assert os.listdir("runs") == ["one"]
        assert [state["progress"] for state in states] == [pytest.approx(n / 3) for n in (1, 2, 3)]

    def test_an_empty_folder_is_free(self, files: list[OutputFile]) -> None:
        """It is replaced."""
        Path("runs/one").mkdir(parents=True)
        saved("runs/one", files)
        assert read_run("runs/one")

    def test_a_file_url_is_local(self, files: list[OutputFile], tmp_path: Path) -> None:
        """``file://`` goes the same way."""
        saved(f"file://{tmp_path}/one", files)
        assert read_run("one")

    def test_a_run_is_replaced_only_if_asked(self, files: list[OutputFile]) -> None:
        """Without overwriting it stays; with it, nothing of it is left."""
        saved("one", files)
        with pytest.raises(RunExistsError, match=r"a finished run stands at .*--overwrite"):
            saved("one", [], mark=1)
        saved("one", [], overwrite=True, mark=1)
        assert os.listdir("one") == ["metadata.json"]
        assert not [name for name in os.listdir() if name.startswith(".")]

    @pytest.mark.parametrize("make", [lambda p: p.write_text("x"), lambda p: (p.mkdir(), (p / "x").touch())])
    def test_something_else_is_never_replaced(self, make: Any, tmp_path: Path) -> None:
        """Neither a file nor a folder with files."""
        make(tmp_path / "one")
        with pytest.raises(RunExistsError, match="holds something else than a finished run"):
            check_free(place_of("one"), overwrite=True)

    def test_a_place_that_takes_nothing_is_found_out_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before hours are spent on a run: a file in the way, or a folder that may not be written to."""
        (tmp_path / "file").touch()
        with pytest.raises(TrainError, match=r"one cannot be reached: NotADirectoryError: .*file is no folder"):
            check_free(place_of("file/deep/one"), overwrite=False)
        monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
        with pytest.raises(TrainError, match=r"one cannot be reached: PermissionError: .* may not be written to"):
            check_free(place_of("deep/one"), overwrite=False)

    def test_a_disk_without_space(self, tmp_path: Path) -> None:
        """A real limit stops the copy: the message says so, nothing is visible, the files are where they were."""
        script = """
            import resource, signal, sys
            from pathlib import Path
            from aimm.errors import SaveError
            from aimm.train import TrainOutput
            from aimm.train._outputs import collect
            from aimm.train._saving import place_of, save
            Path("work").mkdir()
            Path("work/a.bin").write_bytes(b"a" * 10)
            Path("work/big.bin").write_bytes(b"b" * 300_000)
            files = collect(TrainOutput("work/a.bin", ["work/big.bin"]), Path("work"))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
            try:
                save(place_of("runs/one"), files, {}, False, lambda state: None)
            except SaveError as error:
                print(error)
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        assert "File too large (1 of 3 files were written). It is not visible there." in done.stdout
        assert "work/big.bin" in done.stdout
        assert os.listdir(tmp_path / "runs") == []
        assert (tmp_path / "work" / "big.bin").stat().st_size == 300_000

    @pytest.mark.skipif(sys.platform != "linux", reason="needs a disk of its own")
    def test_a_disk_that_is_full(self, tmp_path: Path) -> None:
        """A disk of 100 kB, which a finished run has for itself: replacing it fails, and leaves it as it was."""
        script = """
            import os
            from pathlib import Path
            from aimm.errors import SaveError
            from aimm.train import TrainOutput, read_run
            from aimm.train._outputs import collect
            from aimm.train._runs import FORMAT, FORMAT_VERSION
            from aimm.train._saving import place_of, save
            Path("big.bin").write_bytes(b"b" * 300_000)
            record = {"format": FORMAT, "format_version": FORMAT_VERSION}
            save(place_of("disk/one"), [], record | {"mark": "old"}, False, lambda state: None)
            try:
                save(place_of("disk/one"), collect(TrainOutput("big.bin"), None), record, True, lambda state: None)
            except SaveError as error:
                print(error, read_run("disk/one")["mark"], os.listdir("disk"))
        """
        (tmp_path / "disk").mkdir()
        mounted = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=100k none disk && exec "$0" "$@"')
        if subprocess.run([*mounted, "true"], capture_output=True, check=False, cwd=tmp_path).returncode:
            pytest.skip("this user may not mount a disk")
        command = [*mounted, sys.executable, "-c", textwrap.dedent(script)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        assert "No space left on device (0 of 2 files were written). It is not visible there." in done.stdout
        assert done.stdout.endswith("\nthe run that stood there is as it was old ['one']\n")

    def test_a_failed_swap_puts_the_old_run_back(
        self, files: list[OutputFile], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """If the new run cannot be put in place, the old one is still there."""
        saved("one", files, mark="old")
        rename, seen = os.rename, []

        def failing(source: str, target: str) -> None:
            seen.append(target)
            if len(seen) == 2:
                raise OSError(5, "Input/output error")
            rename(source, target)

        monkeypatch.setattr(os, "rename", failing)
        with pytest.raises(SaveError, match="Input/output error"):
            saved("one", files, overwrite=True, mark="new")
        assert read_run("one")["mark"] == "old"
        assert sorted(os.listdir()) == ["one", "work"]

    def test_a_run_that_came_first_stays(self, files: list[OutputFile]) -> None:
        """Another process that finishes at the same place meanwhile is not overwritten either."""

        def be_faster(state: dict[str, Any]) -> None:
            if not Path("one").exists():
                saved("one", [], mark="faster")

        with pytest.raises(RunExistsError, match="a finished run stands at"):
            save(place_of("one"), files, RECORD, False, be_faster)
        assert read_run("one")["mark"] == "faster"
        assert sorted(os.listdir()) == ["one", "work"]

    def test_a_killed_process_leaves_no_run(self, tmp_path: Path) -> None:
        """SIGKILL between two files: the place is empty, and listing finds nothing."""
        script = """
            import os, signal
            from pathlib import Path
            from aimm.train import TrainOutput
            from aimm.train._outputs import collect
            from aimm.train._saving import place_of, save
            for name in "ab":
                Path(name).write_text(name)
            files = collect(TrainOutput("a", ["b"]), None)
            save(place_of("runs/one"), files, {}, False, lambda state: os.kill(os.getpid(), signal.SIGKILL))
        """
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, cwd=tmp_path)
        assert done.returncode == -signal.SIGKILL
        assert not (tmp_path / "runs" / "one").exists()
        assert list_runs(str(tmp_path / "runs")) == []

    def test_runs_are_listed_newest_first(self, files: list[OutputFile]) -> None:
        """By the time at which they began."""
        saved("runs/a", [], started="2025")
        saved("runs/deep/b", [], started="2026")
        assert [Path(run["path"]).name for run in list_runs("runs")] == ["b", "a"]


class TestRemote:
    """Elsewhere metadata.json, written last, makes the run."""

    def test_everything_is_there(self, files: list[OutputFile], memory: MemoryFileSystem) -> None:
        """Files and metadata, and no trace of the upload."""
        saved("memory://bucket/one", files)
        assert memory.cat_file("/bucket/one/logs/a.txt") == b"0123456789"
        assert read_run("memory://bucket/one")["format"] == FORMAT
        assert [run["path"] for run in list_runs("memory://bucket")] == ["memory://bucket/one"]
        assert [name for name in memory.find("/bucket") if ".incoming" in name] == []

    def test_a_run_is_replaced_only_if_asked(self, files: list[OutputFile], memory: MemoryFileSystem) -> None:
        """Without overwriting it stays; with it, nothing of it is left."""
        saved("memory://bucket/one", files)
        with pytest.raises(RunExistsError):
            saved("memory://bucket/one", files)
        saved("memory://bucket/one", files[:1], overwrite=True)
        assert sorted(memory.find("/bucket")) == ["/bucket/one/metadata.json", "/bucket/one/model.bin"]

    def test_something_else_is_never_replaced(self, memory: MemoryFileSystem) -> None:
        """A prefix with other objects is not ours."""
        memory.pipe_file("/bucket/one/thesis.txt", b"x")
        with pytest.raises(RunExistsError, match="holds something else"):
            check_free(place_of("memory://bucket/one"), overwrite=True)

    @pytest.mark.parametrize("for_good", [False, True])
    @pytest.mark.parametrize("step", range(1, 6))
    def test_a_lost_connection_at_any_step_leaves_no_run(
        self,
        step: int,
        for_good: bool,
        files: list[OutputFile],
        memory: MemoryFileSystem,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Uploads, copies and the last file: until that one is written there is no run, and the next try succeeds.

        If the connection comes back in time, what was uploaded is removed; if not, it is in nobody's way.
        """
        calls = iter(range(1, 100))

        def broken(original: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                if next(calls) >= step:
                    raise ConnectionResetError("Connection lost")
                return original(*args, **kwargs)

            return call

        with monkeypatch.context() as broken_wire:
            for name in ("put_file", "cp_file", "pipe_file", *(("rm", "rm_file") if for_good else ())):
                broken_wire.setattr(memory, name, broken(getattr(memory, name)))
            with pytest.raises(SaveError, match="Connection lost") as caught:
                saved("memory://bucket/one", files)
        assert caught.value.kept == tuple(str(file.source) for file in files)
        assert list_runs("memory://bucket") == []
        with pytest.raises(RunNotFoundError, match="no finished run here"):
            read_run("memory://bucket/one")
        if not for_good:
            assert memory.find("/bucket") == []
        saved("memory://bucket/one", files[:1])
        assert [name for name in memory.find("/bucket/one") if ".incoming-" not in name] == [
            "/bucket/one/metadata.json",
            "/bucket/one/model.bin",
        ]

    def test_what_cannot_be_removed_is_told(
        self, files: list[OutputFile], memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The left-over has a name, is never read, and does not block the next try."""

        def lost(*args: Any, **kwargs: Any) -> None:
            raise ConnectionResetError("Connection lost")

        with monkeypatch.context() as broken:
            broken.setattr(memory, "cp_file", lost)
            broken.setattr(memory, "rm", lost)
            with pytest.raises(SaveError, match=r"left over under memory://bucket/one/\.incoming-\w+"):
                saved("memory://bucket/one", files)
        assert list_runs("memory://bucket") == []
        saved("memory://bucket/one", files)
        assert len(list_runs("memory://bucket")) == 1

    def test_a_run_that_came_first_stays(self, files: list[OutputFile], memory: MemoryFileSystem) -> None:
        """Another process that finishes at the same place meanwhile is not overwritten either."""

        def be_faster(state: dict[str, Any]) -> None:
            memory.pipe_file("/bucket/one/model.bin", b"faster")
            memory.pipe_file("/bucket/one/metadata.json", b"{}")

        with pytest.raises(RunExistsError, match="a finished run stands at"):
            save(place_of("memory://bucket/one"), files, RECORD, False, be_faster)
        assert memory.find("/bucket") == ["/bucket/one/metadata.json", "/bucket/one/model.bin"]
        assert memory.cat_file("/bucket/one/model.bin") == b"faster"

    def test_a_replacement_that_cannot_be_uploaded_leaves_the_old_run(
        self, files: list[OutputFile], memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Until all of the new run is there, nothing of the old one is touched, and the message says so."""
        saved("memory://bucket/one", files, mark="old")
        before = memory.find("/bucket")

        def lost(*args: Any, **kwargs: Any) -> None:
            raise ConnectionResetError("Connection lost")

        monkeypatch.setattr(memory, "put_file", lost)
        with pytest.raises(SaveError, match="the run that stood there is as it was"):
            saved("memory://bucket/one", files, overwrite=True, mark="new")
        assert memory.find("/bucket") == before
        assert read_run("memory://bucket/one")["mark"] == "old"

    def test_a_failed_replacement_says_where_the_new_run_is(
        self, files: list[OutputFile], memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The old one is gone by then; nothing half is visible."""
        saved("memory://bucket/one", files)

        def lost(*args: Any, **kwargs: Any) -> None:
            raise ConnectionResetError("Connection lost")

        monkeypatch.setattr(memory, "cp_file", lost)
        with pytest.raises(SaveError, match=r"the run that stood there is gone; .* memory://bucket/one/\.incoming-"):
            saved("memory://bucket/one", files, overwrite=True)
        assert list_runs("memory://bucket") == []
        monkeypatch.undo()
        saved("memory://bucket/one", files[:1])
        assert [
            file for file in memory.find("/bucket/one") if file.endswith("a.txt") and ".incoming-" not in file
        ] == []

    def test_a_file_that_arrives_short_is_no_run(
        self, files: list[OutputFile], memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The size of what arrived is compared."""
        monkeypatch.setattr(memory, "put_file", lambda source, target: memory.pipe_file(target, b"a"))
        with pytest.raises(SaveError, match=r"model\.bin has 3 bytes, of which 1 arrived"):
            saved("memory://bucket/one", files)

    def test_an_unknown_protocol_is_told(self) -> None:
        """The URL and what fsspec says of it."""
        with pytest.raises(TrainError, match="nonsense://x cannot be reached: Protocol not known: nonsense"):
            place_of("nonsense://x")

    def test_a_missing_extra_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Fsspec itself, or the part for S3: the line to install it."""
        monkeypatch.setitem(sys.modules, "s3fs", None)
        with pytest.raises(MissingExtraError, match=r'pip install "aimm-plugins\[s3\]"'):
            place_of("s3://bucket/x")
        monkeypatch.setitem(sys.modules, "adlfs", None)
        with pytest.raises(TrainError, match="Install adlfs"):
            place_of("abfs://container/x")
        monkeypatch.setitem(sys.modules, "fsspec.core", None)
        with pytest.raises(MissingExtraError, match=r'pip install "aimm-plugins\[remote\]"'):
            place_of("memory://bucket/x")
        with pytest.raises(MissingExtraError, match=r'pip install "aimm-plugins\[s3\]"'):
            place_of("s3://bucket/x")

    def test_a_place_that_cannot_be_read(self, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
        """Reading runs and checking a place tell what was in the way."""

        def lost(*args: Any, **kwargs: Any) -> None:
            raise ConnectionResetError("Connection lost")

        for name in ("find", "exists", "cat_file"):
            monkeypatch.setattr(memory, name, lost)
        for attempt in (list_runs, read_run):
            with pytest.raises(
                TrainError, match="memory://bucket cannot be read: ConnectionResetError: Connection lost"
            ):
                attempt("memory://bucket")
        with pytest.raises(TrainError, match="cannot be reached"):
            check_free(place_of("memory://bucket"), overwrite=False)


def test_the_record_is_json(files: list[OutputFile]) -> None:
    """metadata.json is readable text."""
    saved("one", files, comments="Grüße")
    text = Path("one/metadata.json").read_text("utf-8")
    assert json.loads(text)["comments"] == "Grüße"
    assert "Grüße" in text
