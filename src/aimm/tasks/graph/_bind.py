"""What a graph says about types and tasks, joined with what the installed tasks say of themselves."""

from collections.abc import Callable
from typing import Any, NamedTuple

from aimm.errors import AimmError, TypeDefinitionError
from aimm.tasks._records import HandlerRecord, TaskRecord
from aimm.tasks._types import ANY, BUILTINS, Type, list_of, parse_type, parse_types, simple
from aimm.tasks.graph._issues import Issues, Path
from aimm.tasks.graph._model import Declared, Model, TaskEntry
from aimm.tasks.graph._order import cycles_of, trail_of
from aimm.tasks.graph._signature import compare_signature

POSITIONAL = ("positional_only", "positional_or_keyword")


class Typed(NamedTuple):
    """A type and who says so: the document, or the hints of installed code, which may leave parts open."""

    type: Type
    from_code: bool = False


class BoundInput(NamedTuple):
    """An input of a task; ``kind`` as in :class:`aimm.tasks._records.Parameter`."""

    name: str
    typed: Typed
    required: bool
    kind: str


class BoundTask(NamedTuple):
    """A task as steps see it.

    Attributes:
        name: As the graph calls it.
        plugin: Full name, ``plugin.module.function``.
        record: The installed task; None if it was not looked for or not found.
        inputs: Its inputs in order, without ``*args`` and ``**kwargs``.
        rest: Type of each further positional argument; None if there can be none.
        named_rest: Type of each further keyword argument; None if there can be none.
        outputs: Its outputs in order.
        form: ``none``, ``one`` or ``list``, as :func:`aimm.tasks.split_outputs` takes it.
    """

    name: str
    plugin: str
    record: TaskRecord | None
    inputs: tuple[BoundInput, ...]
    rest: Typed | None
    named_rest: Typed | None
    outputs: dict[str, Typed]
    form: Any


FindTask = Callable[[str], TaskRecord]
FindHandler = Callable[[str], HandlerRecord]


class Binder:
    """Gives types and tasks by name, each looked up once.

    Args:
        model: The graph.
        issues: Where problems go.
        find_task: From a full or short name to the installed task; None to leave installed tasks alone.
    """

    def __init__(self, model: Model, issues: Issues, find_task: FindTask | None) -> None:
        self._model, self._issues, self._find_task = model, issues, find_task
        self.types = _read_types(model.types, issues)
        self._tasks: dict[str, BoundTask | None] = {}
        for name, entry in (model.tasks or {}).items():
            self._tasks[name] = self._bind_entry(entry)

    def task(self, name: str, path: Path) -> BoundTask | None:
        """The task that a step names; None, and an issue, if there is none.

        Args:
            name: Short name from the section ``tasks``, or the name of an installed task.
            path: Where the step stands.
        """
        if name not in self._tasks:
            self._tasks[name] = self._bind_installed(name, path)
            return self._tasks[name]
        found = self._tasks[name]
        if found is None and name not in (self._model.tasks or ()):  # told once, but it is wrong here too
            self._issues.error("unknown-task", f"no task is called {name!r}", path)
        return found

    def type(self, document: Any, path: Path) -> Type:
        """Read a type; ``any``, and an issue, if it is none."""
        if isinstance(document, str) and document in BUILTINS:
            return BUILTINS[document]
        try:
            return parse_type(document, self.types)
        except TypeDefinitionError as error:
            self._issues.error("unknown-type", str(error), path)
            return ANY

    def _bind_installed(self, name: str, path: Path) -> BoundTask | None:
        listed, allowed = self._model.tasks, self._model.plugins
        if listed is not None and allowed is None:
            hint = self._issues.nearest(name, listed)
            self._issues.error("unknown-task", f"no task is called {name!r} in the section 'tasks'", path, hint)
            return None
        if self._find_task is None:
            return None
        record = self._find(name, path, "unknown-task")
        if record and allowed is not None and not _is_allowed(record, allowed):
            message = f"the task {record.name!r} is of a plugin that is not listed under 'plugins'"
            self._issues.error("unknown-task", message, path)
            return None
        return record and self._bound(TaskEntry(name, record.name), record)

    def _bind_entry(self, entry: TaskEntry) -> BoundTask | None:
        path = ("tasks", entry.name)
        record = self._find(entry.plugin, (*path, "plugin"), "not-importable") if entry.plugin else None
        if record:
            compare_signature(entry, record, self.types, self._issues)
        return self._bound(entry, record)

    def _find(self, name: str, path: Path, kind: str) -> TaskRecord | None:
        if self._find_task is None:
            return None
        try:
            return self._find_task(name)
        except AimmError as error:
            self._issues.error(kind, str(error), path)
            return None

    def _bound(self, entry: TaskEntry, record: TaskRecord | None) -> BoundTask:
        path = ("tasks", entry.name)
        parameters = {p.name: p for p in record.parameters} if record else {}
        by_kind = {p.kind: Typed(p.type, True) for p in parameters.values() if p.kind.startswith("var_")}
        if entry.inputs is None:
            plain = [p for p in parameters.values() if not p.kind.startswith("var_")]
            inputs = tuple(BoundInput(p.name, Typed(p.type, True), p.required, p.kind) for p in plain)
        else:
            by_kind = {} if not record else by_kind
            inputs = tuple(
                BoundInput(
                    one.name,
                    Typed(self.type(one.type, (*path, "inputs", index))),
                    one.required,
                    parameters[one.name].kind if one.name in parameters else "positional_or_keyword",
                )
                for index, one in enumerate(entry.inputs)
            )
        outputs, form = self._outputs(entry, record, path)
        rest, named_rest = by_kind.get("var_positional"), by_kind.get("var_keyword")
        return BoundTask(entry.name, entry.plugin, record, inputs, rest, named_rest, outputs, form)

    def _outputs(self, entry: TaskEntry, record: TaskRecord | None, path: Path) -> tuple[dict[str, Typed], Any]:
        if entry.outputs is None:
            if record is None:
                return {}, "none"
            return {one.name: Typed(one.type, True) for one in record.outputs}, record.outputs_form
        return self.declared(entry.outputs.values, (*path, "outputs")), "one" if entry.outputs.whole else "list"

    def declared(self, values: tuple[Declared, ...], path: Path) -> dict[str, Typed]:
        """The types of declared outputs, by name."""
        return {one.name: Typed(self.type(one.type, path)) for one in values}


def _is_allowed(record: TaskRecord, allowed: tuple[str, ...]) -> bool:
    own = (record.source.plugin, record.source.distribution)
    return any(name in own or record.name.startswith(f"{name}.") for name in allowed)


def _read_types(definitions: dict[str, Any], issues: Issues) -> dict[str, Type]:
    try:
        return parse_types(definitions)
    except (TypeDefinitionError, RecursionError):
        return _read_types_one_by_one(definitions, issues)


def _read_types_one_by_one(definitions: dict[str, Any], issues: Issues) -> dict[str, Type]:
    """Every definition by itself, the others standing for themselves: the first mistake must not hide the next."""
    stand_ins = {name: simple(name) if _is_simple(doc) else list_of(ANY, name) for name, doc in definitions.items()}
    found: dict[str, Type] = {}
    edges: dict[str, tuple[str, ...]] = {}
    for name, document in definitions.items():
        edges[name] = tuple(_names_in(document, definitions))
        try:
            found[name] = parse_type(document, stand_ins, name=name)
        except TypeDefinitionError as error:
            kind = "unknown-type" if "no type is called" in str(error) else "type-definition"
            issues.error(kind, str(error), ("types", name))
            found[name] = simple(name)
    for cycle in cycles_of(edges):
        issues.error("type-definition", f"the type contains itself: {trail_of(cycle)}", ("types", cycle[0]))
    # Whatever refers to a broken type is checked against stand-ins: names still tell types apart.
    return found


def _is_simple(document: Any) -> bool:
    return document is None or document == {} or (isinstance(document, dict) and set(document) == {"is_a"})


def _names_in(document: Any, known: dict[str, Any]) -> list[str]:
    if isinstance(document, str):
        return [document] if document in known else []
    parts = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return list(dict.fromkeys(name for part in parts for name in _names_in(part, known)))
