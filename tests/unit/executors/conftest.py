"""Executors that tests share: worker processes and clusters are slow to start, and jobs must not depend on others."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aimm import executors

FUNCTIONS = """
import ctypes, os, signal, sys, time
import numpy

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one)

def double(x): return x * 2
def killed(): os.kill(os.getpid(), signal.SIGKILL)
def segfault(): ctypes.string_at(0)
def leave(code): os._exit(code)
def leave_politely(): sys.exit(4)
def interrupt(): raise KeyboardInterrupt
def hang(): time.sleep(600)
def deaf():
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass
def noisy():
    os.write(1, b"raw"); print("to stdout"); print("to stderr", file=sys.stderr)
    return "said"
def give_lambda(): return lambda: 1
def raise_odd(): raise Odd(1, 2)
def raise_value(): raise ValueError("boom", 3)
def pid(): return os.getpid()
def much(size): return len(bytearray(size))
def count_up(n, state_cb=None):
    for number in range(n):
        state_cb({"n": number})
    return n
def bad_state(state_cb=None): state_cb({"loss": numpy.float32(1)})
def no_dict(state_cb=None): state_cb([1])
def report_for_ever(path, state_cb=None):
    try:
        while True:
            state_cb({"progress": 0.5}); time.sleep(0.01)
    finally:
        open(path, "w").close()
def crash_until(path, times):
    with open(path, "a") as file:
        file.write("x")
    if os.path.getsize(path) < times:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.path.getsize(path)
def raise_and_count(path):
    with open(path, "a") as file:
        file.write("x")
    raise ValueError("boom")
def spawn_child(path):
    import subprocess
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open(path, "w").write(str(child.pid))
    os.kill(os.getpid(), signal.SIGKILL)
def leave_a_daemon(path, end):
    if not os.fork():  # what daemons do: it has all that the worker had open
        os.setsid()
        open(path, "w").write(str(os.getpid()))
        time.sleep(600)
    while not os.path.exists(path):
        time.sleep(0.01)
    os._exit(end) if end >= 0 else os.kill(os.getpid(), -end)
def small_files_only():
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
def keep_array(x):
    keep_array.kept = x
    return float(x.sum())
def kept_sum(): return float(keep_array.kept.sum())
"""

MODEL = """
import threading
from aimm import plugins

@plugins.model
class Counter(plugins.Model):
    def __init__(self, n=0):
        self.n = n
        self.lock = threading.Lock()  # cannot be pickled

    def fit(self, X, y=None, state_cb=None):
        self.n += len(X)
        return self

    def predict(self, X):
        self.n += 1
        return X + self.n

    def serialize(self):
        return str(self.n).encode()

    @classmethod
    def deserialize(cls, instance_bytes):
        return cls(int(bytes(instance_bytes)))

@plugins.instantiate("reporting")
def make():
    return []

@plugins.fit(["reporting"], state_cb_arg_name="tell")
def fit(instance, n, tell):
    for number in range(n):
        tell({"epoch": number, "progress": (number + 1) / n})
    instance.append(n)  # in place; returns nothing

@plugins.serialize(["reporting"])
def serialize(instance):
    return repr(instance).encode()

@plugins.deserialize(["reporting"])
def deserialize(instance_bytes):
    return eval(instance_bytes)

@plugins.data_access("numbers")
def numbers(n=3):
    return list(range(n))
"""


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the modules that workers run, on their ``sys.path`` from the start."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "jobs_of_test.py").write_text(FUNCTIONS)
    (folder / "model_of_test.py").write_text(MODEL)
    return folder


@pytest.fixture(scope="session")
def cluster(shelf: Path) -> Iterator[Any]:
    """A client of a cluster with one worker process."""
    import sys

    from distributed import Client, LocalCluster

    sys.path.insert(0, str(shelf))
    options: dict[str, Any] = {"dashboard_address": ":0", "processes": True, "threads_per_worker": 2}
    with LocalCluster(n_workers=1, **options) as made, Client(made, set_as_default=False) as client:
        sys.path.remove(str(shelf))
        yield client


@pytest.fixture(scope="session")
def make(request: pytest.FixtureRequest) -> Callable[..., executors.Executor]:
    """Make an executor of a kind, with options."""

    def made(kind: str, **options: Any) -> executors.Executor:
        if kind == "dask":
            options["cluster"] = request.getfixturevalue("cluster")
        return executors.make_executor(kind, **options)

    return made


@pytest.fixture
def jobs(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module with functions to run."""
    import importlib

    monkeypatch.syspath_prepend(str(shelf))
    return importlib.import_module("jobs_of_test")


@pytest.fixture
def counter(shelf: Path, jobs: Any) -> Any:
    """The class of the model type ``model_of_test.Counter``, declared by a plain import."""
    import importlib
    import sys

    sys.modules.pop("model_of_test", None)
    return importlib.import_module("model_of_test").Counter


@pytest.fixture
def process(make: Callable[..., executors.Executor], jobs: Any) -> Iterator[executors.Executor]:
    """A fresh executor with one worker process, which asks for half a second."""
    with make("process", workers=1, grace=0.5) as executor:
        yield executor


@pytest.fixture(params=["inline", "process", "dask"])
def executor(request: pytest.FixtureRequest, make: Callable[..., executors.Executor], jobs: Any) -> Iterator[Any]:
    """Each of the built-in executors."""
    with make(request.param) as made:
        yield made
