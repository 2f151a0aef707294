"""Digests that tell whether a step would do again what it did: of its task, its arguments, and all they come from."""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from aimm.tasks._records import HandlerRecord, TaskRecord
from aimm.tasks._watch import fingerprint
from aimm.tasks.graph._inputs import Given
from aimm.tasks.graph._references import Reference, fill
from aimm.tasks.graph._validate import Checked


class Keys:
    """The digest of each step and artifact output.

    Args:
        checked: The graph.
        parameters: Values of its parameters.
        artifacts: The artifacts that it reads.

    Attributes:
        steps: Digest of each step.
        artifacts: Digest of each artifact output.
    """

    def __init__(self, checked: Checked, parameters: Mapping[str, Any], artifacts: Mapping[str, Given]) -> None:
        self._parameters = {name: fingerprint(value) for name, value in parameters.items()}
        self._artifacts = {name: [given.sha256, given.handler.name] for name, given in artifacts.items()}
        self._code: dict[str, str] = {}
        self.steps: dict[str, str] = {}
        for name in checked.order:
            step, task = checked.model.steps[name], checked.tasks[name]
            assert task is not None  # the graph is sound
            assert task.record is not None
            shape = [list(task.outputs), task.form]
            self.steps[name] = self._digest(self._origin(task.record), shape, self._filled([step.args, step.kwargs]))
        self.artifacts = {
            name: self._digest(self._origin(checked.handlers[name]), self._filled([output.contents, output.args]))
            for name, output in checked.model.artifact_outputs.items()
        }

    def _filled(self, value: Any) -> Any:
        return fill(value, self._of_reference)

    def _of_reference(self, reference: Reference) -> Any:
        name = reference.name
        if name in self._parameters:
            return {"parameter": self._parameters[name] or os.urandom(16).hex()}  # what nobody can compare has changed
        if name in self.steps:
            return {"step": self.steps[name], "output": reference.output}
        return {"artifact": self._artifacts[name], "output": reference.output}

    def _origin(self, record: TaskRecord | HandlerRecord) -> list[Any]:
        source = record.source
        return [record.name, source.distribution, source.version, self._code_beside(record.file)]

    def _code_beside(self, file: str | None) -> str:
        """Digest of the modules in the folder of a task: a version says nothing where code is edited in place."""
        folder = os.path.dirname(file or "")
        if not file or not os.path.isfile(file):
            return ""
        if folder not in self._code:
            total = hashlib.sha256()
            for name in sorted(os.listdir(folder)):
                if name.endswith(".py"):
                    with open(os.path.join(folder, name), "rb") as opened:
                        total.update(f"{name}\0{hashlib.file_digest(opened, 'sha256').hexdigest()}".encode())
            self._code[folder] = total.hexdigest()
        return self._code[folder]

    @staticmethod
    def _digest(*parts: Any) -> str:
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()
