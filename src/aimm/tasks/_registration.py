"""Registration documents: made from source, and read from JSON or TOML."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aimm.errors import RegistrationError
from aimm.tasks._records import KINDS, Output, Parameter
from aimm.tasks._source import SourceFile
from aimm.tasks._types import BUILTINS, Type


class Entry(NamedTuple):
    """One task of a document.

    Attributes:
        name: Its name.
        inputs: Its inputs, each with ``name`` and maybe ``type``, ``required`` and ``kind``; None for artifact tasks.
        outputs: Its outputs, each with ``name`` and maybe ``type``.
    """

    name: str
    inputs: tuple[Mapping[str, Any], ...] | None
    outputs: tuple[Mapping[str, Any], ...]


class FileEntry(NamedTuple):
    """What a document says about one file.

    Attributes:
        filename: The file; None if the document does not say.
        functions: Its function tasks.
        artifacts: Its artifact tasks.
    """

    filename: str | None
    functions: tuple[Entry, ...]
    artifacts: tuple[Entry, ...]


def registration(files: Iterable[SourceFile], plugin: str | None = None) -> dict[str, Any]:
    """The document that registers the tasks of some files.

    Args:
        files: The files.
        plugin: Name of the plugin directory or package that they make up; None for a single file.

    Returns:
        A JSON document, with a definition of every type that is not built in.
    """
    types: dict[str, Type] = {}
    entries = [_file_document(file, types) for file in files]
    found: dict[str, Any] = {"plugin": plugin, "files": entries} if plugin is not None else entries[0]
    return {**found, "types": {name: types[name].definition() for name in sorted(types)}}


def _file_document(file: SourceFile, types: dict[str, Type]) -> dict[str, Any]:
    functions = [
        {
            "name": task.name,
            "inputParams": [_input(parameter, types) for parameter in task.parameters],
            "outputParams": [_output(output, types) for output in task.outputs],
        }
        for task in file.tasks
    ]
    artifacts = [
        {"name": handler.name, "outputParams": [_output(Output("output", handler.output), types)]}
        for handler in file.handlers
    ]
    return {"filename": file.path.name, "function_tasks": functions, "artifact_tasks": artifacts}


def _input(parameter: Parameter, types: dict[str, Type]) -> dict[str, Any]:
    _collect(parameter.type, types)
    found = {"name": parameter.name, "parameterType": parameter.type.document(), "required": parameter.required}
    return found if parameter.kind == "positional_or_keyword" else {**found, "kind": parameter.kind}


def _output(output: Output, types: dict[str, Type]) -> dict[str, Any]:
    _collect(output.type, types)
    return {"name": output.name, "parameterType": output.type.document()}


def _collect(held: Type, types: dict[str, Type]) -> None:
    if held.name is not None:
        if held.name in BUILTINS or held.name in types:
            return
        types[held.name] = held
    for part in (*held.items, *(part for _, part in held.properties), *([held.parent] if held.parent else [])):
        _collect(part, types)


def read_registration(path: Path) -> tuple[list[FileEntry], dict[str, Any]]:
    """Read a document.

    Args:
        path: A JSON or TOML file. It describes one file (``function_tasks``, ``artifact_tasks``) or several
            (``files``, or ``plugins`` as resource descriptions have it); keys in camel case or snake case.

    Returns:
        What it says about each file, and the definitions of its types.

    Raises:
        RegistrationError: It cannot be read, or has not this form.
    """
    document = _parsed(path)
    _expect(isinstance(document, dict), path, "a registration document is an object", document)
    return _Reader(path).files(document), dict(document.get("types") or {})


def _parsed(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".toml":
            import tomllib

            return tomllib.loads(text)
        return json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
        raise RegistrationError(str(path), f"cannot be read as {kind}: {error}") from None


def _expect(fits: bool, path: Path, message: str, given: Any) -> None:
    if not fits:
        text = repr(given)
        raise RegistrationError(str(path), f"{message}, not {text if len(text) <= 60 else text[:57] + '...'}")


_KEYS = {
    "functions": ("function_tasks", "functionTasks", "functions"),
    "artifacts": ("artifact_tasks", "artifactTasks", "artifacts"),
    "inputs": ("inputParams", "input_params"),
    "outputs": ("outputParams", "output_params"),
    "type": ("parameterType", "parameter_type", "type"),
}


def _value(document: Mapping[str, Any], key: str, default: Any = None) -> Any:
    return next((document[spelt] for spelt in _KEYS[key] if spelt in document), default)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self, document: Mapping[str, Any]) -> list[FileEntry]:
        if "files" in document or "plugins" in document:
            parts = [*self._list(document, "files"), *self._list(document, "plugins")]
            return [entry for part in parts for entry in self.files(part)]
        tasks = document.get("tasks") or document
        _expect(isinstance(tasks, dict), self._path, "tasks is an object with functions and artifacts", tasks)
        functions, artifacts = (self._tasks(tasks, key) for key in ("functions", "artifacts"))
        known = any(key in tasks for key in (*_KEYS["functions"], *_KEYS["artifacts"]))
        _expect(known, self._path, "expected function_tasks or artifact_tasks", sorted(tasks))
        # A resource description names the file with each task.
        names = dict.fromkeys(name for name, _ in (*functions, *artifacts))
        own = document.get("filename")
        return [
            FileEntry(
                name or own,
                tuple(entry for file, entry in functions if file == name),
                tuple(entry for file, entry in artifacts if file == name),
            )
            for name in (names or [None])
        ]

    def _tasks(self, document: Mapping[str, Any], key: str) -> list[tuple[str | None, Entry]]:
        listed = _value(document, key) or []
        _expect(isinstance(listed, list), self._path, f"{_KEYS[key][0]} is a list", listed)
        return [self._task(task, key == "functions") for task in listed]

    def _task(self, task: Any, is_function: bool) -> tuple[str | None, Entry]:
        _expect(isinstance(task, dict) and isinstance(task.get("name"), str), self._path, "a task has a name", task)
        inputs = self._parameters(task, "inputs") if is_function else None
        return task.get("filename"), Entry(task["name"], inputs, self._parameters(task, "outputs"))

    def _parameters(self, task: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], ...]:
        listed = _value(task, key) or []
        where = f"{_KEYS[key][0]} of {task['name']!r}"
        _expect(isinstance(listed, list), self._path, f"{where} is a list", listed)
        for item in listed:
            fits = isinstance(item, dict) and isinstance(item.get("name"), str)
            _expect(fits, self._path, f"an item of {where} is an object with a name", item)
            fits = isinstance(item.get("required", True), bool) and item.get("kind", KINDS[0]) in KINDS
            _expect(fits, self._path, f"required is true or false, and kind one of {', '.join(KINDS)}", item)
        kept = ("name", "required", "kind")
        return tuple({**{k: item[k] for k in kept if k in item}, "type": _value(item, "type")} for item in listed)

    def _list(self, document: Mapping[str, Any], key: str) -> list[Any]:
        listed = document.get(key) or []
        fits = isinstance(listed, list) and all(isinstance(item, dict) for item in listed)
        _expect(fits, self._path, f"{key} is a list of objects", listed)
        return list(listed)
