"""Whatever a plugin does to its worker, the host gets a typed error and goes on."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimm import executors
from aimm.errors import (
    Cancelled,
    DeadlineExceeded,
    MemoryLimitExceeded,
    NotTransferableError,
    WorkerCrashed,
)

PATIENT = 60
CRASHES = 8


@pytest.mark.parametrize(
    ("name", "arguments", "signal", "exitcode"),
    [("killed", (), "SIGKILL", -9), ("segfault", (), "SIGSEGV", -11), ("leave", (3,), "", 3), ("leave", (0,), "", 0)],
)
def test_a_worker_that_dies_is_a_typed_error(
    process: Any, jobs: Any, name: str, arguments: Any, signal: str, exitcode: int
) -> None:
    """It names the call and the signal or exit code, and the next job gets a new worker."""
    job = process.submit(getattr(jobs, name), *arguments)
    with pytest.raises(WorkerCrashed, match=signal or f"exit code {exitcode}") as caught:
        job.result(PATIENT)
    assert (caught.value.signal, caught.value.exitcode) == (signal, exitcode)
    assert name in str(caught.value)
    assert process.submit(jobs.double, 1).result(PATIENT) == 2


def test_what_cannot_be_pickled_is_said(process: Any, jobs: Any) -> None:
    """Result, exception and arguments each by name, and the worker lives on."""
    before = process.submit(jobs.pid).result(PATIENT)
    with pytest.raises(NotTransferableError, match="its result cannot be pickled"):
        process.submit(jobs.give_lambda).result(PATIENT)
    with pytest.raises(NotTransferableError, match="raised an exception that cannot be pickled, which was Odd: 1"):
        process.submit(jobs.raise_odd).result(PATIENT)
    with pytest.raises(NotTransferableError, match="its arguments cannot be pickled"):
        process.submit(jobs.double, lambda: 1).result(PATIENT)
    assert process.submit(jobs.pid).result(PATIENT) == before


def test_printing_harms_nothing(process: Any, jobs: Any) -> None:
    """Neither through Python nor below it."""
    assert process.submit(jobs.noisy).result(PATIENT) == "said"


def test_one_that_does_not_listen_is_killed(process: Any, jobs: Any) -> None:
    """After the time of grace, at a deadline and at a cancellation."""
    with pytest.raises(DeadlineExceeded, match="deaf took longer"):
        process.submit(jobs.deaf, timeout=0.2).result(PATIENT)
    job = process.submit(jobs.deaf)
    assert job.cancel()
    with pytest.raises(Cancelled):
        job.result(PATIENT)
    assert process.submit(jobs.double, 1).result(PATIENT) == 2


def test_one_that_listens_keeps_its_worker(process: Any, jobs: Any) -> None:
    """Only who ignores the question is killed."""
    before = process.submit(jobs.pid).result(PATIENT)
    with pytest.raises(DeadlineExceeded):
        process.submit(jobs.hang, timeout=0.2).result(PATIENT)
    assert process.submit(jobs.pid).result(PATIENT) == before


def test_a_queued_job_is_cancelled_without_running(process: Any, jobs: Any, tmp_path: Path) -> None:
    """It never starts."""
    first = process.submit(jobs.hang)
    second = process.submit(jobs.raise_and_count, str(tmp_path / "ran"))
    assert second.cancel()
    assert second.cancelled()
    first.cancel()
    assert process.submit(jobs.double, 1).result(PATIENT) == 2
    assert not (tmp_path / "ran").exists()


def test_too_much_memory_is_a_typed_error(make: Any, jobs: Any) -> None:
    """The worker's own allocation fails; the machine never notices."""
    with make("process", workers=1, memory="2GB") as limited:
        with pytest.raises(MemoryLimitExceeded, match=r"more memory than its worker may have \(1,907 MiB\)"):
            limited.submit(jobs.much, 1 << 33).result(PATIENT)
        assert limited.submit(jobs.much, 1000).result(PATIENT) == 1000


def test_a_crash_under_a_memory_limit_mentions_it(make: Any, jobs: Any) -> None:
    """Libraries that get no memory end the process in ways of their own; without a limit nothing is said of it."""
    for memory, notes in (
        ("2GB", ["its memory was limited to 1,907 MiB; some libraries end the process there"]),
        (None, []),
    ):
        with make("process", workers=1, memory=memory) as limited:
            assert getattr(limited.submit(jobs.leave, 1).exception(PATIENT), "__notes__", []) == notes


def test_crashes_are_tried_again_within_a_bound(make: Any, jobs: Any, tmp_path: Path) -> None:
    """Exceptions are not."""
    with make("process", workers=1, retries=2) as patient:
        assert patient.submit(jobs.crash_until, str(tmp_path / "three"), 3).result(PATIENT) == 3
        error = patient.submit(jobs.crash_until, str(tmp_path / "nine"), 9).exception(PATIENT)
        assert isinstance(error, WorkerCrashed)
        assert error.attempts == 3
        assert "(tried 3 times)" in str(error)
        with pytest.raises(ValueError, match="boom"):
            patient.submit(jobs.raise_and_count, str(tmp_path / "once")).result(PATIENT)
        assert (tmp_path / "once").read_text() == "x"


def test_a_further_attempt_is_no_news_for_the_log(
    make: Any, jobs: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A job that runs already is not told so again, which futures complain about."""
    with make("process", workers=1, retries=1) as patient:
        assert patient.submit(jobs.crash_until, str(tmp_path / "two"), 2).result(PATIENT) == 2
    assert not caplog.records


def test_other_jobs_go_on(make: Any, jobs: Any) -> None:
    """While one worker after the other is killed beside them."""
    with make("process", workers=2) as two:
        good = [two.submit(jobs.double, number) for number in range(30)]
        bad = [two.submit(jobs.killed) for _ in range(3)]
        good += [two.submit(jobs.double, number) for number in range(30)]
        assert [job.result(PATIENT) for job in good] == [2 * n for n in range(30)] * 2
        assert all(isinstance(job.exception(PATIENT), WorkerCrashed) for job in bad)


def test_an_idle_worker_that_is_killed_is_replaced(process: Any, jobs: Any) -> None:
    """By somebody outside, between two jobs."""
    for _ in range(3):
        os.kill(process.submit(jobs.pid).result(PATIENT), 9)
        assert process.submit(jobs.double, 4).result(PATIENT) == 8


def test_what_a_plugin_started_ends_with_it(process: Any, jobs: Any, tmp_path: Path) -> None:
    """A process of the plugin's own does not outlive its worker."""
    process.submit(jobs.spawn_child, str(tmp_path / "pid")).exception(PATIENT)
    child = int((tmp_path / "pid").read_text())
    for _ in range(600):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split(")")[1]:
            return
        time.sleep(0.05)
    pytest.fail("the child still runs")


@pytest.mark.parametrize("end", [-9, 3, 0])
def test_a_daemon_that_a_plugin_leaves_hides_no_death(process: Any, jobs: Any, tmp_path: Path, end: int) -> None:
    """It holds all that its worker had open, so that nothing closes when the worker dies."""
    error = process.submit(jobs.leave_a_daemon, str(tmp_path / "pid"), end).exception(PATIENT)
    os.kill(int((tmp_path / "pid").read_text()), 9)
    assert isinstance(error, WorkerCrashed)
    assert error.exitcode == end


def test_a_result_that_shared_memory_does_not_hold_is_a_typed_error(process: Any, jobs: Any) -> None:
    """The worker lives on."""
    before = process.submit(jobs.pid).result(PATIENT)
    process.submit(jobs.small_files_only).result(PATIENT)
    with pytest.raises(OSError, match="File too large"):
        process.submit(jobs.double, b"x" * (1 << 20)).result(PATIENT)
    assert process.submit(jobs.pid).result(PATIENT) == before
    os.kill(before, 9)  # the limit was its


@pytest.mark.parametrize("size", [10, (1 << 13) - 50, 1 << 13, 1 << 20, 1 << 24])
def test_a_long_pickle_arrives_and_comes_back(process: Any, jobs: Any, size: int) -> None:
    """However long, though it has no arrays: to a new worker, which does not listen yet, too."""
    os.kill(process.submit(jobs.pid).result(PATIENT), 9)
    assert process.submit(jobs.double, "x" * size).result(PATIENT) == "x" * 2 * size


def test_crashes_leave_nothing_behind(make: Any, jobs: Any, tmp_path: Path) -> None:
    """No process, no descriptor, no thread and no file, however many workers die."""
    with make("process", workers=1) as warm:
        warm.submit(jobs.double, 1).result(PATIENT)
    before = _held()
    with make("process", workers=2) as two:
        folder = two._settings.folder
        crashed = [two.submit(jobs.killed) for _ in range(CRASHES)]
        assert all(isinstance(job.exception(PATIENT), WorkerCrashed) for job in crashed)
    for _ in range(200):
        if _held() <= before:
            break
        time.sleep(0.05)
    assert _held() <= before
    assert not os.path.exists(folder)


def _held() -> tuple[int, int]:
    import multiprocessing

    multiprocessing.active_children()
    return len(os.listdir("/proc/self/fd")), threading.active_count()


def test_arrays_arrive_and_come_back(process: Any, jobs: Any) -> None:
    """Large ones through shared memory, which a later call does not overwrite while a plugin still holds it."""
    one = np.arange(1 << 18, dtype=float)
    assert np.array_equal(process.submit(jobs.double, one).result(PATIENT), one * 2)
    assert process.submit(jobs.keep_array, one).result(PATIENT) == one.sum()
    process.submit(jobs.double, np.zeros(1 << 18)).result(PATIENT)
    assert process.submit(jobs.kept_sum).result(PATIENT) == one.sum()


def test_a_kept_instance_survives_its_worker(process: Any, counter: Any, jobs: Any) -> None:
    """A new worker gets it again."""
    from aimm import plugins

    kept = executors.keep("model_of_test.Counter", counter(1))
    for _ in range(2):
        _, prediction = process.submit(plugins.exec_predict, "model_of_test.Counter", kept, None, 1).result(PATIENT)
        assert prediction == 3
        process.submit(jobs.killed).exception(PATIENT)
