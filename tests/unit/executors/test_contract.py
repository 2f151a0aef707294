"""What holds for every executor: the same calls, the same results, the same errors."""

import asyncio
import concurrent.futures
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimm import executors, plugins
from aimm.errors import (
    Cancelled,
    DeadlineExceeded,
    ExecutorClosedError,
    ExecutorOptionError,
    PluginExitError,
    PluginNotFoundError,
    StateCallbackError,
    StateRefusedError,
)

COUNTER = "model_of_test.Counter"
PATIENT = 60


def test_a_plain_function_runs(executor: Any, jobs: Any) -> None:
    """Any function that can be imported runs, and its job is a future."""
    job = executor.submit(jobs.double, 21)
    assert isinstance(job, concurrent.futures.Future)
    assert job.result(PATIENT) == 42
    assert job.done()
    assert job.exception() is None
    assert not job.cancelled()


def test_the_six_actions_give_what_they_give_directly(executor: Any, counter: Any) -> None:
    """All ``exec_*`` functions, with an instance that cannot be pickled."""
    made = executor.submit(plugins.exec_instantiate, COUNTER, None, n=4).result(PATIENT)
    assert made.n == 4
    fitted = executor.submit(plugins.exec_fit, COUNTER, made, None, [1, 2], y=None).result(PATIENT)
    assert (type(fitted), fitted.n) == (counter, 6)
    after, prediction = executor.submit(plugins.exec_predict, COUNTER, fitted, None, np.arange(3)).result(PATIENT)
    assert prediction.tolist() == [7, 8, 9]
    assert after.n == 7, "the altered instance comes back"
    content = executor.submit(plugins.exec_serialize, COUNTER, after).result(PATIENT)
    assert content == b"7"
    assert executor.submit(plugins.exec_deserialize, COUNTER, b"9").result(PATIENT).n == 9
    assert executor.submit(plugins.exec_data_access, "numbers", None, n=2).result(PATIENT) == [0, 1]


def test_fit_that_returns_nothing_gives_the_altered_instance(executor: Any, counter: Any) -> None:
    """Elsewhere a fit in place would be lost."""
    assert executor.submit(plugins.exec_fit, "reporting", [], None, 2).result(PATIENT) == [2]


def test_states_arrive_in_order(executor: Any, counter: Any) -> None:
    """The job iterates over all of them, and knows the newest."""
    job = executor.submit(plugins.exec_fit, "reporting", [], 50, state_cb=lambda state: None)
    assert [state["epoch"] for state in job.states(PATIENT)] == list(range(50))
    assert job.state == {"epoch": 49, "progress": 1.0}


def test_a_kept_instance_predicts(executor: Any, counter: Any) -> None:
    """A snapshot that stays where it is: what comes back is the kept instance itself."""
    kept = executors.keep(COUNTER, counter(5))
    for _ in range(2):
        after, prediction = executor.submit(plugins.exec_predict, COUNTER, kept, None, 1).result(PATIENT)
        assert after is kept
    assert prediction == 8
    assert executor.submit(plugins.exec_fit, COUNTER, kept, None, [0]).result(PATIENT).n == 6


def test_an_exception_of_the_plugin_passes_as_itself(executor: Any, jobs: Any) -> None:
    """Type and arguments are the plugin's own."""
    error = executor.submit(jobs.raise_value).exception(PATIENT)
    assert (type(error), error.args) == (ValueError, ("boom", 3))


def test_an_exception_of_a_plugin_keeps_its_note(executor: Any, counter: Any) -> None:
    """The note says whose it is, as in a direct call."""
    error = executor.submit(plugins.exec_fit, COUNTER, counter(), None, 5).exception(PATIENT)
    assert type(error) is TypeError
    assert any(COUNTER in note for note in error.__notes__)


@pytest.mark.parametrize("name", ["leave_politely", "interrupt"])
def test_a_function_that_would_end_the_host_does_not(executor: Any, jobs: Any, name: str) -> None:
    """``sys.exit`` and a ``KeyboardInterrupt`` of its own become an error of the job."""
    error = executor.submit(getattr(jobs, name)).exception(PATIENT)
    assert isinstance(error, PluginExitError)


def test_an_unknown_model_type_is_said(executor: Any, jobs: Any) -> None:
    """With the same error as in a direct call."""
    job = executor.submit(plugins.exec_instantiate, "no.such")
    with pytest.raises(PluginNotFoundError, match=r"no plugin for instantiate of 'no\.such'"):
        job.result(PATIENT)


@pytest.mark.parametrize(("name", "words"), [("bad_state", r"'loss' is numpy\.float32"), ("no_dict", "it is list")])
def test_a_state_that_is_no_json_is_refused_by_name(executor: Any, jobs: Any, name: str, words: str) -> None:
    """The error names the key and its type, in the plugin's own call."""
    job = executor.submit(getattr(jobs, name), state_cb=lambda state: None)
    with pytest.raises(StateRefusedError, match=words):
        job.result(PATIENT)


def test_a_deadline_ends_a_plugin_that_hangs(executor: Any, jobs: Any) -> None:
    """The error is a ``TimeoutError`` that names the call."""
    job = executor.submit(jobs.hang, timeout=0.2)
    with pytest.raises(DeadlineExceeded, match=r"hang took longer than 0\.2 s") as caught:
        job.result(PATIENT)
    assert isinstance(caught.value, TimeoutError)


def test_cancelling_ends_a_plugin_that_reports(executor: Any, jobs: Any, tmp_path: Path) -> None:
    """It is asked first: its clean-up runs."""
    job = executor.submit(jobs.report_for_ever, str(tmp_path / "cleaned"), state_cb=lambda state: None)
    next(job.states(PATIENT))
    assert job.running()
    assert job.cancel()
    with pytest.raises(Cancelled, match=r"report_for_ever was cancelled"):
        job.result(PATIENT)
    assert job.cancelled()
    assert not job.cancel()
    for _ in range(600):
        if (tmp_path / "cleaned").exists():
            break
        executor_pause()
    assert (tmp_path / "cleaned").exists()


def executor_pause() -> None:
    """Let others work."""
    import time

    time.sleep(0.05)


@pytest.mark.parametrize("kind", ["inline", "process"])
def test_an_error_in_a_with_block_waits_for_no_job(make: Any, jobs: Any, kind: str) -> None:
    """Ctrl-C ends the block at once, and with it what hangs."""
    executor = make(kind)
    job = executor.submit(jobs.hang)
    with pytest.raises(KeyboardInterrupt), executor:
        raise KeyboardInterrupt
    assert isinstance(job.exception(PATIENT), Cancelled)


def test_a_job_can_be_awaited(executor: Any, jobs: Any) -> None:
    """In an event loop, beside others."""

    async def both() -> list[Any]:
        return await asyncio.gather(executor.submit(jobs.double, 1), executor.submit(jobs.double, 2))

    assert asyncio.run(both()) == [2, 4]


def test_the_standard_functions_for_futures_work(executor: Any, jobs: Any) -> None:
    """``wait``, ``as_completed`` and ``map`` of ``concurrent.futures``."""
    submitted = [executor.submit(jobs.double, number) for number in range(4)]
    assert concurrent.futures.wait(submitted, PATIENT).not_done == set()
    assert {job.result() for job in concurrent.futures.as_completed(submitted)} == {0, 2, 4, 6}
    assert list(executor.map(jobs.double, range(3))) == [0, 2, 4]


def test_a_raising_callback_does_not_stop_the_job(executor: Any, jobs: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once, and further states still arrive."""
    seen: list[Any] = []

    def callback(state: Any) -> None:
        seen.append(state["n"])
        raise RuntimeError("mine")

    assert executor.submit(jobs.count_up, 20, state_cb=callback).result(PATIENT) == 20
    for _ in range(600):
        if len(seen) == 20:
            break
        executor_pause()
    assert seen == list(range(20))
    assert caplog.text.count("the state callback of") == 1


def test_a_slow_callback_does_not_hold_up_the_job(executor: Any, jobs: Any) -> None:
    """The result is there while the first state is still being looked at."""
    import threading

    release = threading.Event()
    job = executor.submit(jobs.count_up, 5, state_cb=lambda state: release.wait(PATIENT))
    assert job.result(PATIENT) == 5
    release.set()


def test_data_in_the_place_of_the_callback_is_refused(executor: Any, counter: Any) -> None:
    """As in a direct call."""
    with pytest.raises(StateCallbackError, match="state_cb"):
        executor.submit(plugins.exec_fit, COUNTER, counter(), [1, 2])


def test_a_timeout_must_be_positive(executor: Any, jobs: Any) -> None:
    """Zero is most likely a mistake."""
    with pytest.raises(ExecutorOptionError, match="timeout=0: expected a number of seconds above 0"):
        executor.submit(jobs.double, 1, timeout=0)


def test_after_shutdown_no_job_is_taken(executor: Any, jobs: Any) -> None:
    """The error says what to do."""
    job = executor.submit(jobs.double, 1)
    executor.shutdown()
    assert job.done()
    with pytest.raises(ExecutorClosedError, match="is shut down"):
        executor.submit(jobs.double, 1)


def test_a_missing_argument_is_a_type_error(executor: Any) -> None:
    """Before anything runs."""
    with pytest.raises(TypeError, match=r"exec_fit\(\) needs the argument 'instance'"):
        executor.submit(plugins.exec_fit, COUNTER)
