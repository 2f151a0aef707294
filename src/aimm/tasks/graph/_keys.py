"""Digests that tell whether a step would do again what it did: of its task, its arguments, and all they come from."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aimm.tasks._artifacts import digest
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
        return [record.name, source.distribution, source.version, self._code_of(record)]

    def _code_of(self, record: TaskRecord | HandlerRecord) -> str:
        """Digest of all modules of a package: a version says nothing where code is edited in place."""
        thing = record.function if isinstance(record, TaskRecord) else record.handler
        if not record.file or not os.path.isfile(record.file):
            return ""
        folder, is_package = os.path.dirname(record.file), "." in thing.__module__
        while is_package and os.path.isfile(os.path.join(os.path.dirname(folder), "__init__.py")):
            folder = os.path.dirname(folder)
        if folder not in self._code:
            total = hashlib.sha256()
            for path in _modules(folder, is_package):
                total.update(f"{os.path.relpath(path, folder)}\0{digest(Path(path))}".encode())
            self._code[folder] = total.hexdigest()
        return self._code[folder]

    @staticmethod
    def _digest(*parts: Any) -> str:
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


def _modules(folder: str, with_inner: bool) -> Iterator[str]:
    """The Python files of a folder; what lies deeper belongs to it only if it is a package."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(folders) if with_inner else []
        yield from (os.path.join(root, name) for name in sorted(files) if name.endswith(".py"))
