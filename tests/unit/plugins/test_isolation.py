import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aimm import plugins
from aimm.plugins._isolation import side_effects
from support import FakeSite

STATE: dict[str, tuple[str, Callable[[], Any], str]] = {
    "cwd": ("import os; os.chdir('/')", os.getcwd, "the working directory"),
    "signals": (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        lambda: signal.getsignal(signal.SIGTERM),
        "signal handlers",
    ),
    "umask": ("import os; os.umask(0o077)", lambda: _umask(), "the umask"),
    "stdout": (
        "import io, sys; sys.stdout = io.StringIO(); sys.stderr = None",
        lambda: (sys.stdout, sys.stderr),
        "sys.stdout, stderr or stdin",
    ),
    "excepthook": ("import sys; sys.excepthook = print", lambda: sys.excepthook, "sys.excepthook"),
    "recursion": (
        "import sys; sys.setrecursionlimit(sys.getrecursionlimit() + 7)",
        sys.getrecursionlimit,
        "the recursion limit",
    ),
}
if not os.path.exists("/proc/self/status"):
    del STATE["umask"]  # elsewhere it could only be read by setting it
REPORTED = {
    "sys.path": "import sys; sys.path.append('/added')",
    "the root logger": "import logging; logging.basicConfig(force=True)",
    "warning filters": "import warnings; warnings.simplefilter('ignore')",
}


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def changes_of(code: str) -> list[str]:
    changes: list[str] = []
    with side_effects(changes):
        exec(code, {})
    return changes


@pytest.fixture(autouse=True)
def _process_state() -> Iterator[None]:
    handler, mask = signal.getsignal(signal.SIGTERM), _umask()
    with warnings.catch_warnings():
        yield
    signal.signal(signal.SIGTERM, handler)
    os.umask(mask)


@pytest.mark.parametrize(("code", "read", "label"), STATE.values(), ids=STATE)
def test_what_belongs_to_the_host_is_put_back_and_reported(code: str, read: Callable[[], Any], label: str) -> None:
    """Working directory, signals, umask, streams, exception hook, recursion limit."""
    before = read()
    assert changes_of(code) == [f"changed {label} (put back)"]
    assert read() == before


@pytest.mark.parametrize(("code", "read", "label"), STATE.values(), ids=STATE)
def test_it_is_put_back_when_the_plugin_fails_too(code: str, read: Callable[[], Any], label: str) -> None:
    """Whatever it raises, Ctrl-C included."""
    before, changes = read(), list[str]()
    with pytest.raises(KeyboardInterrupt), side_effects(changes):
        exec(f"{code}\nraise KeyboardInterrupt", {})
    assert read() == before
    assert changes == [f"changed {label} (put back)"]


@pytest.mark.parametrize(("label", "code"), REPORTED.items(), ids=REPORTED)
def test_what_late_imports_may_need_is_only_reported(label: str, code: str) -> None:
    """The search path, log handlers and warning filters stay as the plugin left them."""
    assert changes_of(code) == [f"changed {label} (left as it is)"]
    assert changes_of("pass") == []


def test_the_search_path_is_left_as_the_plugin_wants_it() -> None:
    """Otherwise its own late imports would fail."""
    changes_of(REPORTED["sys.path"])
    assert sys.path[-1] == "/added"


def test_a_level_of_the_root_logger_is_noticed() -> None:
    """As well as a handler that takes the place of another."""
    assert changes_of("import logging; logging.getLogger().setLevel(7)") == ["changed the root logger (left as it is)"]
    logging.getLogger().addHandler(logging.NullHandler())
    code = "import logging; logging.getLogger().handlers[-1] = logging.NullHandler()"
    assert changes_of(code) == ["changed the root logger (left as it is)"]


def test_a_well_behaved_import_is_reported_clean() -> None:
    """Also one that is the first to import logging, signal and warnings."""
    code = """if True:
        import sys
        from aimm.plugins._isolation import side_effects
        assert "logging" not in sys.modules
        changes = []
        with side_effects(changes):
            import logging, warnings, signal, threading, asyncio
        print(changes)
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_several_changes_are_all_reported() -> None:
    """One line for each."""
    assert len(changes_of("\n".join(code for code, _, _ in STATE.values()))) == len(STATE)


def test_what_cannot_be_put_back_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is gone; the rest is put back all the same."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    hook = sys.excepthook
    (cwd, other) = changes_of(f"import os, sys; os.chdir('/'); os.rmdir({str(gone)!r}); sys.excepthook = print")
    assert cwd.startswith("changed the working directory (it could not be put back: ")
    assert other == "changed sys.excepthook (put back)"
    assert sys.excepthook is hook


def test_a_working_directory_that_was_gone_before_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to go back to."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert changes_of("pass") == []
    assert "could not be put back" in changes_of("import os; os.chdir('/')")[0]


def test_other_threads_can_load_plugins_too() -> None:
    """Only the main thread may set signal handlers; nothing was changed, so nothing is set."""
    results: list[list[str]] = []
    thread = threading.Thread(target=lambda: results.append(changes_of(STATE["excepthook"][0])))
    thread.start()
    thread.join()
    assert results == [["changed sys.excepthook (put back)"]]


class Unequal:
    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = None  # type: ignore[assignment]

    def write(self, text: str) -> None: ...


def test_a_streams_idea_of_equality_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only identity counts."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", Unequal())
        assert changes_of("pass") == []
        changes = changes_of("import sys; sys.stdin = type(sys.stdin)()")
    assert changes == ["changed sys.stdout, stderr or stdin (put back)"]


@pytest.mark.parametrize("ending", ["", "\nraise ValueError"])
def test_the_report_names_the_plugin(site: FakeSite, manager: plugins.PluginManager, ending: str) -> None:
    """Whether it loaded or failed; the host's state is as before."""
    code = f"from aimm import plugins\nplugins.fit(['m'])(lambda i: i)\n{STATE['cwd'][0]}{ending}"
    site.add("d", entry_points={"aimm.plugins": {"changer": "changer_mod"}}, modules={"changer_mod": code})
    before = os.getcwd()
    assert manager.initialize().side_effects == ("changer: changed the working directory (put back)",)
    assert os.getcwd() == before
