"""Checks of tasks and of artifact handlers."""

import tempfile
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

from aimm import plugins, tasks
from aimm.errors import AimmError, TaskOutputWarning
from aimm.testing._checks import ARTIFACT, TASK, FailedError, SkippedError, check
from aimm.testing._checks_states import expect_json
from aimm.testing._compare import same
from aimm.testing._examples import Arguments


class Task(NamedTuple):
    """A task with arguments to try it with.

    Attributes:
        manager: Where it is loaded.
        record: What is known about it.
        arguments: The arguments; None if there are none.
    """

    manager: plugins.PluginManager
    record: tasks.TaskRecord
    arguments: Arguments | None

    def run(self, arguments: Arguments | None = None, state_cb: Any = None) -> Any:
        """Run the task.

        Raises:
            SkippedError: Nobody said with what arguments.
        """
        given = arguments or _given(self.arguments)
        return tasks.call_task(self.record, given.args, dict(given.kwargs), state_cb, manager=self.manager)


class Handler(NamedTuple):
    """An artifact handler with a value to write.

    Attributes:
        record: What is known about it.
        arguments: The value, and the further arguments of ``serialize``; None if there are none.
    """

    record: tasks.HandlerRecord
    arguments: Arguments | None


def example_of(name: str, given: Any) -> Arguments | None:
    """The arguments for a task or handler, by its full name or an end of it."""
    if not isinstance(given, Mapping):
        return None
    for key, arguments in given.items():
        if isinstance(arguments, Arguments) and (name == key or name.endswith(f".{key}")):
            return arguments.copied()
    return None


def _given(arguments: Arguments | None) -> Arguments:
    if arguments is None:
        raise SkippedError("there is no example: let the plugin supply aimm_examples() with call(...) for it")
    return arguments.copied()


@check(TASK, "task-works", hint="make the task work with the example's arguments")
def task_works(subject: Task) -> None:
    """The task runs."""
    subject.run()


@check(
    TASK,
    "task-outputs-fit",
    needs=["task-works"],
    hint="return as many values as there are outputs, or correct register(outputs=[...]) or the return hint",
)
def task_outputs_fit(subject: Task) -> None:
    """What the task returns can be split into the outputs that it declares."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", TaskOutputWarning)
        try:
            found = tasks.split_outputs(subject.record, subject.run())
        except (AimmError, TaskOutputWarning) as error:
            raise FailedError(str(error)) from None
    if lacking := [output.name for output in subject.record.outputs if output.name not in found]:
        raise FailedError(f"it gives no {' and no '.join(lacking)}")


@check(TASK, "task-leaves-its-inputs", needs=["task-works"], hint="work on a copy: other steps of a graph get the same")
def task_leaves_its_inputs(subject: Task) -> None:
    """The task does not change its arguments."""
    given, kept = _given(subject.arguments), _given(subject.arguments)
    subject.run(given)
    if not same(tuple(given), tuple(kept)):
        raise FailedError("it changes its arguments")


@check(TASK, "task-states-are-json", needs=["task-works"], hint="report dicts of numbers, texts, lists and dicts")
def task_states_are_json(subject: Task) -> None:
    """Every state that the task reports is a dict that JSON can hold."""
    states: list[Any] = []
    subject.run(state_cb=states.append)
    expect_json(states, "it")


@check(
    ARTIFACT,
    "artifact-is-written",
    hint="write into working_dir, and return the file or folder that was written",
)
def artifact_is_written(subject: Handler) -> None:
    """The handler writes the value into the folder that it is given, and says where."""
    _written_and_read(subject, read=False)


@check(
    ARTIFACT,
    "artifact-round-trip",
    needs=["artifact-is-written"],
    hint="let deserialize read everything that serialize wrote",
)
def artifact_round_trip(subject: Handler) -> None:
    """What the handler reads back equals what it wrote."""
    wanted = _given(subject.arguments).args[0]
    found = _written_and_read(subject, read=True)
    if not same(found, wanted):
        raise FailedError(f"it wrote {repr(wanted)[:60]}, and read {repr(found)[:60]}")


def _written_and_read(subject: Handler, *, read: bool) -> Any:
    given = _given(subject.arguments)
    with tempfile.TemporaryDirectory(prefix="aimm-check-") as folder:
        written = tasks.save_artifact(folder, "checked", given.args[0], subject.record, dict(given.kwargs))
        return tasks.load_artifact(folder, written, subject.record) if read else None
