"""Declarations in source compared with what importing them gives."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aimm.plugins import PluginManager
from aimm.tasks._check import Mismatch
from aimm.tasks._records import TaskRecord, task_record
from aimm.tasks._register import TASK
from aimm.tasks._source import SourceFile, SourceTask
from aimm.tasks._types import Type


def differences(files: Iterable[SourceFile], path: Path) -> list[Mismatch]:
    """Import files, and compare what they declare then with what their source says.

    Args:
        files: The files.
        path: The file, plugin directory or package that they are; imported as a plugin directory, unless it lies
            inside a package.

    Returns:
        Every difference.

    Raises:
        PluginLoadError: It does not import.
    """
    files = list(files)
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    inside = (folder / "__init__.py").exists() and (folder.parent / "__init__.py").exists()
    where = {"names": [file.module for file in files]} if inside else {"names": [], "directories": [str(folder)]}
    manager = PluginManager({**where, "entry_points": {"enabled": False}})
    live = {record.name: record for record in manager.records(TASK)}
    found: list[Mismatch] = []
    for file in files:
        for task in file.tasks:
            record = live.get(f"{file.module}.{task.name}")
            if record is None:
                message, fix = "importing the file registers no such task", "see what the file does when imported"
                found.append(Mismatch("error", task.name, message, fix, str(file.path), task.line))
            else:
                found += _differences(file, task, task_record(record))
    return found


def _differences(file: SourceFile, task: SourceTask, record: TaskRecord) -> Iterator[Mismatch]:
    def differs(what: str, source: object, live: object) -> Mismatch:
        fix = "something at import changes it: a decorator, say; then register what the imported one shows"
        return Mismatch(
            "error", task.name, f"{what} {source} in source, and {live} live", fix, str(file.path), task.line
        )

    shape = [(p.name, p.kind, p.required) for p in task.parameters]
    live = [(p.name, p.kind, p.required) for p in record.parameters]
    if shape != live:
        yield differs("takes", ", ".join(name for name, *_ in shape) or "nothing", ", ".join(n for n, *_ in live))
        return
    pairs = [(f"input {p.name!r}", p.type, q.type) for p, q in zip(task.parameters, record.parameters, strict=True)]
    if len(task.outputs) != len(record.outputs):
        yield differs("the number of outputs is", len(task.outputs), len(record.outputs))
    pairs += [(f"output {o.name!r}", o.type, q.type) for o, q in zip(task.outputs, record.outputs)]  # noqa: B905
    for what, source, of_live in pairs:
        if not same_type(source, of_live):
            yield differs(f"the type of {what} is", source, of_live)


def same_type(source: Type, live: Type) -> bool:
    """Whether a type as it is spelt is that of a live object: classes are compared by identity, not by name."""
    if source == live:
        return True
    if source.kind == live.kind == "simple":
        return live.cls is not None and _resolved(source.name or "") is live.cls
    parts = len(source.items) == len(live.items) and source.properties == live.properties
    return parts and source.kind == live.kind and all(map(same_type, source.items, live.items))


def _resolved(name: str) -> Any:
    import sys

    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(parts[:end]))
        for part in parts[end:] if found is not None else ():
            found = getattr(found, part, None)
        if found is not None:
            return found
    return None
