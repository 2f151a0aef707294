"""What is refused, with a message that says what to do; nothing is changed."""

import shutil
import sys
from pathlib import Path

import pytest

from aimm.environment import UninstallPlan, UninstallRequest, recover, restore_request, verify
from aimm.environment._installers import find_installer
from aimm.environment._place import check_writable, locked
from aimm.environment._process import run_installer
from aimm.errors import (
    EnvironmentBusyError,
    HostConflictError,
    InstallerError,
    LedgerError,
    PluginEnvironmentError,
    RequirementsFileError,
)
from environments import make_wheel
from places import Place, entry_points
from terminal import run


def test_the_extra_is_missing() -> None:
    """Without ``packaging`` the import says which extra to install."""
    source = "import sys; sys.modules['packaging'] = None; import aimm.environment"
    done = run(sys.executable, "-c", source)
    assert done.code == 1
    assert 'needs packaging, which is not installed: pip install "aimm-plugins[environment]"' in done.err


@pytest.mark.usefixtures("links")
class TestInstall:
    """Planning and making installations."""

    def test_nothing_is_asked_for(self, place: Place) -> None:
        """An empty request."""
        with pytest.raises(PluginEnvironmentError, match="nothing to install: name a plugin, or a folder of plugins"):
            place.plan()

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("acme a!", r"'acme a!' is neither a requirement such as 'acme-forest>=1.0' nor a file, folder or URL"),
            (
                "./empty",
                r"\./empty: neither pyproject.toml nor setup.py is in this folder; --from \./empty looks below",
            ),
            (
                "https://example.invalid/x.zip",
                r"uv makes no wheel of 'https://example.invalid/x.zip': use --installer pip, or get the",
            ),
        ],
    )
    def test_a_specification_that_cannot_be_understood(self, place: Place, spec: str, message: str) -> None:
        """The message names it and what was expected."""
        Path("empty").mkdir()
        with pytest.raises(PluginEnvironmentError, match=message):
            place.plan(spec)

    def test_the_host_would_change(self, place: Place) -> None:
        """Both versions, and who wants the other one; nothing was changed."""
        before = place.content()
        with pytest.raises(HostConflictError, match=r"click 8[\d.]+ -> 99.0: .*; aimm-plugins runs on 8") as caught:
            place.plan("acme-bad")
        assert len(caught.value.changes) == 1
        assert place.content() == before

    def test_requirements_that_contradict_each_other(self, place: Place, links: Path) -> None:
        """This has nothing to do with the host, and what the installer says is shown."""
        make_wheel(links, "acme-odd", entry_points=entry_points("acme-odd"), requires=["lib-one==1.0", "lib-one==2.0"])
        with pytest.raises(InstallerError, match="the requirements contradict each other, as it says below") as caught:
            place.plan("acme-odd")
        assert Path(caught.value.log).read_text().startswith("$ ")
        Path(caught.value.log).unlink()

    def test_the_environment_was_changed_since(self, place: Place) -> None:
        """A plan holds for what it was made for."""
        with place.plan("acme-b") as plan:
            place.add("other")
            with pytest.raises(PluginEnvironmentError, match="changed since the plan was made; nothing was done"):
                plan.apply()

    def test_the_environment_cannot_be_written(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is named before anything begins, with the way out."""
        monkeypatch.setattr(sys, "prefix", str(place.path / "nowhere"))
        with pytest.raises(PluginEnvironmentError, match=r"nowhere cannot be written: make a virtual environment with"):
            check_writable()

    def test_the_installer_installed_something_else(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """What it did is compared with the plan, and undone if it differs."""
        place.install("lib-one==1.0")
        before = place.content()
        with place.plan("acme-b") as plan:
            monkeypatch.setattr("aimm.environment._installers.Uv.install", lambda *arguments: None)
            with pytest.raises(
                PluginEnvironmentError, match=r"acme-b 1\.0 should be installed now, but nothing is"
            ) as told:
                plan.apply()
        assert told.value.__notes__ == ["the environment was put back as it was before"]
        assert place.content() == before


def old_project(folder: Path) -> Path:
    """A project in the layout with requirements.in, without a GPU variant."""
    folder.mkdir()
    (folder / "setup.py").write_text("setup(name='acme_old', entry_points='[aimm.models]\\nold=acme_old:Model')")
    (folder / "requirements.in").write_text("lib-gpu\n")
    return folder


@pytest.mark.usefixtures("links")
class TestFolders:
    """Folders of plugin projects."""

    @pytest.mark.parametrize(
        ("folder", "message"),
        [
            ("nowhere", "nowhere: there is no such folder"),
            ("empty", "empty: no plugin project in it or directly below it: a folder with pyproject.toml or setup.py"),
            ("plain", "plain declare no entry point of aimm"),
        ],
    )
    def test_no_plugin_in_it(self, place: Place, folder: str, message: str) -> None:
        """The folder, and what was looked for."""
        Path("empty").mkdir()
        Path("plain").mkdir()
        Path("plain", "pyproject.toml").write_text("[project]\nname = 'plain'\n")
        with pytest.raises(PluginEnvironmentError, match=message):
            place.plan(folder=folder)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, r"requirements-gpu\.in: is not there; --gpu and its absence choose between the two files"),
            ({"lock": True}, r"requirements-gpu\.in: is not there; --lock makes the lock file from it"),
        ],
        ids=["install", "lock"],
    )
    def test_a_variant_is_missing(
        self, place: Place, links: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, bool], message: str
    ) -> None:
        """--gpu needs requirements-gpu.in."""
        wheel = make_wheel(links, "acme-old", "0.1", entry_points=entry_points("acme-old"))
        monkeypatch.setattr("aimm.environment._installers.Uv.build", lambda *arguments: str(wheel))
        with pytest.raises(RequirementsFileError, match=message):
            place.plan(f"./{old_project(Path('acme_old'))}", gpu=True, **options)


@pytest.mark.usefixtures("links")
class TestUninstall:
    """Planning and making uninstallations."""

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("acme-bb", r"no plugin distribution is called 'acme-bb'; did you mean 'acme-b'\?"),
            ("zzz", r"no plugin distribution is called 'zzz'; installed: acme-b"),
            ("aimm_plugins", r"aimm-plugins is the host, not a plugin: 'pip uninstall aimm-plugins' removes it"),
            ("lib-one", r"lib-one is no plugin: 'pip uninstall lib-one' is the command for it"),
            ("click", r"click does not belong to .*venv: 'pip uninstall click' is the command for it"),
        ],
    )
    def test_a_name_that_is_no_plugin(self, place: Place, name: str, message: str) -> None:
        """What it is instead, and what to do."""
        place.install("acme-b")
        with pytest.raises(PluginEnvironmentError, match=message):
            place.uninstall(name)

    def test_the_environment_was_changed_since(self, place: Place) -> None:
        """A plan holds for what it was made for; nothing goes."""
        place.install("acme-b")
        plan = UninstallPlan(UninstallRequest(("acme-b",), installer="uv"))
        place.add("other")
        before = place.content()
        with pytest.raises(PluginEnvironmentError, match="changed since the plan was made; nothing was done"):
            plan.apply()
        assert place.content() == before

    def test_the_installer_left_it_there(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """What it did is compared with the plan, and undone if it differs."""
        place.install("acme-b")
        before = place.content()
        monkeypatch.setattr("aimm.environment._installers.Uv.uninstall", lambda *arguments: None)
        with pytest.raises(PluginEnvironmentError, match=r"acme-b should be gone now, but 1\.0 is there"):
            place.uninstall("acme-b")
        assert place.content() == before

    def test_the_copy_of_what_was_replaced_is_gone(self, place: Place) -> None:
        """The newer version stays, and the plan says so and how to get the old one."""
        place.uv("install", "lib-one==1.0")
        place.install("acme-a")
        shutil.rmtree(place.path / "share" / "aimm" / "kept")
        found = UninstallPlan(UninstallRequest(("acme-a",), installer="uv"))
        assert found.restore == ()
        assert found.remarks == (
            "lib-one stays at 2.0: the copy of 1.0, which was there before, is gone; "
            "'pip install lib-one==1.0' brings it back",
        )


class TestRecords:
    """Ledger, journal, and the lock."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "the ledger of installed plugins cannot be read (JSONDecodeError"),
            ('{"version": 9}', "it has version 9, this aimm reads version 1"),
            ('{"version": 1}', "cannot be read (KeyError: 'plugins')"),
            ("[]", "cannot be read (TypeError"),
        ],
        ids=["no-json", "newer", "incomplete", "list"],
    )
    def test_a_damaged_ledger(self, place: Place, text: str, message: str) -> None:
        """Uninstall refuses with the file and the way out; verify shows it as a deviation."""
        ledger = place.path / "share" / "aimm" / "ledger.json"
        ledger.parent.mkdir(parents=True)
        ledger.write_text(text)
        with pytest.raises(LedgerError) as caught:
            place.uninstall("acme-a")
        assert str(caught.value).startswith(str(ledger))
        assert message in str(caught.value)
        assert "move it away" in str(caught.value)
        assert "ledger" in [deviation.name for deviation in verify()]

    @pytest.mark.parametrize(
        ("text", "message"), [("{", "JSONDecodeError"), ('{"version": 9}', "this aimm reads version 1")], ids=["a", "b"]
    )
    def test_a_damaged_journal(self, place: Place, text: str, message: str) -> None:
        """It is said which file that is, how to look what is there, and nothing is done."""
        journal = place.path / "share" / "aimm" / "pending" / "journal.json"
        journal.parent.mkdir(parents=True)
        journal.write_text(text)
        with pytest.raises(
            LedgerError, match="'pip list' and 'aimm plugins verify', then remove that folder"
        ) as caught:
            recover()
        assert str(journal) in str(caught.value)
        assert message in str(caught.value)

    @pytest.mark.usefixtures("place")
    def test_another_process_is_at_it(self) -> None:
        """Whoever waits in vain is told so; when the lock is free, the work goes on."""
        with locked(), pytest.raises(EnvironmentBusyError, match=r"been changing .*venv for 0 seconds; try again"):
            locked(wait=0).__enter__()
        with locked(wait=0):
            pass


class TestInstallers:
    """pip and uv."""

    @pytest.mark.parametrize(
        ("name", "message"),
        [("auto", "neither pip nor uv is there for"), ("pip", "pip is not there for"), ("uv", "uv is not there for")],
    )
    def test_none_is_there(self, name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is missing, and the command that brings it."""
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(PluginEnvironmentError, match=f"{message}.*-m ensurepip' installs pip"):
            find_installer(name)

    @pytest.mark.parametrize(
        ("text", "advice"),
        [
            ("ERROR: ResolutionImpossible: for help", "the requirements contradict each other"),
            ("OSError: [Errno 28] No space left on device", "the disk is full: make room and try again"),
            ("error: externally-managed-environment", "belongs to the operating system: make a virtual environment"),
            ("Connection refused", "the package index cannot be reached: check the network, or use --find-links"),
            ("THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that the lock file names; --lock makes a new one"),
            ("No matching distribution found for x", "no package of that name and version can be had"),
            ("[Errno 13] Permission denied: '/x'", "cannot be written: see who owns it"),
            ("what else", "see below what it says"),
        ],
        ids=["conflict", "disk", "system", "network", "digest", "unknown", "rights", "other"],
    )
    def test_what_went_wrong_is_said(self, text: str, advice: str) -> None:
        """The advice, the exit code, the last lines, and the log with all of it."""
        command = [sys.executable, "-c", f"print({text!r}); raise SystemExit(3)"]
        with pytest.raises(InstallerError, match="fetching failed: pip ended with exit code 3; ") as caught:
            run_installer(command, "fetching", "pip")
        assert advice in str(caught.value)
        assert caught.value.tail == (text,)
        assert text in Path(caught.value.log).read_text()
        Path(caught.value.log).unlink()

    def test_without_room_for_a_log(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a full disk the error comes all the same."""

        def full(*arguments: object, **options: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("tempfile.mkstemp", full)
        with pytest.raises(InstallerError, match=r"no file, because none could be written: .*No space left"):
            run_installer([sys.executable, "-c", "raise SystemExit(1)"], "fetching", "pip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("six==1.0\n", r"was not written by 'aimm plugins freeze': its first line does not begin with '# plugins"),
        ("# plugins of aimm, version 1 (x)\nacme ==\n", r"file\.txt, line 2: 'acme ==' is no requirement such as"),
        (b"\xff", "cannot be read"),
        (None, "cannot be read: No such file or directory"),
    ],
    ids=["other", "line", "bytes", "missing"],
)
def test_a_file_that_freeze_did_not_write(tmp_path: Path, text: str | bytes | None, message: str) -> None:
    """The file, the line, and what was expected."""
    file = tmp_path / "file.txt"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RequirementsFileError, match=message):
        restore_request(str(file))
