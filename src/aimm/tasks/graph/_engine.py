"""Runs the steps of a plan, one after another or side by side; each artifact is written as soon as it can be."""

import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, NamedTuple

from aimm._types import ignore_state
from aimm.errors import AimmError, StepError, StepOutputError, StepTypeError
from aimm.plugins import PluginManager, StateCallback
from aimm.tasks._artifacts import ArtifactInfo, save_artifact
from aimm.tasks._catalog import catalog_of
from aimm.tasks._outputs import split_outputs
from aimm.tasks._register import TASK
from aimm.tasks._types import check_value
from aimm.tasks._watch import unchanged
from aimm.tasks.graph._checkpoint import Checkpoints, model_type_of
from aimm.tasks.graph._keys import Keys
from aimm.tasks.graph._order import needs_of
from aimm.tasks.graph._plan import Call, Values, getter
from aimm.tasks.graph._references import fill
from aimm.tasks.graph._validate import Checked

if TYPE_CHECKING:
    from aimm.tasks.graph._elsewhere import Submits

_Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Settings(NamedTuple):
    """How a run runs; see :func:`aimm.tasks.graph.run`."""

    out: Path | None
    state_cb: StateCallback | None
    check_types: bool
    debug: bool
    manager: PluginManager | None


class Engine:
    """One run.

    Args:
        checked: A sound graph.
        calls: The steps to run, in order.
        values: What parameters, artifact inputs and finished steps give; grows as steps finish.
        to_write: Names of the artifact outputs to write.
        settings: How.
        checkpoints: Where finished steps are kept, if they are.
        keys: Their digests.

    Attributes:
        artifacts: The artifacts that were written.
        seconds: How long each step took.
    """

    def __init__(
        self,
        checked: Checked,
        calls: list[Call],
        values: Values,
        to_write: list[str],
        settings: Settings,
        checkpoints: Checkpoints | None = None,
        keys: Keys | None = None,
    ) -> None:
        self._checked, self._calls, self.values, self._settings = checked, calls, values, settings
        self._checkpoints, self._keys = checkpoints, keys
        self.artifacts: dict[str, ArtifactInfo] = {}
        self.seconds: dict[str, float] = {}
        self._opened: Callable[[Call, _Arguments, Any], Any] = lambda call, args, value: value
        manager = catalog_of(settings.manager).manager
        self._entries = {name: manager.entry(TASK, name) for name in {call.record.name for call in calls}}
        running = {call.step for call in calls}
        outputs = checked.model.artifact_outputs
        self._waiting = {name: running.intersection(needs_of(checked.model, outputs[name])) for name in to_write}
        self._artifacts_of: dict[str, list[str]] = {}
        for name, needs in self._waiting.items():
            for step in needs:
                self._artifacts_of.setdefault(step, []).append(name)

    def run(self, workers: int, executor: "Submits | str | None", timeout: float | None = None) -> None:
        """Run every step, and write every artifact.

        Raises:
            StepError: A step failed.
        """
        for name in [name for name, needs in self._waiting.items() if not needs]:
            self._write(name)
        if executor is not None:
            self._run_elsewhere(executor, timeout)
        elif workers > 1 and len(self._calls) > 1:
            self._run_in_threads(workers)
        else:
            for call in self._calls:
                started = time.perf_counter()
                args, kwargs = self._arguments(call)
                try:
                    value = self._invoke(call, args, kwargs)
                except Exception as error:
                    raise self._failure(call, error) from error
                self._finish(call, (args, kwargs), value, time.perf_counter() - started)

    def _run_elsewhere(self, executor: "Submits | str", timeout: float | None) -> None:
        from aimm.tasks.graph._elsewhere import Elsewhere

        elsewhere = Elsewhere(executor, catalog_of(self._settings.manager).manager, timeout)
        self._opened = elsewhere.opened
        has_callback = self._settings.state_cb is not None
        self._run_side_by_side(
            lambda call, args: elsewhere.submit(call, *args, self._callback(call) if has_callback else None)
        )

    def _run_in_threads(self, workers: int) -> None:
        from concurrent.futures import ThreadPoolExecutor
        from contextvars import copy_context

        with ThreadPoolExecutor(workers, "aimm-graph") as pool:
            self._run_side_by_side(
                lambda call, args: pool.submit(copy_context().run, lambda: self._invoke(call, *args))
            )

    def _run_side_by_side(self, submit: Callable[[Call, _Arguments], "Future[Any]"]) -> None:
        waits = {call.step: 0 for call in self._calls}
        users: dict[str, list[Call]] = {}
        for call in self._calls:
            for other in self._checked.edges[call.step]:
                if other in waits:
                    waits[call.step] += 1
                    users.setdefault(other, []).append(call)
        ready = [call for call in self._calls if not waits[call.step]]
        running: dict[Future[Any], tuple[int, Call, _Arguments, float]] = {}
        position = {call.step: index for index, call in enumerate(self._calls)}
        failures: list[tuple[int, StepError]] = []
        while ready or running:
            for call in [] if failures else ready:
                try:
                    args = self._arguments(call)
                    running[submit(call, args)] = (position[call.step], call, args, time.perf_counter())
                except StepError as error:
                    failures.append((position[call.step], error))
            ready = []
            done = wait(running, return_when=FIRST_COMPLETED).done if running else ()
            for index, future in sorted((running[future][0], future) for future in done):
                _, call, args, started = running.pop(future)
                try:
                    self._collect(call, args, future, started)
                except StepError as error:
                    failures.append((index, error))
                    continue
                for user in users.get(call.step, ()):
                    waits[user.step] -= 1
                    if not waits[user.step]:
                        ready.append(user)
            ready.sort(key=lambda call: position[call.step])
        _raise_first(failures)

    def _collect(self, call: Call, args: _Arguments, future: "Future[Any]", started: float) -> None:
        try:
            value = future.result()
        except Exception as error:
            raise self._failure(call, error) from error
        self._finish(call, args, self._opened(call, args, value), time.perf_counter() - started)

    def _arguments(self, call: Call) -> _Arguments:
        """The arguments of a step, checked; says that it begins."""
        values = self.values
        try:
            args = tuple([get(values) for get in call.args])
            kwargs = {name: get(values) for name, get in call.kwargs} if call.kwargs else {}
        except KeyError as error:
            raise self._error(StepOutputError, call, f"{error.args[0]} was not given: the step returned less") from None
        if self._settings.check_types:
            for where, check in call.wanted:
                value = args[where] if type(where) is int else kwargs[where]  # type: ignore[index]
                problem = None if type(value) in check.exact else check(value)
                if problem:
                    what = f"argument {where + 1}" if isinstance(where, int) else f"argument {where!r}"
                    raise self._error(StepTypeError, call, f"{what}: {problem}")
        if self._settings.state_cb is not None:
            self._report(call, "running")
        return args, kwargs

    def _invoke(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        invoke = self._entries[call.record.name].invoke  # as it is now: a wrapper may have come since
        if not self._settings.debug:
            return invoke(None, self._callback(call), args, kwargs)
        given = {f"argument {index + 1}": value for index, value in enumerate(args)}
        with unchanged(call.record.name, {**given, **{f"argument {key!r}": kwargs[key] for key in kwargs}}):
            return invoke(None, self._callback(call), args, kwargs)

    def _finish(self, call: Call, args: _Arguments, value: Any, seconds: float) -> None:
        if call.form == "one":
            outputs = {call.outputs[0][0]: value}
        elif not call.outputs:
            outputs = {}
        else:
            try:
                outputs = split_outputs([name for name, _ in call.outputs], value, call.form, call.record.name)
            except AimmError as error:
                raise self._failure(call, error) from error
        if self._settings.check_types:
            for name, check in call.given.items():
                if name in outputs and type(outputs[name]) not in check.exact:
                    problem = check(outputs[name])
                    if problem:
                        raise self._error(StepTypeError, call, f"output {name!r}: {problem}")
        for name, references in call.outputs:
            if name in outputs:
                for reference in references:
                    self.values[reference] = outputs[name]
        self.seconds[call.step] = seconds
        if self._checkpoints is not None and self._keys is not None:
            model_type = model_type_of(call.record.name, *args)
            self._checkpoints.save_step(call.step, self._keys.steps[call.step], outputs, model_type)
        if self._settings.state_cb is not None:
            self._report(call, "done")
        for name in self._artifacts_of.get(call.step, ()):
            self._waiting[name].discard(call.step)
            if not self._waiting[name]:
                self._write(name, call)

    def _write(self, name: str, call: Call | None = None) -> None:
        if self._settings.out is None:
            return
        output, handler = self._checked.model.artifact_outputs[name], self._checked.handlers[name]
        try:
            contents = getter(output.contents)(self.values)
            args = fill(output.args, self.values.__getitem__)
            if self._settings.check_types:
                problem = check_value(handler.contents, contents)
                if problem:
                    raise TypeError(f"contents: {problem}")
            self.artifacts[name] = save_artifact(self._settings.out, name, contents, handler, args)
        except Exception as error:
            place = f"{handler.file}:{handler.line}" if handler.file else None
            problem = f"the artifact {name!r} was not written: {_text(error)}"
            step = call.step if call else name
            raise StepError(step, handler.name, handler.source.describe(), place, problem) from error
        if self._checkpoints is not None and self._keys is not None:
            self._checkpoints.save_artifact(name, self._keys.artifacts[name])

    def _callback(self, call: Call) -> StateCallback:
        state_cb = self._settings.state_cb
        if state_cb is None:
            return ignore_state

        def report(state: Any) -> None:
            state = dict(state) if isinstance(state, Mapping) else {"state": state}
            part = state.get("progress")
            inside = min(max(part, 0), 1) if isinstance(part, (int, float)) else 0
            if call.step in self.seconds:  # from elsewhere it may come late, when the step is counted as done
                inside = 0
            own = {} if part is None else {"step_progress": inside}
            progress = (len(self.seconds) + inside) / len(self._calls)
            state_cb({**state, "step": call.step, "task": call.record.name, **own, "progress": progress})

        return report

    def _report(self, call: Call, status: str) -> None:
        assert self._settings.state_cb is not None
        progress = len(self.seconds) / len(self._calls)
        self._settings.state_cb({"step": call.step, "task": call.record.name, "status": status, "progress": progress})

    def _failure(self, call: Call, error: Exception) -> StepError:
        return self._error(StepError, call, _text(error), error)

    def _error(self, kind: type[StepError], call: Call, problem: str, cause: Exception | None = None) -> StepError:
        record = call.record
        place = f"{record.file}:{_failing_line(record.file, cause) or record.line}" if record.file else None
        return kind(call.step, record.name, record.source.describe(), place, problem)


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, AimmError) else f"{type(error).__name__}: {error}".removesuffix(": ")


def _failing_line(file: str, error: Exception | None) -> int | None:
    """The last line of a file that an error came through; another process sends its traceback as text."""
    if error is None:
        return None
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    if not lines and error.__cause__ is not None:
        lines = [int(line) for line in re.findall(rf'File "{re.escape(file)}", line (\d+)', str(error.__cause__))]
    return lines[-1] if lines else None


def _raise_first(failures: list[tuple[int, StepError]]) -> None:
    if failures:
        failures.sort(key=lambda pair: pair[0])
        for _, other in failures[1:]:
            failures[0][1].add_note(f"also: {other}")
        raise failures[0][1]
