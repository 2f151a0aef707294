"""From plain data to the model of a graph; whatever does not follow the grammar becomes an issue."""

from collections.abc import Iterator
from typing import Any

from aimm.errors import ArtifactError
from aimm.tasks._artifacts import check_name
from aimm.tasks.graph._issues import Issues, Path, kind_of, nearest
from aimm.tasks.graph._model import (
    MISSING,
    ArtifactOutput,
    Declared,
    GraphParameter,
    Model,
    Outputs,
    TaskEntry,
)
from aimm.tasks.graph._references import find_references
from aimm.tasks.graph._steps import read_step

SECTIONS = ("types", "parameters", "artifact_inputs", "tasks", "graph", "artifact_outputs", "plugins")
_ALIASES = {"artifacts": "artifact_outputs", "steps": "graph", "inputs": "parameters", "params": "parameters"}


def read_model(document: Any, issues: Issues) -> Model:
    """Read a document; parts that do not follow the grammar are left out of the model.

    Args:
        document: Plain data.
        issues: Where problems go.
    """
    if not isinstance(document, dict):
        what = "the document is empty" if document is None else f"the document is {kind_of(document)}"
        issues.error("shape", f"{what}; expected a mapping with the key 'graph'")
        document = {"graph": {}}
    for key in document:
        if key not in SECTIONS:
            hint = f"did you mean {_ALIASES[key]!r}?" if key in _ALIASES else nearest(key, SECTIONS)
            issues.error("unknown-key", f"unknown key {key!r}; the keys are {', '.join(SECTIONS)}", (key,), hint)
    if "graph" not in document:
        issues.error("missing-key", "the key 'graph', which holds the steps, is missing")
    reader = _Sections(document, issues)
    steps = {name: read_step(name, value, issues) for name, value, _ in reader.entries("graph", dots=False)}
    return Model(
        types=reader.types(),
        parameters=reader.parameters(),
        artifact_inputs=reader.artifact_inputs(),
        tasks=reader.tasks(),
        steps={name: step for name, step in steps.items() if step},
        artifact_outputs=reader.artifact_outputs(),
        plugins=reader.plugins(),
    )


class _Sections:
    def __init__(self, document: dict[Any, Any], issues: Issues) -> None:
        self._document, self._issues = document, issues

    def entries(self, section: str, dots: bool = True) -> Iterator[tuple[str, Any, Path]]:
        """The named entries of a section with sound names, each with its path."""
        if section not in self._document:
            return
        content = self._document[section]
        if not isinstance(content, dict):
            hint = "leave the key out" if content is None else None
            self._issues.error("shape", f"{section!r} is {kind_of(content)}; expected a mapping", (section,), hint)
            return
        if not content and section in ("graph", "tasks"):
            self._issues.error("shape", f"{section!r} is empty", (section,))
        for name, value in content.items():
            path = (section, name)
            if not isinstance(name, str):
                hint = "YAML reads yes, no, on and off as true and false" if isinstance(name, bool) else f"'{name}'"
                self._issues.error(
                    "name", f"the name {name!r} is {kind_of(name)}, not text", path, f"write it in quotes: {hint}"
                )
            elif not name.strip():
                self._issues.error("name", "a name is blank", path)
            elif "." in name and not dots:
                hint = f"for instance {name.replace('.', '_')!r}"
                self._issues.error("name", f"the name {name!r} has a dot, which references read as an end", path, hint)
            else:
                yield name, value, path

    def types(self) -> dict[str, Any]:
        return {name: value for name, value, _ in self.entries("types")}

    def plugins(self) -> tuple[str, ...] | None:
        content = self._document.get("plugins", MISSING)
        if content is MISSING:
            return None
        if not isinstance(content, list) or not all(isinstance(one, str) and one for one in content):
            self._issues.error("shape", "'plugins' is to be a list of plugin names", ("plugins",))
            return None
        return tuple(content)

    def parameters(self) -> dict[str, GraphParameter]:
        found = {}
        for name, value, path in self.entries("parameters", dots=False):
            if not isinstance(value, dict):
                found[name] = GraphParameter(name, None, value)
                continue
            self._only_keys(value, ("type", "default"), path, "write a mapping as 'default: {...}'")
            if "type" not in value and "default" not in value:
                self._issues.error("parameter", f"the parameter {name!r} has neither a type nor a default", path)
            found[name] = GraphParameter(name, self._type(value, path), value.get("default", MISSING))
        return found

    def artifact_inputs(self) -> dict[str, Outputs]:
        found = {}
        for name, value, path in self.entries("artifact_inputs", dots=False):
            outputs = self._outputs(value, path)
            if isinstance(value, list) and not value:
                self._issues.error("shape", f"the artifact input {name!r} has no outputs", path)
            found[name] = outputs
        return found

    def tasks(self) -> dict[str, TaskEntry] | None:
        if "tasks" not in self._document:
            return None
        return {name: self._task(name, value, path) for name, value, path in self.entries("tasks")}

    def _task(self, name: str, value: Any, path: Path) -> TaskEntry:
        if not isinstance(value, dict):
            message = f"the task {name!r} is {kind_of(value)}; expected a mapping with the key 'plugin'"
            self._issues.error("shape", message, path)
            return TaskEntry(name, "")
        self._only_keys(value, ("plugin", "inputs", "outputs"), path)
        plugin = value.get("plugin")
        if "plugin" not in value:
            self._issues.error("missing-key", f"the task {name!r} names no 'plugin'", path)
        elif not isinstance(plugin, str) or "." not in plugin or not all(plugin.split(".")):
            message = f"{plugin!r} names no task; expected 'plugin.module.function', at least two parts"
            self._issues.error("plugin-name", message, (*path, "plugin"))
            plugin = None
        inputs = self._inputs(value["inputs"], (*path, "inputs")) if "inputs" in value else None
        outputs = self._outputs(value["outputs"], (*path, "outputs")) if "outputs" in value else None
        return TaskEntry(name, plugin or "", inputs, outputs)

    def _inputs(self, value: Any, path: Path) -> tuple[Declared, ...]:
        if not isinstance(value, list):
            hint = "write each input as a list item: '- name: type'" if isinstance(value, dict) else None
            self._issues.error("shape", f"inputs are {kind_of(value)}; expected a list", path, hint)
            return ()
        found = [self._input(item, (*path, index)) for index, item in enumerate(value)]
        return self._once([one for one in found if one], path, "inputs")

    def _input(self, item: Any, path: Path) -> Declared | None:
        if not isinstance(item, dict) or "name" not in item:
            return self._declared(item, path)
        self._only_keys(item, ("name", "type", "required"), path)
        name, required = item["name"], item.get("required", True)
        if not isinstance(name, str) or not name.strip():
            self._issues.error("name", f"an input is called {name!r}; expected text", (*path, "name"))
            return None
        if "type" not in item:
            self._issues.error("missing-key", f"the input {name!r} has no 'type'", path)
        if not isinstance(required, bool):
            self._issues.error("shape", f"'required' is {kind_of(required)}; expected true or false", path)
        return Declared(name, self._type(item, path) or "any", required is not False)

    def _outputs(self, value: Any, path: Path) -> Outputs:
        if isinstance(value, list):
            found = [self._declared(item, (*path, index)) for index, item in enumerate(value)]
            return Outputs(self._once([one for one in found if one], path, "outputs"), whole=False)
        one = self._declared(value, path)
        return Outputs((one,) if one else (), whole=True)

    def _declared(self, item: Any, path: Path) -> Declared | None:
        if not isinstance(item, dict) or len(item) != 1:
            what = f"a mapping of {len(item)} keys" if isinstance(item, dict) else kind_of(item)
            self._issues.error("shape", f"found {what}; expected one name with its type: 'name: type'", path)
            return None
        ((name, type_),) = item.items()
        if not isinstance(name, str) or not name.strip():
            self._issues.error("name", f"an input or output is called {name!r}; expected text", (*path, name))
            return None
        return Declared(name, self._type({"type": type_}, path) or "any")

    def _once(self, declared: list[Declared], path: Path, what: str) -> tuple[Declared, ...]:
        names: set[str] = set()
        for one in declared:
            if one.name in names:
                self._issues.error("duplicate-name", f"{one.name!r} stands twice among the {what}", path)
            names.add(one.name)
        return tuple(declared)

    def _type(self, value: dict[Any, Any], path: Path) -> Any:
        if "type" not in value:
            return None
        if value["type"] is None:
            self._issues.error("unknown-type", "a type is left empty", path, "the type of nothing is 'null', in quotes")
        elif not isinstance(value["type"], (str, dict)):
            self._issues.error("shape", f"a type is {kind_of(value['type'])}; expected a name", path)
            return "any"
        return value["type"]

    def _only_keys(self, value: dict[Any, Any], known: tuple[str, ...], path: Path, hint: str | None = None) -> None:
        for key in value:
            if key not in known:
                message = f"unknown key {key!r}; the keys are {', '.join(known)}"
                self._issues.error("unknown-key", message, (*path, key), nearest(key, known) or hint)

    def artifact_outputs(self) -> dict[str, ArtifactOutput]:
        found = {}
        for name, value, path in self.entries("artifact_outputs"):
            one = self._artifact_output(name, value, path)
            if one:
                found[name] = one
        return found

    def _artifact_output(self, name: str, value: Any, path: Path) -> ArtifactOutput | None:
        if not isinstance(value, dict):
            message = f"the artifact {name!r} is {kind_of(value)}; expected a mapping with 'contents' and 'task'"
            self._issues.error("shape", message, path)
            return None
        try:
            check_name(name)
        except ArtifactError as error:
            self._issues.error("name", str(error), path)
        self._only_keys(value, ("contents", "task"), path)
        for key in ("contents", "task"):
            if key not in value:
                self._issues.error("missing-key", f"the artifact {name!r} has no {key!r}", path)
        contents, task = value.get("contents", ""), value.get("task", {})
        if not isinstance(contents, str):
            message = f"'contents' is {kind_of(contents)}; expected a reference or text"
            self._issues.error("shape", message, (*path, "contents"))
        if not isinstance(task, dict):
            hint = f"write 'task: {{name: {task}}}'" if isinstance(task, str) else None
            message = f"'task' is {kind_of(task)}; expected a mapping with 'name' and 'args'"
            self._issues.error("shape", message, (*path, "task"), hint)
            task = {}
        self._only_keys(task, ("name", "args"), (*path, "task"))
        handler, args = task.get("name"), task.get("args", {})
        if task and not (isinstance(handler, str) and handler):
            self._issues.error("missing-key", f"the artifact {name!r} names no handler", (*path, "task"))
        if not isinstance(args, dict) or not all(isinstance(key, str) for key in args):
            self._issues.error("shape", "'args' of a handler is to be a mapping of names", (*path, "task", "args"))
            args = {}
        references = [
            *find_references(contents, (*path, "contents")),
            *find_references(args, (*path, "task", "args")),
        ]
        return ArtifactOutput(name, contents, handler if isinstance(handler, str) else None, args, tuple(references))
