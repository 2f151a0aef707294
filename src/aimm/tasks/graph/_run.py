"""Running a graph: check it, take what is given, plan, run."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aimm.errors import GraphError, InvalidGraphError, StateCallbackError
from aimm.plugins import PluginManager, StateCallback
from aimm.tasks._artifacts import ArtifactInfo
from aimm.tasks._catalog import catalog_of
from aimm.tasks.graph._checkpoint import Checkpoints
from aimm.tasks.graph._engine import Engine, Settings
from aimm.tasks.graph._graph import AnyGraph, as_graph
from aimm.tasks.graph._inputs import ArtifactPath, inputs_of, read_inputs, with_parameters
from aimm.tasks.graph._issues import Issue, nearest
from aimm.tasks.graph._keys import Keys
from aimm.tasks.graph._order import needs_of
from aimm.tasks.graph._plan import Call, Values, calls_of, outputs_of
from aimm.tasks.graph._references import Reference, parse_reference
from aimm.tasks.graph._resume import Plan, PlannedStep, plan_everything, plan_resumed
from aimm.tasks.graph._validate import Checked, check

if TYPE_CHECKING:
    from aimm.tasks.graph._elsewhere import Submits


class Prepared(NamedTuple):
    """A graph that was checked and can be run many times; see :func:`prepare`."""

    checked: Checked
    calls: list[Call]
    manager: PluginManager | None


class GraphResult:
    """What a run gave.

    Attributes:
        artifacts: The artifacts by name, those that were reused included.
        steps: What was done with each step, in order.
        seconds: How long each step took that was run.
        unwritten: The artifacts that were not written, because the run had no ``out``.
    """

    def __init__(
        self,
        steps: tuple[PlannedStep, ...],
        values: Values,
        artifacts: Mapping[str, ArtifactInfo],
        seconds: Mapping[str, float],
        load: Callable[[str], Values],
        last: Mapping[str, tuple[str, ...]],
        unwritten: tuple[str, ...],
    ) -> None:
        self.steps, self.artifacts, self.seconds = steps, dict(artifacts), dict(seconds)
        self.unwritten, self._values, self._load, self._last = unwritten, values, load, last

    def results(self) -> dict[str, Any]:
        """What the last steps gave, those whose values no other step takes: by ``step``, or ``step.output``."""
        found = {}
        for step, outputs in self._last.items():
            for output in outputs:
                name = step if len(outputs) == 1 else f"{step}.{output}"
                with suppress(KeyError):  # it was not returned, or it was reused and could not be kept
                    found[name] = self[f"{step}.{output}"]
        return found

    def __getitem__(self, name: str) -> Any:
        """The value of ``step``, ``step.output``, or a parameter; of a reused step it is read from where it was kept.

        Raises:
            KeyError: There is no such value.
        """
        reference = parse_reference(f"${name}") or Reference(name)
        if reference not in self._values:
            self._values.update(self._load(reference.name))
        if reference not in self._values:
            known = [str(one)[1:] for one in self._values]
            hint = nearest(name, known)
            raise KeyError(f"no value is called {name!r}{f'; {hint}' if hint else ''}")
        return self._values[reference]


def validate(graph: AnyGraph, *, installed: bool = True, manager: PluginManager | None = None) -> list[Issue]:
    """Find everything that is wrong with a graph, in the order of the file. Nothing is raised for it.

    Args:
        graph: A graph, its document, or the path of its file.
        installed: Whether to look for the tasks and handlers that it names, which loads their plugins. Without, the
            graph is checked by what it declares itself.
        manager: Whose plugins count; the default one if not given.

    Raises:
        OSError: The file cannot be opened.
    """
    return check(as_graph(graph).source(), manager, installed).issues


def prepare(graph: AnyGraph, *, manager: PluginManager | None = None) -> Prepared:
    """Check a graph once, to run it many times.

    Args:
        graph: A graph, its document, or the path of its file.
        manager: Whose plugins count; the default one if not given.

    Raises:
        InvalidGraphError: It has errors.
        OSError: The file cannot be opened.
    """
    checked = check(as_graph(graph).source(), manager)
    errors = [str(issue) for issue in checked.issues if issue.severity == "error"]
    if errors:
        raise InvalidGraphError(checked.source.name, errors)
    return Prepared(checked, calls_of(checked), manager)


class _Job:
    """The parts of a run that a dry one shares with a real one."""

    def __init__(
        self,
        graph: "AnyGraph | Prepared",
        parameters: Mapping[str, Any] | None,
        artifacts: Mapping[str, ArtifactPath] | None,
        out: str | os.PathLike[str] | None,
        check_types: bool,
        resume: bool,
        checkpoints: bool,
        allow_pickle: bool,
        manager: PluginManager | None,
    ) -> None:
        if resume and out is None:
            raise GraphError("resume needs out: the folder that the earlier run wrote to")
        self.prepared = graph if isinstance(graph, Prepared) else prepare(graph, manager=manager)
        self.checked, calls = self.prepared.checked, self.prepared.calls
        self.out = None if out is None else Path(out)
        find_handler = catalog_of(self.prepared.manager).handler
        self.parameters, self.given = inputs_of(
            self.checked, parameters or {}, artifacts or {}, check_types, find_handler
        )
        self.checkpoints: Checkpoints | None = None
        self.keys: Keys | None = None
        self.plan: Plan = plan_everything(self.checked, calls)
        if self.out is not None and (checkpoints or resume):
            self.checkpoints = Checkpoints(self.out, find_handler, allow_pickle)
            self.keys = Keys(self.checked, self.parameters, self.given)
            if resume:
                self.plan = plan_resumed(self.checked, calls, self.keys, self.checkpoints, self.out, allow_pickle)

    def reused(self, step: str) -> Values:
        """The values of a step that was reused."""
        task = self.checked.tasks.get(step)
        if self.checkpoints is None or task is None:
            return {}
        kept, outputs = self.checkpoints.load_step(step), outputs_of(step, task.outputs)
        return {ref: kept[name] for name, references in outputs if name in kept for ref in references}


def plan(
    graph: "AnyGraph | Prepared",
    parameters: Mapping[str, Any] | None = None,
    artifacts: Mapping[str, ArtifactPath] | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    check_types: bool = True,
    resume: bool = False,
    allow_pickle: bool = False,
    manager: PluginManager | None = None,
) -> Plan:
    """Say what :func:`run` would do with the same arguments; no task is called and nothing is written.

    Raises:
        InvalidGraphError: The graph has errors.
        GraphInputError: What is given does not fit the graph.
    """
    return _Job(graph, parameters, artifacts, out, check_types, resume, False, allow_pickle, manager).plan


def run(
    graph: "AnyGraph | Prepared",
    parameters: Mapping[str, Any] | None = None,
    artifacts: Mapping[str, ArtifactPath] | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    state_cb: StateCallback | None = None,
    check_types: bool = True,
    workers: int = 1,
    executor: "Submits | str | None" = None,
    timeout: float | None = None,
    resume: bool = False,
    checkpoints: bool = True,
    allow_pickle: bool = False,
    debug: bool = False,
    manager: PluginManager | None = None,
) -> GraphResult:
    """Run a graph.

    Args:
        graph: A graph, its document, the path of its file, or what :func:`prepare` gave.
        parameters: Values of its parameters.
        artifacts: For each artifact input a path, or a path with the name of a handler. Without a handler, the
            ``artifacts.json`` beside it tells, or the end of the file name.
        out: Folder that artifacts are written to; without it none are.
        state_cb: Receives a state when a step begins and ends, and what tasks report; ``progress`` goes from 0 to 1.
        check_types: Whether values are checked against the declared types.
        workers: How many steps may run at a time, in threads.
        executor: Runs the tasks elsewhere: the name of an executor of :mod:`aimm.executors`, such as ``process``, or
            an object with ``submit(function, *args)``, which returns a ``Future``. Values then cross by pickle, model
            instances by their plugin's ``serialize``.
        timeout: Deadline for each step in seconds, on an executor of :mod:`aimm.executors`.
        resume: Run only what changed or failed since the last run with this ``out``.
        checkpoints: Whether to keep in ``out`` what ``resume`` needs.
        allow_pickle: Whether what has no other form is pickled for that.
        debug: Whether to notice tasks that change values which others hold too. It is slow.
        manager: Whose plugins are used; the default one if not given.

    Returns:
        The values of the steps, and the artifacts.

    Raises:
        InvalidGraphError: The graph has errors; no step was run.
        GraphInputError: What is given does not fit the graph; no step was run.
        StepError: A step failed; the cause is the original exception. Artifacts written before stay.
        StateCallbackError: ``state_cb`` cannot be called.
    """
    if state_cb is not None and not callable(state_cb):
        raise StateCallbackError("run", "a graph", type(state_cb).__name__)
    job = _Job(graph, parameters, artifacts, out, check_types, resume, checkpoints, allow_pickle, manager)
    to_run = job.plan.to_run
    calls = [call for call in job.prepared.calls if call.step in to_run]
    to_write = [one.name for one in job.plan.artifacts if one.action == "write"]
    values = with_parameters(read_inputs(job.checked, job.given, check_types), job.parameters)
    for step in _reused_and_needed(job, calls, to_write):
        values.update(job.reused(step))
    settings = Settings(job.out, state_cb, check_types, debug, job.prepared.manager)
    engine = Engine(job.checked, calls, values, to_write, settings, job.checkpoints, job.keys)
    engine.run(workers, executor, timeout)
    kept = {**job.plan.kept, **engine.artifacts}
    unwritten = tuple(name for name in job.checked.handlers if name not in kept)
    last = _last(job.prepared.calls)
    return GraphResult(job.plan.steps, engine.values, kept, engine.seconds, job.reused, last, unwritten)


def _last(calls: list[Call]) -> dict[str, tuple[str, ...]]:
    taken = {step for call in calls for step in call.needs}
    return {call.step: tuple(name for name, _ in call.outputs) for call in calls if call.step not in taken}


def _reused_and_needed(job: _Job, calls: list[Call], to_write: list[str]) -> list[str]:
    running = {call.step for call in calls}
    needed, model = {step for call in calls for step in call.needs}, job.checked.model
    for name in to_write:
        needed.update(needs_of(model, model.artifact_outputs[name]))
    return [step for step in job.checked.order if step in needed and step not in running]
