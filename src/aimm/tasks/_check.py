"""A registration document compared with the code that it registers."""

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from aimm.errors import RegistrationError, TypeDefinitionError
from aimm.tasks._records import Parameter
from aimm.tasks._registration import Entry, FileEntry, read_registration
from aimm.tasks._source import SourceFile, SourceHandler, SourceTask, source_files
from aimm.tasks._types import BUILTINS, Type, parse_type, parse_types, simple


class Mismatch(NamedTuple):
    """One thing in which a document and the code differ.

    Attributes:
        severity: ``error``, or ``warning`` for what works all the same.
        task: The task that it is about; empty for the whole file.
        message: What differs.
        fix: What to do.
        file: Where to look.
        line: The line there.
    """

    severity: str
    task: str
    message: str
    fix: str
    file: str
    line: int

    def __str__(self) -> str:
        task = f"{self.task}: " if self.task else ""
        return f"{self.file}:{self.line}: {self.severity}: {task}{self.message}; {self.fix}"


def check_registration(document: Path, code: Path | None = None) -> list[Mismatch]:
    """Compare a registration document with the code.

    Args:
        document: A JSON or TOML file.
        code: The ``.py`` file, plugin directory or package; the folder of the document if not given.

    Returns:
        Every mismatch, in the order of the document.

    Raises:
        RegistrationError: The document or the code cannot be read.
    """
    entries, definitions = read_registration(document)
    files = source_files(code or document.parent)
    try:
        types = parse_types(definitions, _Lenient())
    except TypeDefinitionError as error:
        raise RegistrationError(str(document), f"types: {error}") from None
    text = document.read_text(encoding="utf-8").splitlines()
    found: list[Mismatch] = []
    for entry in entries:
        checker = _Checker(document, text, types, _file_of(entry, files, document))
        found += checker.check(entry)
    return found


def _file_of(entry: FileEntry, files: Sequence[SourceFile], document: Path) -> SourceFile:
    if entry.filename is None and len(files) == 1:
        return files[0]
    match = [file for file in files if file.path.name == entry.filename]
    if match:
        return match[0]
    have = ", ".join(file.path.name for file in files)
    wanted = "no filename" if entry.filename is None else f"the file {entry.filename!r}"
    raise RegistrationError(str(document), f"it gives {wanted}; the code has {have}")


class _Lenient(dict[str, Type]):
    """Types by name; a name that nobody defines is that of a class."""

    def __missing__(self, name: str) -> Type:
        return simple(name)


class _Checker:
    """Compares one file; the annotations of that file say what the names of its types mean."""

    def __init__(self, document: Path, text: Sequence[str], types: Mapping[str, Type], file: SourceFile) -> None:
        self._document, self._text, self._file = document, text, file
        self._types = _Lenient(types)

    def check(self, entry: FileEntry) -> Iterator[Mismatch]:
        seen: set[str] = set()
        for task in (*entry.functions, *entry.artifacts):
            if task.name in seen:
                yield self._in_document(task.name, "is registered twice", "remove one of the two entries", 1)
            seen.add(task.name)
            yield from self._check_function(task) if task.inputs is not None else self._check_artifact(task)
        for name, line in self._file.duplicates:
            yield self._in_code("error", name, "is declared twice in the code", "rename one of the two functions", line)
        declared = [*((t.name, t.line) for t in self._file.tasks), *((h.name, h.line) for h in self._file.handlers)]
        for name, line in declared:
            if name not in seen:
                yield self._in_code("warning", name, "is in the code and not in the document", "register it", line)
        if entry.functions and entry.artifacts:
            message = "function tasks and artifact tasks stand in one file"
            fix = "keep them in files of their own, if others are to use one without the other"
            yield self._in_code("warning", "", message, fix, 1)

    def _check_function(self, entry: Entry) -> Iterator[Mismatch]:
        task = next((t for t in self._file.tasks if t.name == entry.name), None)
        if task is None:
            yield self._missing(entry.name, self._file.functions, [t.name for t in self._file.tasks], "function")
            return
        yield from self._check_inputs(entry, task)
        yield from self._check_outputs(entry, task)

    def _missing(self, name: str, defined: Mapping[str, int], known: Sequence[str], what: str) -> Mismatch:
        if name in defined:
            if what == "function":
                return self._in_code("error", name, "is not decorated", "put @register above it", defined[name])
            fix = "derive it from ArtifactTaskInterface"
            return self._in_code("error", name, "is no artifact handler", fix, defined[name])
        near = get_close_matches(name, [*known, *defined], n=1)
        fix = f"call it {near[0]!r}" if near else f"the {what}s are {', '.join(known) or 'none'}"
        return self._in_document(name, f"there is no {what} of this name in {self._file.path.name}", fix)

    def _check_inputs(self, entry: Entry, task: SourceTask) -> Iterator[Mismatch]:
        given = {item["name"]: item for item in entry.inputs or ()}
        if len(given) < len(entry.inputs or ()):
            yield self._in_document(task.name, "has two inputs of one name", "rename one of them")
        code = {parameter.name: parameter for parameter in task.parameters}
        kinds = {parameter.kind for parameter in task.parameters}
        renamed: set[str] = set()
        for name in [name for name in given if name not in code]:
            if "var_keyword" in kinds and name.isidentifier() and not keyword.iskeyword(name):
                continue
            free = [n for n, p in code.items() if n not in given.keys() | renamed and not p.kind.startswith("var_")]
            near = get_close_matches(name, free, n=1) or (free if len(free) == 1 else [])
            renamed |= {*near}
            fix = f"the argument is called {near[0]!r}" if near else "remove it, or add the argument to the function"
            yield self._in_code("error", task.name, f"there is no argument {name!r}", fix, task.line)
        for name, parameter in code.items():
            line = task.lines.get(name, task.line)
            if name in given:
                yield from self._check_input(task, parameter, given[name], line)
            elif parameter.required and name not in renamed:
                fix = f"register the input {name!r}, or give the argument a default"
                yield self._in_code("error", task.name, f"the required argument {name!r} is not registered", fix, line)
        yield from self._check_order(task, [name for name in given if name in code], code)

    def _check_order(self, task: SourceTask, names: list[str], code: Mapping[str, Parameter]) -> Iterator[Mismatch]:
        # Arguments by keyword only have no order.
        ordered = [name for name in names if code[name].kind not in ("keyword_only", "var_keyword")]
        right = [name for name in code if name in ordered]
        if ordered != right:
            message = f"the inputs are in the order {', '.join(ordered)}, and values bind to {', '.join(right)}"
            yield self._in_code("error", task.name, message, "register them in the order of the code", task.line)

    def _check_input(
        self, task: SourceTask, parameter: Parameter, item: Mapping[str, Any], line: int
    ) -> Iterator[Mismatch]:
        name = f"the input {parameter.name!r}"
        required = item.get("required", parameter.required)
        if required != parameter.required:
            differs = ("required", "a default") if required else ("optional", "no default")
            message = f"{name} is registered as {differs[0]}, and the argument has {differs[1]}"
            fix = f"register it with required: {'true' if parameter.required else 'false'}"
            yield self._in_code("error", task.name, message, fix, line)
        if item.get("kind", parameter.kind) != parameter.kind:
            message = f"{name} is registered as {item['kind']}, and the argument is {parameter.kind}"
            yield self._in_code("error", task.name, message, f"register it with kind: {parameter.kind}", line)
        yield from self._check_type(task.name, name, item.get("type"), parameter.type, line)

    def _check_outputs(self, entry: Entry, task: SourceTask) -> Iterator[Mismatch]:
        wanted, has = len(entry.outputs), len(task.outputs)
        if len({item["name"] for item in entry.outputs}) < wanted:
            yield self._in_document(task.name, "has two outputs of one name", "rename one of them")
        if not task.is_annotated and task.outputs_form == "one":
            return  # nobody knows what it returns
        # A task with one registered output hands it the returned value as a whole, whatever that is.
        if (wanted > has and not (has == 1 and _may_be_split(task.outputs[0].type))) or (has and not wanted):
            message = f"{wanted} outputs are registered, and the function returns {has}"
            fix = f"register {has} outputs, or correct what it is annotated to return"
            yield self._in_code("error", task.name, message, fix, task.line)
        elif 1 < wanted < has:
            message = f"{wanted} outputs are registered, and the function returns {has}: the last ones are dropped"
            yield self._in_code("warning", task.name, message, f"register {has} outputs", task.line)
        elif wanted == has:
            for item, output in zip(entry.outputs, task.outputs, strict=True):
                place = f"the output {item['name']!r}"
                yield from self._check_type(task.name, place, item.get("type"), output.type, task.line)

    def _check_artifact(self, entry: Entry) -> Iterator[Mismatch]:
        handler: SourceHandler | None = next((h for h in self._file.handlers if h.name == entry.name), None)
        if handler is None:
            yield self._missing(entry.name, self._file.classes, [h.name for h in self._file.handlers], "class")
            return
        if handler.missing:
            message = f"the class does not define {', '.join(handler.missing)}"
            yield self._in_code("error", handler.name, message, "define all three methods", handler.line)
        if len(entry.outputs) == 1:
            item = entry.outputs[0]
            place = f"the output {item['name']!r}"
            yield from self._check_type(handler.name, place, item.get("type"), handler.output, handler.line)
        elif not entry.outputs:
            message, fix = "no output is registered, and deserialize returns a value", "register one output"
            yield self._in_code("error", handler.name, message, fix, handler.line)

    def _check_type(self, task: str, place: str, written: Any, code: Type, line: int) -> Iterator[Mismatch]:
        # A number is the key of a type in somebody's database, of which the document says no more.
        if written is None or isinstance(written, int) or code.is_any:
            return
        try:
            registered = self._parsed(written)
        except TypeDefinitionError as error:
            yield self._in_document(task, f"the type of {place} is wrong: {error}", "correct it")
            return
        if registered != code:
            message = f"{place} is registered as {registered}, and annotated as {code}"
            yield self._in_code("error", task, message, f"register it with the type {code.document()!r}", line)

    def _parsed(self, written: Any) -> Type:
        if isinstance(written, str) and written not in BUILTINS and written not in self._types:
            return simple(self._file.annotations.expanded(written))
        return parse_type(written, self._types)

    def _in_code(self, severity: str, task: str, message: str, fix: str, line: int) -> Mismatch:
        return Mismatch(severity, task, message, fix, str(self._file.path), line)

    def _in_document(self, task: str, message: str, fix: str, entry: int = 0) -> Mismatch:
        """Where the document has the entry of a task, the first or the second of its name."""
        named = re.compile(rf"""\bname["']?\s*[:=]\s*["']{re.escape(task)}["']""")
        lines = [i for i, line in enumerate(self._text, 1) if named.search(line)] or [1]
        return Mismatch("error", task, message, fix, str(self._document), lines[min(entry, len(lines) - 1)])


def _may_be_split(held: Type) -> bool:
    return held.is_any or held.kind in ("list", "tuple", "mapping", "enumerated", "union")
