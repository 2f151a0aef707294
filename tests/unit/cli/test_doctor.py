import json
import os
import signal
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from support import FakeSite, model_source
from terminal import AIMM, Cli, run, run_on_terminal

GOOD = model_source("good")


@pytest.fixture
def clinic(site: FakeSite) -> FakeSite:
    """A site with one plugin that works."""
    site.add("good", "1.0", {"aimm.models": {"good": "good_plugin"}}, {"good_plugin": GOOD})
    return site


def examine(aimm: Cli, *options: str | Path) -> tuple[int, dict[str, Any]]:
    done = aimm("plugins", "doctor", "--json", *options)
    found: dict[str, Any] = json.loads(done.out)
    return done.code, found


def without_progress(err: str) -> list[str]:
    """The lines of stderr but those that a slow machine sees."""
    return [line for line in err.splitlines() if not line.startswith("plugins doctor: ")]


@pytest.mark.usefixtures("clinic")
def test_healthy_plugins_are_one_line(aimm: Cli) -> None:
    """Nothing wrong: exit code 0 and a summary."""
    code, out, err = aimm("plugins", "doctor")
    assert (code, out, without_progress(err)) == (0, "1 plugins: 1 ok, 0 broken, 0 conflicts\n", [])


def test_no_plugins_are_no_problem(aimm: Cli) -> None:
    """An empty environment is healthy."""
    assert aimm("plugins", "doctor").code == 0


BROKEN = [
    ("import not_there", "import", "ModuleNotFoundError: No module named 'not_there'", "pip install not_there"),
    ("from math import nothing", "import", "ImportError: cannot import name 'nothing'", "exclude: [broken]"),
    ("def f(:", "import", "SyntaxError", "correct the file"),
    ("raise ValueError('boom')", "import", "ValueError: boom", "exclude: [broken]"),
    ("import sys; sys.exit(3)", "import", "SystemExit: 3", "calls sys.exit() while it is imported"),
    ("raise BaseException('bad')", "import", "BaseException: bad", "exclude: [broken]"),
    ("import os; os._exit(0)", "import", "ended its process with exit code 0", "exclude: [broken]"),
    ("import os; os._exit(7)", "import", "ended its process with exit code 7", "exclude: [broken]"),
    ("import ctypes; ctypes.string_at(0)", "import", "ended its process with signal SIGSEGV", "exclude: [broken]"),
    ("import os; os.kill(os.getpid(), 9)", "import", "ended its process with signal SIGKILL", "exclude: [broken]"),
    ("other = 1", "resolve", "AttributeError", "no such attribute"),
    ("Thing = 42", "check", "expected a class", "exclude: [broken]"),
    ("class Thing:\n    def fit(self): pass", "check", "has no 'predict'", "exclude: [broken]"),
]


@pytest.mark.parametrize(("source", "stage", "cause", "fix"), BROKEN)
def test_a_broken_plugin_is_explained(
    aimm: Cli, clinic: FakeSite, source: str, stage: str, cause: str, fix: str
) -> None:
    """Exit code 1; distribution, version, entry point, cause and fix are named, and the others are still ok."""
    clinic.add("broken", "6.6", {"aimm.models": {"thing": "broken_plugin:Thing"}}, {"broken_plugin": source})
    code, found = examine(aimm)
    assert code == 1
    assert {plugin["name"]: plugin["ok"] for plugin in found["plugins"]} == {"good": True, "thing": False}
    (failure,) = found["failures"]
    assert (failure["stage"], failure["distribution"], failure["version"]) == (stage, "broken", "6.6")
    assert failure["entry_point"] == "[aimm.models] thing = broken_plugin:Thing"
    assert cause in failure["cause"]
    assert fix in failure["hint"]
    assert found["conflicts"] == []


@pytest.mark.usefixtures("clinic")
def test_a_broken_plugin_in_text(aimm: Cli, clinic: FakeSite) -> None:
    """The same for people, with the file to look at."""
    clinic.add("broken", "6.6", {"aimm.models": {"thing": "broken_plugin:Thing"}}, {"broken_plugin": "import nope"})
    code, out, err = aimm("plugins", "doctor")
    assert (code, without_progress(err)) == (1, [])
    assert out.startswith("BROKEN    plugin 'thing' (distribution broken 6.6) failed at stage 'import': ")
    for part in ("entry point: [aimm.models] thing = ", "broken_plugin.py:1", "hint: ", "No module named 'nope'"):
        assert part in out
    assert out.endswith("2 plugins: 1 ok, 1 broken, 0 conflicts\n")
    assert "Traceback" not in out


def test_verbose_shows_the_traceback(aimm: Cli, clinic: FakeSite) -> None:
    """-v is how a hint says to see it."""
    clinic.add("broken", entry_points={"aimm.models": {"t": "broken_plugin:T"}}, modules={"broken_plugin": "1 / 0"})
    assert "'aimm -v plugins doctor' shows the traceback" in aimm("plugins", "doctor").out
    assert "Traceback (most recent call last)" in aimm("-v", "plugins", "doctor").out


def test_verbose_shows_what_a_dead_plugin_wrote(aimm: Cli, clinic: FakeSite) -> None:
    """Last words on stderr are the only trace of a crash."""
    source = "import os\nos.write(2, b'last words')\nos._exit(1)"
    clinic.add("broken", entry_points={"aimm.models": {"t": "broken_plugin:T"}}, modules={"broken_plugin": source})
    assert "last words" in aimm("-v", "plugins", "doctor").out


def test_a_plugin_that_never_finishes(aimm: Cli, clinic: FakeSite) -> None:
    """After --timeout it is a finding like any other."""
    clinic.add("slow", "1.0", {"aimm.models": {"t": "slow_plugin:T"}}, {"slow_plugin": "while True: pass"})
    code, found = examine(aimm, "--timeout", "3")
    assert code == 1
    (failure,) = found["failures"]
    assert failure["cause"] == "it did not finish loading within 3 seconds"
    assert "raise --timeout" in failure["hint"]
    assert found["plugins"][0]["ok"]


LEAVES = """
    import os, subprocess, sys
    held = os.open({fifo!r}, os.O_WRONLY)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[held])
    {more}
"""


@pytest.mark.parametrize("more", ["while True: pass", "", "import os; os._exit(1)"])
def test_what_a_plugin_started_does_not_outlive_the_examination(
    aimm: Cli, clinic: FakeSite, tmp_path: Path, more: str
) -> None:
    """A child that holds the plugin's streams neither keeps the doctor waiting nor stays behind."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    source = LEAVES.format(fifo=str(fifo), more=more) + "\n    T = 42"
    clinic.add("leaver", entry_points={"aimm.models": {"t": "leaver:T"}}, modules={"leaver": source})
    assert aimm("plugins", "doctor", "--timeout", "3").code == 1
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b"", "the end of file comes when the last process that holds the fifo is gone"
    os.close(reader)


def test_threads_of_a_plugin_do_not_keep_the_doctor(aimm: Cli, clinic: FakeSite) -> None:
    """A thread that never ends is no reason to wait."""
    source = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n" + GOOD.replace(
        "good", "other"
    )
    clinic.add("threads", entry_points={"aimm.models": {"other": "threads_plugin"}}, modules={"threads_plugin": source})
    assert aimm("plugins", "doctor").code == 0


REMARKS = [
    ("print('hello')", "prints 6 bytes to stdout while it loads"),
    ("import os; os.write(1, b'hi')", "prints 2 bytes to stdout while it loads"),
    ("import os; os.chdir('/')", "changed the working directory (put back)"),
    ("import os; os.umask(0o70)", "changed the umask (put back)"),
    ("import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN)", "changed signal handlers (put back)"),
    ("import sys; sys.path.append('/x')", "changed sys.path (left as it is)"),
    ("import sys; sys.setrecursionlimit(5000)", "changed the recursion limit (put back)"),
    ("import sys; sys.excepthook = print", "changed sys.excepthook (put back)"),
    ("import sys, io; sys.stdout = io.StringIO()", "changed sys.stdout, stderr or stdin (put back)"),
    ("import logging; logging.basicConfig(level=1)", "changed the root logger (left as it is)"),
    ("import warnings; warnings.simplefilter('ignore')", "changed warning filters (left as it is)"),
]


@pytest.mark.parametrize(("source", "remark"), REMARKS)
def test_side_effects_are_remarks(aimm: Cli, site: FakeSite, source: str, remark: str) -> None:
    """What a plugin does to the process beside declaring is told, and is no failure."""
    module = f"{source}\n{model_source('odd')}"
    site.add("odd", entry_points={"aimm.models": {"odd": "odd_plugin"}}, modules={"odd_plugin": module})
    code, out, _ = aimm("plugins", "doctor")
    assert code == 0
    assert f"REMARK    odd (odd) {remark}\n" in out


def test_unusable_metadata_is_explained(aimm: Cli, clinic: FakeSite) -> None:
    """A malformed entry_points.txt of any distribution: its file and line, and that the others are unaffected."""
    clinic.add("stranger", "9.9", raw_entry_points="[console_scripts]\nthis is nonsense\n")
    code, out, _ = aimm("plugins", "doctor")
    assert code == 1
    for part in ("BROKEN", "stranger", "entry_points.txt", "line 2", "all other distributions are unaffected"):
        assert part in out
    assert out.endswith("1 plugins: 1 ok, 0 broken, 1 other problems, 0 conflicts\n")


def test_a_conflict_is_explained(aimm: Cli, clinic: FakeSite) -> None:
    """Two distributions declare one model type: both are named, and the line that settles it."""
    clinic.add("rival", "2.0", {"aimm.models": {"good": "rival_plugin"}}, {"rival_plugin": GOOD})
    code, found = examine(aimm)
    assert code == 1
    assert found["failures"] == []
    (conflict,) = found["conflicts"]
    assert (conflict["kind"], conflict["name"]) == ("model type", "good")
    assert "prefer: {good: rival}" in conflict["fix"]
    assert len(conflict["owners"]) == 2
    assert "CONFLICT  model type 'good' is claimed by" in aimm("plugins", "doctor").out


def test_a_conflict_that_no_entry_point_shows_is_found(aimm: Cli, site: FakeSite) -> None:
    """Two hook-group plugins register one model type once they are loaded."""
    for name in ("one", "two"):
        modules = {f"{name}_plugin": model_source("shared")}
        site.add(name, entry_points={"aimm.plugins": {name: f"{name}_plugin"}}, modules=modules)
    code, found = examine(aimm)
    assert code == 1
    assert [conflict["name"] for conflict in found["conflicts"]] == ["shared"]


def test_the_configuration_settles_a_conflict(aimm: Cli, clinic: FakeSite, tmp_path: Path) -> None:
    """With prefer: the doctor is content."""
    clinic.add("rival", "2.0", {"aimm.models": {"good": "rival_plugin"}}, {"rival_plugin": GOOD})
    (tmp_path / "conf.yaml").write_text("names: []\nprefer: {good: good}\n")
    assert aimm("--config", tmp_path / "conf.yaml", "plugins", "doctor").code == 0


def test_excluded_plugins_are_not_examined(aimm: Cli, clinic: FakeSite, tmp_path: Path) -> None:
    """What the configuration leaves out is not imported, so the hint that says to exclude a plugin is true."""
    marker = tmp_path / "imported"
    source = f"open({str(marker)!r}, 'w')\nraise ValueError"
    clinic.add("broken", entry_points={"aimm.models": {"t": "broken_plugin:T"}}, modules={"broken_plugin": source})
    (tmp_path / "conf.yaml").write_text("names: []\nentry_points: {exclude: [broken]}\n")
    assert aimm("--config", tmp_path / "conf.yaml", "plugins", "doctor").code == 0
    assert not marker.exists()


def test_configured_modules_and_directories_are_examined(aimm: Cli, tmp_path: Path) -> None:
    """Explicitly named plugins are candidates like others."""
    folder = tmp_path / "my_plugins"
    folder.mkdir()
    (folder / "fine.py").write_text(model_source("fine"))
    (tmp_path / "conf.yaml").write_text("names: [missing_module]\ndirectories: [my_plugins]\n")
    done = aimm("--config", tmp_path / "conf.yaml", "plugins", "doctor", "--json")
    found = json.loads(done.out)
    assert {plugin["name"]: plugin["ok"] for plugin in found["plugins"]} == {
        "missing_module": False,
        "my_plugins": True,
    }
    assert "check the spelling" in found["failures"][0]["hint"]


HOOKED = """
    from aimm import plugins

    @plugins.hookimpl
    def settings_schema():
        return {"type": "object", "properties": {"depth": {"type": "integer"}}}

    @plugins.hookimpl
    def configure(settings):
        pass
"""


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ("hooked: {depth: 3}", 0, "1 ok"),
        ("hooked: {depth: deep}", 1, "settings.hooked.depth: expected a whole number"),
        ("hookd: {depth: 3}", 1, "settings for 'hookd', which is no plugin"),
    ],
)
def test_settings_are_checked(
    aimm: Cli, site: FakeSite, tmp_path: Path, settings: str, code: int, message: str
) -> None:
    """Settings that a plugin refuses, or that are nobody's, are findings: they stop every other command."""
    site.add("hooked", entry_points={"aimm.plugins": {"hooked": "hooked_plugin"}}, modules={"hooked_plugin": HOOKED})
    (tmp_path / "conf.yaml").write_text(f"names: []\nsettings: {{{settings}}}\n")
    done = aimm("--config", tmp_path / "conf.yaml", "plugins", "doctor")
    assert done.code == code
    assert message in done.out


def test_a_bad_hook_signature_is_explained(aimm: Cli, clinic: FakeSite) -> None:
    """The right signature stands in the message."""
    source = "from aimm import plugins\n@plugins.hookimpl\ndef model_types(x=1): return []"
    clinic.add("hooky", entry_points={"aimm.plugins": {"hooky": "hooky_plugin"}}, modules={"hooky_plugin": source})
    code, found = examine(aimm)
    assert code == 1
    assert "HookSignatureError" in found["failures"][0]["cause"]
    assert "the hook is model_types()" in found["failures"][0]["cause"]


def test_a_file_beside_the_user_does_not_disturb(process: Cli, clinic: FakeSite, tmp_path: Path) -> None:
    """The working folder is not on the path of the processes that load plugins, as it is not on that of 'aimm'."""
    for name in ("json", "aimm", "pluggy", "tempfile"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    found = json.loads(process("plugins", "doctor", "--json").out)
    assert [plugin["ok"] for plugin in found["plugins"] if plugin["name"] == "good"] == [True]


def test_interrupting_ends_at_once(clinic: FakeSite, tmp_path: Path) -> None:
    """Ctrl-C ends the doctor and the plugin that it is waiting for."""
    pid = tmp_path / "pid"
    source = f"""
        import os, signal, time
        open({str(pid)!r}, "w").write(str(os.getpid()))
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(600)
    """
    clinic.add("slow", entry_points={"aimm.models": {"t": "slow_plugin:T"}}, modules={"slow_plugin": source})
    # As in a terminal: what a shell starts in the background ignores the signal.
    program = """
        import signal, sys
        from aimm.cli import main
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.exit(main(["plugins", "doctor", "--timeout", "600"]))
    """
    done = run(sys.executable, "-P", "-c", dedent(program), env={"PYTHONPATH": str(clinic.path)})
    assert done.code == 130
    assert "aimm: interrupted" in done.err
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), signal.SIGCONT)


def test_on_a_terminal_a_bar_counts_the_plugins(clinic: FakeSite) -> None:
    """Progress on stderr, findings on stdout."""
    environment = {"PYTHONPATH": str(clinic.path)}
    ended, shown = run_on_terminal(*AIMM, "plugins", "doctor", stdout=False, env=environment)
    assert "ok" in ended.out
    assert "plugins doctor" in shown
    assert "100%" in shown
