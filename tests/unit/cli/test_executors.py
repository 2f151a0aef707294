import sys
from pathlib import Path

import pytest

from support import FakeSite
from terminal import Cli

FIT = ("fit", "threshold", "--data", "numbers")
CRASHING = """
import os, time
from aimm import plugins

@plugins.model
class Bad(plugins.Model):
    def fit(self, X, y, how="crash"):
        if how == "crash":
            os.abort()
        time.sleep(600)
    def predict(self, X):
        return X
    def serialize(self):
        return b""
    @classmethod
    def deserialize(cls, instance_bytes):
        return cls()
"""


@pytest.fixture
def bad(shop: FakeSite) -> FakeSite:
    """A model type that crashes or hangs."""
    shop.add("bad-dist", "0.9", {"aimm.models": {"bad": "bad_of_test:Bad"}}, {"bad_of_test": CRASHING})
    return shop


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("executor", ["inline", "process"])
def test_fit_and_predict_on_an_executor(aimm: Cli, executor: str) -> None:
    """The results are those of a direct call."""
    assert aimm(*FIT, "--executor", executor, "--timeout", "100", "-o", "m.aimm").code == 0
    done = aimm("predict", "m.aimm", "--data", "numbers", "--executor", executor)
    assert (done.code, done.out) == (0, "prediction\n0\n0\n0\n1\n1\n1\n")


@pytest.mark.usefixtures("bad")
def test_a_crash_is_one_sentence(aimm: Cli) -> None:
    """It names the plugin and the signal, and the command goes on to its end."""
    done = aimm("fit", "bad", "--data", "numbers", "--executor", "process", "-o", "m.aimm")
    assert done.code == 1
    assert "fit of 'bad' by plugin 'bad' (distribution bad-dist 0.9): the worker process ended by SIGABRT" in done.err
    assert not Path("m.aimm").exists()


@pytest.mark.usefixtures("bad")
def test_a_timeout_alone_takes_worker_processes(aimm: Cli) -> None:
    """A deadline needs something that can be killed."""
    done = aimm("fit", "bad", "--data", "numbers", "--fit-param", "how=hang", "--timeout", "0.5", "-o", "m.aimm")
    assert done.code == 1
    assert "took longer than 0.5 s and was stopped" in done.err


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--executor", "no-such"], "no executor is called 'no-such' (known: 'inline', 'process', 'dask')"),
        (["--memory", "lots"], "memory='lots': expected bytes"),
        (["--executor", "inline", "--memory", "1GB"], "executor 'inline': "),
    ],
)
def test_what_makes_no_sense_is_said(aimm: Cli, options: list[str], words: str) -> None:
    """In one sentence."""
    done = aimm(*FIT, *options, "-o", "m.aimm")
    assert done.code == 1
    assert words in done.err


@pytest.mark.usefixtures("shop")
def test_a_missing_extra_gives_the_install_line(aimm: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready to be copied."""
    monkeypatch.setitem(sys.modules, "pebble", None)
    done = aimm(*FIT, "--executor", "process", "-o", "m.aimm")
    assert 'pip install "aimm-plugins[process]"' in done.err
