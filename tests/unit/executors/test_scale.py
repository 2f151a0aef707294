"""Prediction over partitioned data: every row exactly once, in order, whatever dies meanwhile."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.dataframe
import pandas as pd
import pytest

from aimm import executors
from aimm.errors import PartitionError

COUNTER = "scale_model_of_test.Plus"
MODEL = """
import os, time
from aimm import plugins

@plugins.model
class Plus(plugins.Model):
    def __init__(self, n=0):
        self.n = n
    def fit(self, X):
        return self
    def predict(self, X, slow=0.0):
        time.sleep(slow)
        if self.n < 0:
            raise ValueError("negative")
        return X["x"] + self.n
    def serialize(self):
        return str(self.n).encode()
    @classmethod
    def deserialize(cls, instance_bytes):
        if "ARRIVALS_OF_TEST" in os.environ:
            with open(os.environ["ARRIVALS_OF_TEST"], "a") as arrivals:
                arrivals.write(f"{os.getpid()}\\n")
        return cls(int(bytes(instance_bytes)))
"""
CLIENT = """
import sys
from aimm import executors
import scale_model_of_test

if __name__ == "__main__":
    model = scale_model_of_test.Plus(1)
    with executors.make_executor("process", workers=2) as process:
        executors.predict_partitions(process, "scale_model_of_test.Plus", model, *sys.argv[1:3], kwargs={"slow": 0.2})
"""
PARTS, ROWS = 12, 50


@pytest.fixture
def plus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class of the model type."""
    import importlib

    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "scale_model_of_test.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    return importlib.import_module("scale_model_of_test").Plus


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of Parquet files."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(PARTS):
        frame = pd.DataFrame({"x": range(number * ROWS, (number + 1) * ROWS)})
        frame.to_parquet(folder / f"in-{number:03}.parquet")
    return folder


def rows(result: executors.Predicted) -> list[int]:
    """All predictions, in the order of the files."""
    read = [pd.read_parquet(path) if path.endswith("t") else pd.read_csv(path) for path in result.paths]
    return [int(value) for frame in read for value in frame.iloc[:, 0]]


EXPECTED = [number + 1 for number in range(PARTS * ROWS)]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_folder_becomes_a_folder(plus: Any, data: Path, tmp_path: Path, suffix: str) -> None:
    """One file for each, in order, with progress."""
    seen: list[Any] = []
    with executors.InlineExecutor(workers=2) as inline:
        result = executors.predict_partitions(
            inline, COUNTER, plus(1), str(data), tmp_path / "out", suffix=suffix, state_cb=seen.append
        )
    assert rows(result) == EXPECTED
    assert (result.done_before, result.rows) == (0, len(EXPECTED))
    assert seen[-1] == {"progress": 1.0, "parts": PARTS, "of": PARTS, "rows": len(EXPECTED)}


def test_chunks_and_dask_frames(plus: Any, tmp_path: Path) -> None:
    """A list of chunks and a Dask DataFrame are data sets, too."""
    frame = pd.DataFrame({"x": range(40)})
    with executors.InlineExecutor() as inline:
        chunks = [frame.iloc[start : start + 10] for start in range(0, 40, 10)]
        assert rows(executors.predict_partitions(inline, COUNTER, plus(1), chunks, tmp_path / "a")) == EXPECTED[:40]
        lazy = dask.dataframe.from_pandas(frame, npartitions=3)
        assert rows(executors.predict_partitions(inline, COUNTER, plus(1), lazy, tmp_path / "b")) == EXPECTED[:40]


def test_a_run_is_continued(plus: Any, data: Path, tmp_path: Path) -> None:
    """What is there stays as it is; leftovers of a killed writer go."""
    with executors.InlineExecutor() as inline:
        first = executors.predict_partitions(inline, COUNTER, plus(1), data, tmp_path / "out")
        for path in first.paths[::2]:
            os.unlink(path)
        (tmp_path / "out" / "part-000000.parquet.1.abc.tmp").write_text("half")
        kept = os.stat(first.paths[1]).st_mtime_ns
        again = executors.predict_partitions(inline, COUNTER, plus(1), data, tmp_path / "out")
    assert again.done_before == PARTS // 2
    assert rows(again) == EXPECTED
    assert os.stat(first.paths[1]).st_mtime_ns == kept
    assert not list((tmp_path / "out").glob("*.tmp"))


def test_another_model_is_refused(plus: Any, data: Path, tmp_path: Path) -> None:
    """Outputs of two models must not mix in one folder; nor may a folder hold something else."""
    with executors.InlineExecutor() as inline:
        executors.predict_partitions(inline, COUNTER, plus(1), data, tmp_path / "out")
        with pytest.raises(PartitionError, match="output of other data or another model"):
            executors.predict_partitions(inline, COUNTER, plus(2), data, tmp_path / "out")
        with pytest.raises(PartitionError, match=r"not empty and has no manifest\.json"):
            executors.predict_partitions(inline, COUNTER, plus(2), data, data)


@pytest.mark.parametrize(
    ("given", "words"), [("no/such", "it is no folder"), (".", "no .parquet or .csv files"), (3, "expected a folder")]
)
def test_what_is_no_data_set_is_said(plus: Any, tmp_path: Path, given: Any, words: str) -> None:
    """Before anything runs."""
    (tmp_path / "empty").mkdir()
    os.chdir(tmp_path / "empty")
    with executors.InlineExecutor() as inline, pytest.raises(PartitionError, match=words):
        executors.predict_partitions(inline, COUNTER, plus(1), given, tmp_path / "out")


def test_an_unknown_format_is_said(plus: Any, data: Path, tmp_path: Path) -> None:
    """With those that there are."""
    with executors.InlineExecutor() as inline, pytest.raises(PartitionError, match=r"written as '\.xls'"):
        executors.predict_partitions(inline, COUNTER, plus(1), data, tmp_path / "out", suffix=".xls")


def test_an_exception_ends_the_run(plus: Any, data: Path, tmp_path: Path) -> None:
    """As itself."""
    with executors.InlineExecutor() as inline, pytest.raises(ValueError, match="negative"):
        executors.predict_partitions(inline, COUNTER, plus(-1), data, tmp_path / "out")


def test_workers_killed_in_mid_run_cost_nothing(plus: Any, data: Path, tmp_path: Path) -> None:
    """On a Dask cluster of separate processes, whole Dask workers are killed while they work."""
    from distributed import Client, LocalCluster

    options: dict[str, Any] = {"dashboard_address": ":0", "processes": True, "threads_per_worker": 1}
    with LocalCluster(n_workers=2, **options) as cluster, Client(cluster, set_as_default=False) as client:
        victims = list(client.run(os.getpid).values())
        with executors.make_executor("dask", cluster=client) as dask:
            written = tmp_path / "out"

            def kill_in_mid_run() -> None:
                for victim in victims:
                    before = len(list(written.glob("part-*.parquet")))
                    for _ in range(1200):
                        if len(list(written.glob("part-*.parquet"))) >= before + 2:
                            break
                        time.sleep(0.05)
                    os.kill(victim, signal.SIGKILL)

            killer = threading.Thread(target=kill_in_mid_run)
            killer.start()
            result = executors.predict_partitions(dask, COUNTER, plus(1), data, written, kwargs={"slow": 0.2})
            killer.join()
    assert rows(result) == EXPECTED
    assert len(list(written.glob("part-*"))) == PARTS


def test_the_model_goes_to_each_worker_once(
    plus: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many parts a worker predicts."""
    monkeypatch.setenv("ARRIVALS_OF_TEST", str(tmp_path / "arrivals"))
    with executors.make_executor("process", workers=2) as process:
        result = executors.predict_partitions(process, COUNTER, plus(1), data, tmp_path / "out")
    assert rows(result) == EXPECTED
    arrivals = (tmp_path / "arrivals").read_text().split()
    assert 1 <= len(arrivals) <= 2
    assert len(set(arrivals)) == len(arrivals)


def test_a_client_that_is_killed_is_continued(plus: Any, data: Path, tmp_path: Path) -> None:
    """By another one: what was written stays, every row is there once, and no worker outlives its client."""
    (tmp_path / "client.py").write_text(CLIENT)
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "modules"),
        "ARRIVALS_OF_TEST": str(tmp_path / "arrivals"),
    }
    client = subprocess.Popen(
        [sys.executable, str(tmp_path / "client.py"), str(data), str(tmp_path / "out")], env=environment
    )
    wait_for(lambda: len(list(tmp_path.glob("out/part-*.parquet"))) >= 3)
    client.kill()
    client.wait()
    for worker in (tmp_path / "arrivals").read_text().split():
        wait_for(lambda: not is_running(int(worker)))  # noqa: B023
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/part-*.parquet")}
    assert 3 <= len(written) < PARTS
    with executors.InlineExecutor() as inline:
        options = {"slow": 0.2}
        result = executors.predict_partitions(inline, COUNTER, plus(1), str(data), tmp_path / "out", kwargs=options)
    assert rows(result) == EXPECTED
    assert result.done_before == len(written)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "manifest.json",
        *(f"part-{number:06}.parquet" for number in range(PARTS)),
    ]


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it holds, for a minute at most."""
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it did not come to pass in a minute")


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that nobody has waited for yet is none."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
