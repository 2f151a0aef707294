"""What is special on a Dask cluster: how it is named, and that a crash there is met as on the host."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimm import executors, plugins
from aimm.errors import DeadlineExceeded, ExecutorClosedError, MemoryLimitExceeded, WorkerCrashed

PATIENT = 60


def test_the_cluster_is_a_client_its_futures_interface_or_an_address(cluster: Any, jobs: Any) -> None:
    """All three name the same workers; only a client that was made here is closed here."""
    for given in (cluster, cluster.get_executor()):
        with executors.make_executor("dask", cluster=given) as dask:
            assert dask.submit(jobs.double, 2).result(PATIENT) == 4
    address = cluster.scheduler.address
    assert executors.submit(f"dask:{address}", jobs.double, 3).result(PATIENT) == 6
    shared = executors.get_executor(f"dask:{address}")
    shared.shutdown()
    assert executors.get_executor(f"dask:{address}") is not shared, "one that is shut down is made again"
    executors.get_executor(f"dask:{address}").shutdown()
    assert cluster.status == "running"


def test_an_executor_whose_cluster_is_gone_takes_no_jobs(cluster: Any, jobs: Any) -> None:
    """The error says so at once."""
    from distributed import Client

    client = Client(cluster.scheduler.address, set_as_default=False)
    with executors.make_executor("dask", cluster=client) as dask:
        client.close()
        with pytest.raises(ExecutorClosedError, match="is shut down"):
            dask.submit(jobs.double, 1)


@pytest.mark.parametrize(("name", "signal"), [("killed", "SIGKILL"), ("segfault", "SIGSEGV")])
def test_a_crash_is_a_typed_error_and_costs_no_dask_worker(make: Any, jobs: Any, name: str, signal: str) -> None:
    """It names the signal; the Dask worker is the same as before, and goes on."""
    with make("dask") as dask:
        before = list(dask._client.scheduler_info()["workers"])
        beside = dask.submit(jobs.double, 5)
        with pytest.raises(WorkerCrashed, match=f"{name}.*{signal}"):
            dask.submit(getattr(jobs, name)).result(PATIENT)
        assert beside.result(PATIENT) == 10
        assert dask.submit(jobs.double, 1).result(PATIENT) == 2
        assert list(dask._client.scheduler_info()["workers"]) == before


def test_deadline_memory_and_retries_are_those_of_the_process_executor(make: Any, jobs: Any, tmp_path: Path) -> None:
    """A deaf plugin is killed, a greedy one refused, a crash tried again."""
    with make("dask", memory="2GB", grace=0.2, retries=1) as dask:
        with pytest.raises(DeadlineExceeded, match="deaf took longer"):
            dask.submit(jobs.deaf, timeout=0.2).result(PATIENT)
        with pytest.raises(MemoryLimitExceeded, match="1,907 MiB"):
            dask.submit(jobs.much, 1 << 33).result(PATIENT)
        assert dask.submit(jobs.crash_until, str(tmp_path / "two"), 2).result(PATIENT) == 2


def test_a_plugin_that_nobody_waits_for_any_more_is_stopped(make: Any, jobs: Any, tmp_path: Path) -> None:
    """Cancelling reaches the worker process beside the Dask worker."""
    with make("dask") as dask:
        job = dask.submit(jobs.report_for_ever, str(tmp_path / "cleaned"), state_cb=lambda state: None)
        next(job.states(PATIENT))
        job.cancel()
        stopped = threading.Event()
        for _ in range(600):
            if (tmp_path / "cleaned").exists():
                stopped.set()
                break
            threading.Event().wait(0.05)
        assert stopped.is_set()


def test_arrays_of_a_model_pass_in_both_directions(make: Any, jobs: Any, counter: Any) -> None:
    """Out of band, as everywhere."""
    with make("dask") as dask:
        array = np.arange(1 << 18, dtype=float)
        after, prediction = dask.submit(plugins.exec_predict, "model_of_test.Counter", counter(1), None, array).result(
            PATIENT
        )
    assert after.n == 2
    assert np.array_equal(prediction, array + 2)
