import os
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
        (["--executor", "proces"], "group 'aimm.executors'; did you mean 'process'?"),
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


TASKS = """
import os, time
from aimm.tasks import register

@register
def where() -> int:
    return os.getpid()

@register
def crash() -> int:
    os.abort()

@register
def hang() -> int:
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("task", "options", "words"),
    [
        ("crash", ["--executor", "process"], "SIGABRT"),
        ("hang", ["--timeout", "0.5"], "took longer than 0.5 s and was stopped"),
    ],
)
def test_a_graph_on_an_executor(aimm: Cli, shop: FakeSite, task: str, options: list[str], words: str) -> None:
    """Its steps run in worker processes; one that crashes or hangs is named."""
    shop.add("tasks-dist", "3.0", {"aimm.tasks": {"far": "far_tasks_of_test"}}, {"far_tasks_of_test": TASKS})
    Path("good.yaml").write_text("graph:\n  pid: {where: []}\n")
    done = aimm("graph", "run", "good.yaml", "--executor", "process")
    assert done.code == 0
    assert int(done.out.partition(": ")[2].split()[0]) != os.getpid()
    Path("bad.yaml").write_text(f"graph:\n  broken: {{{task}: []}}\n")
    done = aimm("graph", "run", "bad.yaml", *options)
    assert done.code == 1
    assert "'broken'" in done.err
    assert words in done.err


@pytest.mark.usefixtures("shop")
def test_fit_on_a_dask_cluster(aimm: Cli) -> None:
    """By the address of its scheduler."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster:
        done = aimm(*FIT, "--executor", f"dask:{cluster.scheduler_address}", "-o", "m.aimm")
    assert (done.code, Path("m.aimm").exists()) == (0, True), done.err
