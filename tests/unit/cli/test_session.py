import sys
from pathlib import Path

import pytest

from aimm.cli._session import Session
from support import FakeSite
from terminal import AIMM, Cli, run_on_terminal

NOISY = """
    class Noisy:
        def fit(self, X):
            noise("fit")
            return self
        def predict(self, X):
            noise("predict")
            return [1 for _ in X]
        def serialize(self):
            noise("serialize")
            return b"x"
        @classmethod
        def deserialize(cls, instance_bytes):
            noise("deserialize")
            return cls()
    def data():
        noise("data")
        return [1, 2]
    def noise(where):
        import os, subprocess, sys
        print("printed", where)
        os.write(1, f"written {where}\\n".encode())
        subprocess.run([sys.executable, "-c", f"print('child {where}')"])
        sys.__stdout__.write(f"original {where}\\n")
    noise("import")
"""


@pytest.fixture
def noisy(site: FakeSite) -> FakeSite:
    """A distribution that prints in every way at every occasion."""
    points = {"aimm.models": {"noisy": "noisy_plugin:Noisy"}, "aimm.data_access": {"noise": "noisy_plugin:data"}}
    site.add("noisy", entry_points=points, modules={"noisy_plugin": NOISY})
    return site


@pytest.mark.usefixtures("noisy")
def test_stdout_carries_results_only(process: Cli, tmp_path: Path) -> None:
    """Whatever a plugin prints, by print, file descriptor or child, at whatever occasion, goes to stderr."""
    file = tmp_path / "m.aimm"
    fitted = process("fit", "noisy", "--data", "noise", "-o", file)
    assert (fitted.code, fitted.out) == (0, "")
    predicted = process("predict", file, "--data", "noise")
    assert predicted.out == "prediction\n1\n1\n"
    for way in ("printed", "written", "child", "original"):
        for where in ("import", "data", "fit", "serialize"):
            assert f"{way} {where}\n" in fitted.err
        for where in ("import", "data", "deserialize", "predict"):
            assert f"{way} {where}\n" in predicted.err


@pytest.mark.usefixtures("noisy")
def test_a_noisy_plugin_does_not_spoil_json(process: Cli) -> None:
    """What is printed while 'types show' loads a plugin is not in its JSON."""
    import json

    shown = process("types", "show", "noisy", "--json")
    assert json.loads(shown.out)["model_type"] == "noisy"
    assert "written import" in shown.err


def test_on_a_terminal_prints_appear_beside_the_bar(noisy: FakeSite, tmp_path: Path) -> None:
    """The bar on the terminal and a plugin's prints do not fight, and nothing of it is among the results."""
    environment = {"PYTHONPATH": str(noisy.path)}
    arguments = ("fit", "noisy", "--data", "noise", "-o", tmp_path / "m.aimm", "--json")
    ended, shown = run_on_terminal(*AIMM, *arguments, stdout=False, env=environment)
    assert ended.code == 0
    assert ended.out.startswith("{")
    assert "printed fit" in shown
    assert "fit noisy" in shown


def test_diverting_ends_with_the_session(capfd: pytest.CaptureFixture[str]) -> None:
    """Inside the block results go to stdout and prints to stderr; after it everything is as before."""
    with Session() as session:
        session.divert()
        session.divert()
        print("noise")
        session.write("result")
        session.say("message")
    print("after")
    out, err = capfd.readouterr()
    assert out == "result\nafter\n"
    assert sorted(err.splitlines()) == ["message", "noise"]


def test_diverting_works_where_stdout_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    """A host that replaced sys.stdout, as a notebook does, gets the results there."""
    with Session() as session:
        session.divert()
        print("noise")
        session.write("result")
    print("after")
    assert capsys.readouterr() == ("result\nafter\n", "noise\n")


def test_an_error_in_the_block_ends_diverting_too(capfd: pytest.CaptureFixture[str]) -> None:
    """After a failure stdout is stdout again."""

    def fail() -> None:
        with Session() as session:
            session.divert()
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        fail()
    print("after")
    assert capfd.readouterr() == ("after\n", "")


def test_a_plain_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe: columns aligned by spaces, two between them, none at the end of a line."""
    Session().write_table(["A", "LONGER"], [["value", "x"], ["", "[bold]"]])
    assert capsys.readouterr().out == "A      LONGER\nvalue  x\n       [bold]\n"


def test_an_empty_table_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """No rows, no headings."""
    Session().write_table(["A"], [])
    assert capsys.readouterr().out == ""


def test_a_table_on_a_terminal_has_lines_and_every_cell() -> None:
    """On a terminal rich draws it, and takes no text for markup."""
    rows = [["value", "[/bold] :smile: [link=x]"]]
    source = f"from aimm.cli._session import Session\nSession().write_table(['A', 'B'], {rows})"
    ended, shown = run_on_terminal(sys.executable, "-c", source)
    assert ended.code == 0
    assert "[/bold] :smile: [link=x]" in shown
    assert "━" in shown or "─" in shown


def test_json_is_readable_and_takes_anything(capsys: pytest.CaptureFixture[str]) -> None:
    """Results as JSON are indented; what JSON does not know becomes text."""
    Session().write_json({"path": Path("x"), "list": (1, 2)})
    assert capsys.readouterr().out == '{\n  "path": "x",\n  "list": [\n    1,\n    2\n  ]\n}\n'


@pytest.mark.usefixtures("shop")
def test_the_manager_reads_the_configuration(tmp_path: Path) -> None:
    """The session's manager is the default one, initialised with the configuration file."""
    config = tmp_path / "conf.yaml"
    config.write_text("names: []\nentry_points: {exclude: [shop]}\n")
    with Session(str(config)) as session:
        assert session.manager().owners() == []
