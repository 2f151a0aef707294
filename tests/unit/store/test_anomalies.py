"""Whatever file operation fails, and wherever a process dies: committed models load, and nothing half-made is seen.

The method is that of SQLite's own tests: the first operation fails, then the second, the third, ... until none is left.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import store_faults
from aimm import store
from aimm.errors import ModelFileError, StoreError
from aimm.store import _disk
from store_faults import ACTIONS, manager, operations

HOST = manager()


def _in_memory() -> Iterator[Path]:
    # What a process gave to the system outlives it, on a disk or not; waiting for a disk only takes time.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        yield Path(folder)


folder = pytest.fixture(_in_memory, name="folder")
lasting_folder = pytest.fixture(_in_memory, scope="module", name="lasting_folder")


@pytest.fixture(scope="module")
def base(lasting_folder: Path) -> Path:
    """A store with two models, an alias, a file that nobody needs, and what a killed save left behind."""
    root = lasting_folder / "store"
    models = store.ModelStore(root)
    for number, payload in enumerate((b"one", b"two", b"gone")):
        models.save("a", "x", payload, metadata={"n": number + 1}, manager=HOST)
    models.save("other", "x", b"other", manager=HOST)
    models.alias("a", "production", 1)
    models.remove("a", 3)
    (root / "objects" / ".save.00000000.tmp").write_bytes(b"half")
    return root


def state(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything that is visible in a store, every model being loaded."""
    models = store.ModelStore(root)
    return {
        f"{entry.name}@{entry.version}": (
            models.load(entry.name, entry.version, manager=HOST)[1],
            tuple(entry.metadata.items()),
            entry.aliases,
        )
        for entry in models.list()
    }


def after(base: Path, work: Path, action: str) -> dict[str, tuple[object, ...]]:
    """What is visible once an action was not disturbed."""
    shutil.copytree(base, work)
    ACTIONS[action](store.ModelStore(work), HOST)
    return state(work)


def check_that_all_is_well(root: Path) -> None:
    """The store works on: a save, and a gc that leaves just the files that are needed."""
    models = store.ModelStore(root)
    assert models.load("a", models.save("a", "x", b"next", manager=HOST).version, manager=HOST)[1] == b"next"
    models.gc(grace=0)
    needed = {f"{entry.identity}.aimm" for entry in models.list()}
    assert set(os.listdir(root / "objects")) == needed


def test_every_operation_is_covered() -> None:
    """No function of the module that touches the disk is left out."""
    public = {name for name, value in vars(_disk).items() if callable(value) and value.__module__ == _disk.__name__}
    assert public - {"Entry"} == set(store_faults.OURS)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_operation_fails_in_turn(base: Path, folder: Path, action: str) -> None:
    """An action that fails changed nothing, one that does not fail did everything; the error is of a known kind."""
    before, done = state(base), after(base, folder / "done", action)
    failed: list[str] = []
    for fail_at in range(1, 1000):
        root = folder / str(fail_at)
        shutil.copytree(base, root)
        names: list[str] = []

        def happen(name: str, names: list[str] = names, fail_at: int = fail_at) -> bool:
            names.append(name)
            return len(names) == fail_at

        error: Exception | None = None
        with operations(happen):
            try:
                ACTIONS[action](store.ModelStore(root), HOST)
            except (OSError, StoreError, ModelFileError) as caught:
                error = caught
        seen = state(root)
        if error is None:
            assert seen == done
        else:
            failed.append(names[fail_at - 1])
            assert seen == before, (names[fail_at - 1], error)
        check_that_all_is_well(root)
        if len(names) < fail_at:
            break
    assert any(name.startswith("sqlite") for name in failed)
    assert any(not name.startswith("sqlite") for name in failed)


@pytest.mark.parametrize("action", ["save", "save large", "list", "alias", "gc"])
def test_a_kill_at_every_operation(base: Path, folder: Path, action: str) -> None:
    """A process that dies at any operation has done its action or not begun it."""
    before, done = state(base), after(base, folder / "done", action)
    command = [sys.executable, store_faults.__file__, base, folder / "killed", action]
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    count = int(ended.stdout)
    assert count >= 5
    for number in range(1, count + 1):
        root = folder / "killed" / str(number)
        assert state(root) in (before, done), number
        check_that_all_is_well(root)


SAVES = """
    import os, random, signal, sys, time
    from aimm import store
    from store_faults import manager

    root, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance, plugged, models, usual = random.Random(seed), manager(), store.ModelStore(root), 0.01
    for number in range(count):
        ours, theirs = os.pipe()
        child = os.fork()
        started = time.perf_counter()
        if child == 0:
            entry = models.save("a", "x", b"%d" % number * 5000, metadata={"number": number}, manager=plugged)
            os.write(theirs, b"%d" % entry.version)
            os._exit(0)
        os.close(theirs)
        if number % 10:  # each tenth may take its time, to know how long that is
            time.sleep(chance.uniform(0, 1.5 * usual))
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if not number % 10:
            usual = time.perf_counter() - started
        with os.fdopen(ours) as told:
            print(number, told.read() or "killed", flush=True)
"""


@pytest.mark.timeout(250)
def test_a_thousand_saves_that_may_be_killed(folder: Path) -> None:
    """Of a thousand saves, each killed at a moment of chance, every one that was told to be committed loads."""
    seed = random.randrange(1 << 30)
    (folder / "saves.py").write_text(textwrap.dedent(SAVES))
    environment = {**os.environ, "PYTHONPATH": str(Path(store_faults.__file__).parent)}
    command = [sys.executable, folder / "saves.py", folder / "store"]
    command += ["1000", str(seed)]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = [line.split() for line in done.stdout.splitlines()]
    committed = {int(version): int(number) for number, version in told if version != "killed"}
    assert len(told) == 1000
    assert 0 < len(committed) < 1000

    models = store.ModelStore(folder / "store")
    visible = {entry.version: entry for entry in models.list("a")}
    assert committed.keys() <= visible.keys(), f"lost with seed {seed}"
    for version, entry in visible.items():
        number = entry.metadata["number"]
        assert models.load("a", version, manager=HOST)[1] == b"%d" % number * 5000
        assert committed.get(version, number) == number
    models.gc(grace=0)
    assert set(os.listdir(folder / "store" / "objects")) == {f"{entry.identity}.aimm" for entry in visible.values()}


EAGER = """
    import json, sys
    from aimm import store
    from aimm.errors import StaleVersionError
    from store_faults import manager

    models, plugged, done = store.ModelStore(sys.argv[1]), manager(), 0
    while done < int(sys.argv[2]):
        entry = models.get("a")
        count = json.loads(models.load("a", entry.version, manager=plugged)[1])
        try:
            models.save("a", "x", json.dumps(count + 1).encode(), expected=entry.version, manager=plugged)
        except StaleVersionError:
            continue
        done += 1
"""


@pytest.mark.timeout(250)
def test_no_update_is_lost(folder: Path) -> None:
    """Of processes that build on the last version and say so, each counts what all the others counted."""
    store.ModelStore(folder / "store").save("a", "x", b"0", manager=HOST)
    assert in_processes(folder, EAGER, "8") == [""] * 4
    models = store.ModelStore(folder / "store")
    assert [int(models.load("a", n + 1, manager=HOST)[1]) for n in range(33)] == list(range(33))
    assert models.get("a").version == 33


def in_processes(folder: Path, source: str, *arguments: str, count: int = 4) -> list[str]:
    """What several processes, which run a script on one store at the same time, complain about."""
    (folder / "script.py").write_text(textwrap.dedent(source))
    environment = {**os.environ, "PYTHONPATH": str(Path(store_faults.__file__).parent)}
    command = [sys.executable, str(folder / "script.py"), str(folder / "store"), *arguments]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) for _ in range(count)]
    return [process.communicate()[1] for process in processes]


BUSY = """
    import sys
    from aimm import store
    from store_faults import manager

    models, plugged = store.ModelStore(sys.argv[1]), manager()
    for number in range(int(sys.argv[2])):
        models.save("a", "x", b"payload", manager=plugged)
        models.load("a", manager=plugged)
        models.gc(grace=0)
"""


@pytest.mark.timeout(250)
def test_many_processes_at_once(folder: Path) -> None:
    """Processes that begin a store, save, load and collect at the same time lose nothing and give no number twice."""
    assert in_processes(folder, BUSY, "15", count=5) == [""] * 5
    models = store.ModelStore(folder / "store")
    assert [entry.version for entry in models.list("a")] == list(range(1, 76))
    assert {models.load("a", version, manager=HOST)[1] for version in range(1, 76)} == {b"payload"}
