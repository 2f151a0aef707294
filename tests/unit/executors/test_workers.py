"""What a worker process has: the host's plugins, built once, and arguments that are hardly copied."""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimm import executors, plugins
from support import FakeSite, class_source

PATIENT = 60
NOTED = """
import os
with open(os.environ["NOTES_OF_TEST"], "a") as notes:
    notes.write(f"{os.getpid()} {__name__}\\n")
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
