"""What a run has to do: everything, or only what changed, failed, or is needed for that."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from aimm.tasks._artifacts import ArtifactInfo, read_artifacts
from aimm.tasks.graph._checkpoint import Checkpoints, can_load, is_intact
from aimm.tasks.graph._keys import Keys
from aimm.tasks.graph._order import needs_of
from aimm.tasks.graph._plan import Call
from aimm.tasks.graph._validate import Checked


class PlannedStep(NamedTuple):
    """What a run does with a step or an artifact.

    Attributes:
        name: The step, or the artifact output.
        task: Full name of its task, or of its handler.
        action: ``run`` a step, ``write`` an artifact; ``reuse`` what an earlier run made.
        reason: Why.
    """

    name: str
    task: str
    action: str
    reason: str


class Plan(NamedTuple):
    """What a run does.

    Attributes:
        steps: The steps in order.
        artifacts: The artifact outputs in order.
        kept: The artifacts that are reused.
    """

    steps: tuple[PlannedStep, ...]
    artifacts: tuple[PlannedStep, ...]
    kept: Mapping[str, ArtifactInfo]

    @property
    def to_run(self) -> set[str]:
        """The steps that are run."""
        return {step.name for step in self.steps if step.action == "run"}


def plan_everything(checked: Checked, calls: list[Call]) -> Plan:
    """Run every step and write every artifact."""
    steps = tuple(PlannedStep(call.step, call.record.name, "run", "every step is run") for call in calls)
    artifacts = tuple(
        PlannedStep(name, handler.name, "write", "every artifact is written")
        for name, handler in checked.handlers.items()
    )
    return Plan(steps, artifacts, {})


def plan_resumed(
    checked: Checked, calls: list[Call], keys: Keys, checkpoints: Checkpoints, out: Path, allow_pickle: bool
) -> Plan:
    """Run what changed or never finished, and what these need and was not kept."""
    written = read_artifacts(out)
    artifacts, kept = [], {}
    needed: dict[str, str] = {}
    for name, output in checked.model.artifact_outputs.items():
        handler, info = checked.handlers[name].name, written.get(name)
        if info is None or not is_intact(out, info):
            reason = "is not there, or was altered"
        elif checkpoints.artifact_key(name) != keys.artifacts[name]:
            reason = "what it is made of changed"
        else:
            artifacts.append(PlannedStep(name, handler, "reuse", "unchanged"))
            kept[name] = info
            continue
        artifacts.append(PlannedStep(name, handler, "write", reason))
        needed.update(dict.fromkeys(needs_of(checked.model, output), f"the artifact {name!r} needs its output"))
    steps = []
    for call in reversed(calls):
        found = checkpoints.step(call.step)
        if found.get("key") != keys.steps[call.step]:
            reason = "it, or what it comes from, changed" if found else "it has not finished before"
        elif call.step in needed and not can_load(found, allow_pickle):
            reason = f"{needed[call.step]}, which could not be kept"
        else:
            steps.append(PlannedStep(call.step, call.record.name, "reuse", "unchanged"))
            continue
        steps.append(PlannedStep(call.step, call.record.name, "run", reason))
        needed.update(dict.fromkeys(call.needs, f"the step {call.step!r} needs its output"))
    return Plan(tuple(reversed(steps)), tuple(artifacts), kept)
