"""Changes that die at any point: the next call says what happened, and everything is as it was."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aimm.environment import _journal, recover
from aimm.environment._installers import Uv
from aimm.errors import InstallerError
from environments import make_wheel
from places import Place, entry_points


class Death(BaseException):
    """Stands for the end of the process: nothing of ours runs after it."""


def dies_in(monkeypatch: pytest.MonkeyPatch, place: Place, point: str, action: Callable[[], None]) -> None:
    """Make a change that dies at some point, and leaves whatever is there by then."""

    def dies(method: str) -> Callable[..., None]:
        original = getattr(Uv, method)

        def run(self: Uv, *arguments: object) -> None:
            before = {path for path in place.site.rglob("*") if path.is_file()}
            if point != "begun":
                original(self, *arguments)
            if point == "half":
                for path in sorted({path for path in place.site.rglob("*") if path.is_file()} - before)[::2]:
                    path.unlink()
            if point != "written":
                raise Death

        return run

    write_ledger = _journal.write_ledger

    def writes_and_dies(ledger: object) -> None:
        write_ledger(ledger)  # type: ignore[arg-type]
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(Uv, "install", dies("install"))
        patch.setattr(Uv, "uninstall", dies("uninstall"))
        patch.setattr(_journal, "write_ledger", writes_and_dies)
        patch.setattr(_journal, "undo", lambda: None)
        with pytest.raises(Death):
            action()


POINTS = ["begun", "half", "done", "written"]


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("point", POINTS)
def test_an_installation_dies(place: Place, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """Before, in the middle, after the installer, and when the ledger is written: a replaced library is back too."""
    place.install("lib-one==1.0")
    before = place.content()
    dies_in(monkeypatch, place, point, lambda: place.install("acme-a", gpu=True))
    recovery = recover()
    assert recovery is not None
    assert recovery.describe().startswith("'install acme-a' of ")
    assert ("removed again: acme-a 1.0" in recovery.describe()) == (point != "begun")
    assert ("put back: lib-one 1.0" in recovery.describe()) == (point != "begun")
    assert place.content() == before
    assert recover() is None


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("point", [point for point in POINTS if point != "half"])
def test_an_uninstallation_dies(place: Place, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """What had gone comes back from copies."""
    place.install("acme-a")
    before = place.content()
    dies_in(monkeypatch, place, point, lambda: place.uninstall("acme-a"))
    recovery = recover()
    assert recovery is not None
    assert ("put back: acme-a 1.0, lib-one 2.0, lib-two 1.0" in recovery.describe()) == (point != "begun")
    assert place.content() == before


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("change", ["install", "uninstall"])
def test_a_change_that_cannot_even_begin(place: Place, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """No space for its journal: the error says that nothing was changed, and nothing of it stays."""
    place.install("acme-a")
    before = place.content()

    def full(path: str, parts: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr(_journal, "write_atomically", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        getattr(place, change)({"install": "acme-b", "uninstall": "acme-a"}[change])
    assert caught.value.__notes__ == ["nothing was changed"]
    assert place.content() == before


def test_packages_that_cannot_be_had_any_more(place: Place, links: Path) -> None:
    """Where they come from is lost between plan and installation: nothing was changed, nothing of it stays."""
    before = place.content()
    with place.plan("acme-a") as plan:
        links.rename(links.with_name("gone"))
        with pytest.raises(InstallerError) as caught:
            plan.apply()
    assert caught.value.__notes__ == ["nothing was changed"]
    assert place.content() == before


@pytest.mark.usefixtures("links")
def test_undoing_dies_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal stays until everything is back, so that the call after that goes on."""
    place.install("acme-a")
    before = place.content()
    dies_in(monkeypatch, place, "done", lambda: place.uninstall("acme-a"))
    put_back, calls = _journal.put_back, []

    def dies(copies: dict[str, str], folder: str) -> None:
        calls.append(folder)
        if len(calls) == 2:
            raise Death
        put_back(copies, folder)

    with monkeypatch.context() as patch:
        patch.setattr(_journal, "put_back", dies)
        with pytest.raises(Death):
            recover()
    assert place.content() != before
    assert recover() is not None
    assert place.content() == before


@pytest.mark.usefixtures("links")
def test_a_change_that_was_committed_stays(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Death after the journal is gone: there is nothing to undo, and the copies go with the next call."""

    def dies(changes: object) -> None:
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(_journal, "forget_others", dies)
        patch.setattr(_journal, "undo", lambda: None)
        with pytest.raises(Death):
            place.install("acme-b")
    assert recover() is None
    assert not (place.path / "share" / "aimm" / "pending").exists()
    place.uninstall("acme-b")
    assert not (place.path / "share").exists()


@pytest.mark.usefixtures("links")
def test_what_somebody_installed_since_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third version of a distribution is not ours to undo, and is named."""
    place.install("lib-one==1.0")
    dies_in(monkeypatch, place, "begun", lambda: place.install("acme-a"))
    (place.site / "lib_one-1.0.dist-info").rename(place.site / "lib_one-5.0.dist-info")
    metadata = place.site / "lib_one-5.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 5.0"))
    recovery = recover()
    assert recovery is not None
    assert "left alone, because somebody changed it since: lib-one 5.0" in recovery.describe()
    assert recovery.describe_failure().endswith("except lib-one 5.0, which somebody else changed meanwhile")


@pytest.mark.usefixtures("links")
def test_what_installers_set_aside_goes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that begin with a tilde and were not there before are leftovers of a killed installer."""
    (place.site / "~old").mkdir()
    dies_in(monkeypatch, place, "begun", lambda: place.install("acme-b"))
    (place.site / "~cme_b-1.0.dist-info").mkdir()
    (place.path / "bin" / "~cme-b").touch()
    recover()
    assert [path.name for path in place.path.rglob("~*")] == ["~old"]


@pytest.mark.usefixtures("links")
def test_files_that_two_own_stay_with_the_other(place: Place, links: Path) -> None:
    """A module that two distributions bring is there as long as one of them is."""
    for name in ("acme-c", "acme-d"):
        make_wheel(links, name, entry_points=entry_points(name), modules={"shared_module": "x = 1"})
    place.install("acme-c", "acme-d")
    place.uninstall("acme-c")
    assert (place.site / "shared_module.py").read_text() == "x = 1"
