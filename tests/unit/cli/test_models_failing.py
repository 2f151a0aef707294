import json
import os
from pathlib import Path

import pytest

from aimm import store
from support import FakeSite
from terminal import AIMM, Cli, run_on_terminal

FIT = ("fit", "threshold", "--data", "numbers")

FAILING = """
    from aimm import plugins
    import os, signal

    @plugins.instantiate("failing")
    def make(): return []

    @plugins.fit(["failing"], state_cb_arg_name="report")
    def fit(instance, X, how=None, report=None):
        report({"progress": 0.5})
        if how == "raise": raise ValueError("no luck")
        if how == "exit": raise SystemExit(3)
        if how == "interrupt":
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it
            os.kill(os.getpid(), signal.SIGINT)
        return None if how == "none" else instance

    @plugins.predict(["failing"])
    def predict(instance, X): raise ValueError("cannot predict")

    @plugins.serialize(["failing"])
    def serialize(instance): return "text" if instance is None else b"bytes"

    @plugins.deserialize(["failing"])
    def deserialize(instance_bytes): return []
"""


@pytest.fixture
def failing(shop: FakeSite) -> FakeSite:
    """Beside ``shop``: the model type ``failing``, whose ``how`` decides in which way."""
    shop.add("failing", "0.1", {"aimm.models": {"failing": "failing_mod"}}, {"failing_mod": FAILING})
    return shop


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("raise", 1, "ValueError: no luck"),
        ("exit", 1, "called sys.exit(3)"),
        ("interrupt", 130, "aimm: interrupted"),
    ],
)
@pytest.mark.usefixtures("failing")
def test_a_fit_that_fails_leaves_the_old_file(process: Cli, tmp_path: Path, how: str, code: int, message: str) -> None:
    """Error, exit or Ctrl-C: the model file of yesterday is untouched, and nothing is left beside it."""
    file = tmp_path / "out" / "m.aimm"
    file.parent.mkdir()
    file.write_bytes(b"old")
    done = process("fit", "failing", "--data", "pairs", "--fit-param", f"how={how}", "-o", file)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert file.read_bytes() == b"old"
    assert os.listdir(file.parent) == ["m.aimm"]


@pytest.mark.usefixtures("failing")
def test_an_interrupted_fit_leaves_no_file(process: Cli, tmp_path: Path) -> None:
    """Ctrl-C in mid-fit: nothing is written."""
    folder = tmp_path / "out"
    folder.mkdir()
    command = ("fit", "failing", "--data", "pairs", "--fit-param", "how=interrupt", "-o", folder / "m.aimm")
    assert process(*command).code == 130
    assert os.listdir(folder) == []


@pytest.mark.usefixtures("failing")
def test_a_failure_names_the_plugin(aimm: Cli) -> None:
    """The note under the message says action, model type, distribution and version."""
    err = aimm("fit", "failing", "--data", "pairs", "--fit-param", "how=raise", "-o", "m.aimm").err
    assert err.startswith("aimm: ValueError: no luck\n")
    for part in ("fit", "'failing'", "failing 0.1"):
        assert part in err


@pytest.mark.usefixtures("shop")
def test_an_argument_that_nobody_knows_leads_to_those_that_are_known(aimm: Cli) -> None:
    """Whoever misspells an argument is told which command prints the right ones."""
    err = aimm(*FIT, "--param", "aat=1", "-o", "m.aimm").err
    assert "'aimm types show threshold' prints the arguments that each action takes" in err


@pytest.mark.usefixtures("failing")
def test_a_fit_that_returns_nothing_keeps_the_instance(aimm: Cli) -> None:
    """A plugin that forgot to return is told about; the instance that it fitted is written."""
    code, _, err = aimm("fit", "failing", "--data", "pairs", "--fit-param", "how=none", "-o", "m.aimm")
    assert code == 0
    assert "fit of failing returned nothing; the instance that was passed in is kept" in err
    assert store.read_header("m.aimm").length == 5


@pytest.mark.usefixtures("failing")
def test_a_predict_that_fails_writes_nothing(aimm: Cli) -> None:
    """Neither predictions nor, with --update, the model."""
    assert aimm("fit", "failing", "--data", "pairs", "-o", "m.aimm").code == 0
    before = Path("m.aimm").read_bytes()
    code, out, err = aimm("predict", "m.aimm", "--data", "pairs", "--update", "-o", "out.csv")
    assert (code, out) == (1, "")
    assert "ValueError: cannot predict" in err
    assert not Path("out.csv").exists()
    assert Path("m.aimm").read_bytes() == before


def test_progress_is_a_bar_on_a_terminal(failing: FakeSite, tmp_path: Path) -> None:
    """What fit reports moves a bar on stderr, while stdout stays free for results."""
    arguments = ("fit", "failing", "--data", "pairs", "-o", tmp_path / "m.aimm", "--json")
    ended, shown = run_on_terminal(*AIMM, *arguments, stdout=False, env={"PYTHONPATH": str(failing.path)})
    assert json.loads(ended.out)["model_type"] == "failing"
    assert "fit failing" in shown
    assert "50%" in shown
