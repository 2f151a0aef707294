import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import aimm as package
from aimm.cli import main
from aimm.cli._app import COMMANDS, root
from support import FakeSite
from terminal import AIMM, Cli, run, run_on_terminal


def test_version(aimm: Cli) -> None:
    """--version prints name and version, as pip knows them."""
    assert aimm("--version") == (0, f"aimm {package.__version__}\n", "")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_command_and_global_option(aimm: Cli, option: str) -> None:
    """The help shows all there is, and where environment variables do the same."""
    code, out, err = aimm(option)
    assert (code, err) == (0, "")
    for word in (*COMMANDS, "--config", "--safe", "--version", "AIMM_CONFIG", "AIMM_SAFE_MODE"):
        assert word in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_as_the_list_does(aimm: Cli, command: str) -> None:
    """Each command has help, and its text in the list of commands is its own."""
    code, out, _ = aimm(command, "--help")
    assert code == 0
    loaded = root.get_command(click.Context(root), command)
    assert loaded is not None
    assert COMMANDS[command][1].rstrip(".").split()[0] in out


def test_help_imports_no_command() -> None:
    """The help of the root comes from a table: rich, jsonschema, pluggy and the commands stay out."""
    code = "import sys\nfrom aimm.cli import main\nmain(['--help'])\nprint(*sys.modules, file=sys.stderr)"
    imported = set(run(sys.executable, "-P", "-c", code).err.split())
    assert not imported & {"rich", "jsonschema", "pluggy", "yaml", "importlib_metadata", "aimm.cli._models"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "list", "--dataset", "d"], "--dataset goes before the command: aimm train --dataset ..."),
        (["fti"], "no command is called 'fti'; did you mean 'fit'?"),
        (["xyz"], "no command is called 'xyz'\n"),
        (["plugins", "lst"], "lst"),
        (["fit", "m", "--data", "d", "-o", "m.aimm", "-v"], "-v goes before the command: aimm -v ..."),
        (["plugins", "list", "--safe"], "--safe goes before the command: aimm --safe ..."),
        (["plugins", "list", "--config", "x.yaml"], "--config goes before the command: aimm --config ..."),
        (["plugins", "show"], "Missing argument 'NAME'"),
        (["fit", "m", "-o", "m.aimm"], "Missing option '--data'"),
        (["fit", "m", "--data", "d"], "Missing option '-o' / '--output'"),
        (["predict", "--data", "d"], "Missing argument 'MODEL'"),
        (["predict", "missing.aimm", "--data", "d"], "File 'missing.aimm' does not exist"),
        (["fit", "m", "--data", "d", "-o", "m", "--split", "val"], "'val' is not one of 'train', 'test'"),
        (["fit", "m", "--data", "d", "-o", "m", "--seed", "x"], "'x' is not a valid integer"),
        (["plugins", "doctor", "--timeout", "soon"], "'soon' is not a valid float"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
    ],
)
def test_wrong_usage_is_explained_on_stderr(aimm: Cli, arguments: list[str], message: str) -> None:
    """Exit code 2, nothing on stdout, and the message names what is wrong."""
    code, out, err = aimm(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_no_arguments_show_the_help(aimm: Cli) -> None:
    """Who types 'aimm' sees what it can do."""
    code, out, err = aimm()
    assert "Commands:" in out + err
    assert code in (0, 2)


CONFIGS = {
    "conf.yaml": "names: []\nentry_points:\n  exclude: [shop]\n",
    "conf.yml": "{names: [], entry_points: {exclude: [shop]}}",
    "conf.toml": 'names = []\n[entry_points]\nexclude = ["shop"]\n',
    "conf.json": '{"names": [], "entry_points": {"exclude": ["shop"]}}',
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("by_variable", [False, True])
@pytest.mark.usefixtures("shop")
def test_the_configuration_is_read(aimm: Cli, name: str, by_variable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config and AIMM_CONFIG take a YAML, TOML or JSON file."""
    Path(name).write_text(CONFIGS[name])
    if by_variable:
        monkeypatch.setenv("AIMM_CONFIG", name)
    rows = json.loads(aimm(*([] if by_variable else ["--config", name]), "plugins", "list", "--json").out)
    assert {row["status"] for row in rows} == {"excluded"}


@pytest.mark.usefixtures("shop")
def test_the_option_wins_over_the_variable(aimm: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the command counts more than what stands in the environment."""
    for name, text in CONFIGS.items():
        Path(name).write_text(text)
    Path("other.yaml").write_text("names: []")
    monkeypatch.setenv("AIMM_CONFIG", "conf.yaml")
    rows = json.loads(aimm("--config", "other.yaml", "plugins", "list", "--json").out)
    assert {row["status"] for row in rows} == {"ok"}


@pytest.mark.parametrize("command", [["plugins", "list"], ["plugins", "doctor"], ["types", "list"]])
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("missing.yaml", None, "cannot be read"),
        ("conf.ini", "", "expected a file name ending in .yaml, .yml, .json or .toml"),
        ("conf.yaml", "names: [", "is not valid YAML"),
        ("conf.yaml", "names: []\nname: []", "unknown key 'name' (did you mean 'names'?)"),
        ("conf.json", '{"names": "x"}', "at names: expected"),
        ("conf.toml", "names = [1]", "at names[0]"),
    ],
)
def test_a_wrong_configuration_is_wrong_usage(
    aimm: Cli, command: list[str], name: str, text: str | None, message: str
) -> None:
    """Exit code 2; the message has the file, the place and what was expected."""
    if text is not None:
        Path(name).write_text(text)
    code, out, err = aimm("--config", name, *command)
    assert (code, out) == (2, "")
    assert name in err
    assert message in err


@pytest.mark.usefixtures("shop")
def test_safe_mode_starts_without_plugins(aimm: Cli) -> None:
    """--safe finds nothing, and says why."""
    listed = aimm("--safe", "plugins", "list")
    assert (listed.code, listed.out) == (0, "")
    assert "safe mode is on" in listed.err


@pytest.mark.usefixtures("shop")
def test_safe_mode_explains_an_unknown_name(aimm: Cli) -> None:
    """A model type that is installed but not looked for is an error that mentions safe mode."""
    code, _, err = aimm("--safe", "fit", "threshold", "--data", "numbers", "-o", "m.aimm")
    assert code == 1
    assert "AIMM_SAFE_MODE is on" in err


def test_an_error_of_a_plugin_is_one_message(aimm: Cli, site: FakeSite) -> None:
    """Exit code 1, the error in words, whose it is, and no traceback."""
    site.add("bad", "3.1", {"aimm.data_access": {"bad": "bad_data:get"}}, {"bad_data": "def get():\n    return 1 / 0"})
    site.add("mean", entry_points={"aimm.models": {"m": "mean_models:M"}}, modules={"mean_models": _MODEL})
    code, out, err = aimm("fit", "m", "--data", "bad", "-o", "m.aimm")
    assert (code, out) == (1, "")
    assert err.startswith("aimm: ZeroDivisionError: division by zero\n")
    assert "bad 3.1" in err
    assert "Traceback" not in err


_MODEL = """
    class M:
        def fit(self, *args): return self
        def predict(self, *args): return 1
        def serialize(self): return b""
        @classmethod
        def deserialize(cls, b): return cls()
"""


@pytest.mark.parametrize("option", ["-v", "--verbose", "-vv"])
def test_verbose_shows_the_traceback(aimm: Cli, site: FakeSite, option: str) -> None:
    """The traceback comes before the message."""
    site.add("bad", entry_points={"aimm.data_access": {"bad": "bad_data:get"}}, modules={"bad_data": "get = int.real"})
    site.add("mean", entry_points={"aimm.models": {"m": "mean_models:M"}}, modules={"mean_models": _MODEL})
    code, _, err = aimm(option, "fit", "m", "--data", "bad", "-o", "m.aimm")
    assert code == 1
    assert "Traceback (most recent call last)" in err
    assert "aimm: " in err.rpartition("Traceback")[2]


@pytest.mark.parametrize(("option", "level"), [("-v", logging.INFO), ("-vv", logging.DEBUG)])
def test_verbose_shows_logs(aimm: Cli, option: str, level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: information; twice: everything."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert aimm(option, "plugins", "list").code == 0
    assert logging.getLogger().level == level


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        ("KeyboardInterrupt", 130, "aimm: interrupted\n"),
        ("EOFError('no more')", 1, "aimm: EOFError: no more\n"),
        ("BrokenPipeError(32, 'server gone')", 1, "aimm: [Errno 32] server gone\n"),
        ("PermissionError(13, 'not yours')", 1, "aimm: [Errno 13] not yours\n"),
        ("SystemExit(0)", 1, "called sys.exit(0)"),
        ("__import__('asyncio').CancelledError()", 1, "CancelledError"),
        ("type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()", 1, "Odd"),
    ],
)
def test_whatever_a_plugin_raises_is_a_failure(aimm: Cli, site: FakeSite, raised: str, code: int, message: str) -> None:
    """No exception of a plugin passes for success, for a terminal that went away, or ends in a traceback."""
    source = f"def get():\n    raise {raised}"
    site.add("bad", entry_points={"aimm.data_access": {"bad": "bad_data:get"}}, modules={"bad_data": source})
    site.add("mean", entry_points={"aimm.models": {"m": "mean_models:M"}}, modules={"mean_models": _MODEL})
    found, out, err = aimm("fit", "m", "--data", "bad", "-o", "m.aimm")
    assert (found, out) == (code, "")
    assert message in err
    assert not Path("m.aimm").exists()


@pytest.mark.parametrize("arguments", [["plugins", "list"], ["--help"], ["plugins", "list", "--json"], ["--version"]])
@pytest.mark.usefixtures("shop")
def test_a_reader_that_goes_away_is_no_error(site: FakeSite, arguments: list[str]) -> None:
    """'aimm ... | head' ends quietly with 0."""
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(site.path)}
    command = [*AIMM, *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "code"), [(["predict", "m.aimm", "--data", "numbers", "--update"], 0), (["plugins", "doctor"], 1)]
)
def test_without_a_reader_the_work_goes_on(process: Cli, shop: FakeSite, arguments: list[str], code: int) -> None:
    """Results that nobody reads change neither what is done nor the exit code."""
    assert process("fit", "threshold", "--data", "numbers", "-o", "m.aimm").code == 0
    before = Path("m.aimm").read_bytes()
    shop.add("broken", entry_points={"aimm.models": {"b": "nowhere:B"}})
    command = f'{" ".join([*AIMM, *arguments])} | true; echo "${{PIPESTATUS[0]}}"'
    done = run("bash", "-c", command, env={"PYTHONPATH": str(shop.path), "PYTHONUNBUFFERED": "1"})
    assert done.out == f"{code}\n"
    assert "aimm: " not in done.err
    assert "Error" not in done.err
    assert (Path("m.aimm").read_bytes() != before) == (code == 0)


def test_a_reader_that_goes_away_in_the_middle_is_no_error(site: FakeSite) -> None:
    """Output larger than any buffer, of which head takes the first line."""
    for number in range(300):
        site.add(f"many{number}", entry_points={"aimm.models": {f"type{number}": "x:Y"}}, summary="s" * 1000)
    script = f'{sys.executable} -P -m aimm.cli plugins list | head -1; echo "${{PIPESTATUS[0]}}"'
    done = run("bash", "-c", script, env={"PYTHONPATH": str(site.path)})
    assert done.out.split()[0] == "NAME"
    assert done.out.split()[-1] == "0"
    assert done.err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["plugins", "list"], ["--help"]])
@pytest.mark.usefixtures("shop")
def test_a_full_disk_is_an_error(site: FakeSite, arguments: list[str]) -> None:
    """Results that could not be written are exit code 1 with one message."""
    done = run("bash", "-c", f"{' '.join([*AIMM, *arguments])} > /dev/full", env={"PYTHONPATH": str(site.path)})
    assert done.code == 1
    assert done.err.startswith("aimm: ")
    assert "No space left" in done.err
    assert len(done.err.splitlines()) == 1


def test_main_takes_the_arguments_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without arguments of its own, main reads sys.argv."""
    monkeypatch.setattr(sys, "argv", ["aimm", "--version"])
    assert main() == 0
    assert capfd.readouterr().out == f"aimm {package.__version__}\n"


def test_results_on_a_terminal_and_messages_too(shop: FakeSite) -> None:
    """On a terminal both streams appear, and the exit code is the same."""
    ended, shown = run_on_terminal(*AIMM, "plugins", "show", "thresholt", env={"PYTHONPATH": str(shop.path)})
    assert ended.code == 1
    assert "did you mean 'threshold'?" in shown
