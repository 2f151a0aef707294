"""What a worker process has: the host's plugins, built once, and arguments that are hardly copied."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimm import executors, plugins
from aimm.errors import ExecutorOptionError
from support import FakeSite, class_source

PATIENT = 60
NOTED = """
import os
with open(os.environ["NOTES_OF_TEST"], "a") as notes:
    notes.write(f"{os.getpid()} {__name__}\\n")
"""
POLICY = """
from aimm import plugins

class Forbid:
    def __init__(self, reason):
        self.reason = reason

    @plugins.hookimpl(wrapper=True)
    def predict(self, model_type):
        raise PermissionError(self.reason)
        yield
"""
DOUBLING = """
from aimm import plugins

@plugins.hookimpl(wrapper=True)
def predict(model_type):
    return "seen", (yield)
"""
MEMORY = """
def status():
    with open("/proc/self/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return {name: int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM", "RssShmem")}

def look_at(X):
    X.sum()
    return status()
"""


@pytest.fixture
def notes(site: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where each plugin says that it is imported, and by which process."""
    monkeypatch.setenv("NOTES_OF_TEST", str(tmp_path / "notes"))
    for name in ("used", "unused", "named"):
        points = {"aimm.models": {name: f"{name}_of_test:Forest"}} if name != "named" else None
        site.add(f"{name}-dist", entry_points=points, modules={f"{name}_of_test": NOTED + class_source()})
    return tmp_path / "notes"


def imported(notes: Path) -> list[str]:
    """What was imported in worker processes, with repetitions."""
    lines = [line.split() for line in notes.read_text().splitlines()]
    return [name for pid, name in lines if int(pid) != os.getpid()]


@pytest.mark.usefixtures("site")
def test_a_worker_has_the_plugins_of_the_same_configuration_and_loads_what_it_runs(
    make: Any, notes: Path, manager: plugins.PluginManager
) -> None:
    """Once, however many calls: what the configuration names, and the one plugin that is called."""
    manager.initialize({"names": ["named_of_test"]})
    with make("process", workers=1) as process:
        made = process.submit(manager.exec_instantiate, "used", None).result(PATIENT)
        for _ in range(3):
            _, prediction = process.submit(manager.exec_predict, "used", made, None, 4).result(PATIENT)
            assert prediction == ("Forest", 4)
    assert sorted(imported(notes)) == ["named_of_test", "used_of_test"]


@pytest.mark.usefixtures("notes")
def test_a_plugin_that_the_configuration_excludes_is_unknown_there(make: Any, manager: plugins.PluginManager) -> None:
    """The worker looks with the host's configuration, not with a default one."""
    from aimm.errors import PluginNotFoundError

    manager.initialize({"names": [], "entry_points": {"exclude": ["used-dist"]}})
    with make("process", workers=1) as process, pytest.raises(PluginNotFoundError, match="'used'"):
        process.submit(manager.exec_instantiate, "used", None).result(PATIENT)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_hundred_megabytes_cost_at_most_one_and_a_half_copies(process: Any, make_module: Any) -> None:
    """In host and worker together: the one in shared memory, which the plugin reads in its place."""
    module = __import__(make_module(MEMORY))
    process.submit(module.look_at, np.ones(1000)).result(PATIENT)
    array = np.ones(100 << 17)
    worker = process.submit(module.status).result(PATIENT)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    host = module.status()
    after = process.submit(module.look_at, array).result(PATIENT)
    in_host = module.status()["VmHWM"] - host["VmRSS"]
    of_its_own = after["VmHWM"] - worker["VmRSS"] - (after["RssShmem"] - worker["RssShmem"])
    assert after["RssShmem"] > 0.9 * array.nbytes, "the worker sees the host's copy"
    assert in_host + of_its_own < 1.5 * array.nbytes


def test_two_executors_hold_their_own_copies_of_a_kept_instance(make: Any, counter: Any) -> None:
    """What was sent to one is not taken for sent to another."""
    kept = executors.keep("model_of_test.Counter", counter(2))
    for _ in range(2):
        with make("process", workers=1) as process:
            call = process.submit(plugins.exec_predict, "model_of_test.Counter", kept, None, 1)
            assert call.result(PATIENT)[1] == 4


@pytest.fixture
def policy(site: FakeSite) -> Any:
    """A module with a wrapper that forbids to predict."""
    import importlib

    site.add(
        "forest",
        entry_points={"aimm.models": {"used": "used_of_test:Forest"}},
        modules={
            "used_of_test": class_source(),
            "policy_of_test": POLICY,
        },
    )
    return importlib.import_module("policy_of_test")


@pytest.mark.usefixtures("site")
def test_a_wrapper_that_joined_at_run_time_sees_calls_elsewhere(
    make: Any, policy: Any, manager: plugins.PluginManager
) -> None:
    """What forbids a call here forbids it in a worker, from the next call on, and no longer than here."""
    manager.initialize()
    with make("process", workers=1) as process:
        made = process.submit(manager.exec_instantiate, "used", None).result(PATIENT)
        allowed = process.submit(manager.exec_predict, "used", made, None, 4).result(PATIENT)
        leave = manager.register(policy.Forbid("not today"))
        error = process.submit(manager.exec_predict, "used", made, None, 4).exception(PATIENT)
        assert (type(error), str(error)) == (PermissionError, "not today")
        leave()
        assert process.submit(manager.exec_predict, "used", made, None, 4).result(PATIENT)[1] == allowed[1]


@pytest.mark.usefixtures("site")
def test_a_module_that_joined_at_run_time_sees_calls_elsewhere(
    make: Any, site: FakeSite, policy: Any, manager: plugins.PluginManager
) -> None:
    """Modules go along by their names."""
    import importlib

    site.add("doubling", modules={"doubling_of_test": DOUBLING})
    manager.initialize()
    manager.register(importlib.import_module("doubling_of_test"))
    made = manager.exec_instantiate("used", None)
    with make("process", workers=1) as process:
        job = process.submit(manager.exec_predict, "used", made, None, 4)
        assert job.result(PATIENT)[1] == manager.exec_predict("used", made, None, 4)[1] == ("seen", ("Forest", 4))


def test_a_wrapper_that_cannot_go_along_is_refused(make: Any, policy: Any, manager: plugins.PluginManager) -> None:
    """A call that a policy would not see does not run; the message names the policy and the ways out."""
    manager.initialize()
    manager.register(policy.Forbid(lambda: "no"), "house rules")
    said = (
        "the hook plugin 'house rules', which joined at run time, cannot go along .* entry point or in 'names' .*lambda"
    )
    with make("process", workers=1) as process:
        error = process.submit(manager.exec_instantiate, "used", None).exception(PATIENT)
    assert isinstance(error, ExecutorOptionError)
    assert re.search(said, str(error))
