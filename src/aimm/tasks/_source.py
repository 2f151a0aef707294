"""A Python file as source: what its names mean, and the tasks and handlers it declares. Nothing is imported."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from aimm.errors import RegistrationError
from aimm.tasks._annotations import Annotations, statements
from aimm.tasks._records import Declared, Output, OutputsForm, Parameter, outputs_of
from aimm.tasks._types import ANY, Type

REGISTER = ("aimm.tasks.register", "dioptra.pyplugs.register")
INTERFACE = ("aimm.tasks.ArtifactTaskInterface", "dioptra.sdk.api.artifact.ArtifactTaskInterface")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class SourceTask(NamedTuple):
    """A function task as its source says.

    Attributes:
        name: Name of the function.
        parameters: What it takes, without the state callback.
        outputs: What it gives.
        outputs_form: As in ``TaskRecord``.
        line: The line of its ``def``.
        lines: Name of a parameter to its line.
        is_annotated: Whether it says what it returns.
    """

    name: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    outputs_form: OutputsForm
    line: int
    lines: dict[str, int]
    is_annotated: bool


class SourceHandler(NamedTuple):
    """An artifact handler as its source says.

    Attributes:
        name: Name of the class.
        output: Type of what ``deserialize`` returns.
        line: The line of its ``class``.
        missing: The methods that it does not define, if its only base is the interface.
    """

    name: str
    output: Type
    line: int
    missing: tuple[str, ...]


class SourceFile:
    """One parsed file.

    Args:
        path: The file.
        module: How it is imported, as far as that is known; its types are called after it.

    Attributes:
        path: The file.
        module: How it is imported.
        tasks: Its function tasks, in order.
        handlers: Its artifact handlers, in order.
        functions: The lines of all functions at the top, tasks or not, by name.
        classes: The same for classes.
        duplicates: Tasks that are declared again, as (name, line).
        annotations: What its annotations mean.

    Raises:
        RegistrationError: It cannot be read, or is no Python.
    """

    def __init__(self, path: Path, module: str | None = None) -> None:
        self.path, self.module = path, module or path.stem
        try:
            tree = ast.parse(path.read_bytes(), str(path))
        except (OSError, ValueError) as error:
            raise RegistrationError(str(path), f"cannot be read: {error}") from None
        except SyntaxError as error:
            raise RegistrationError(f"{path}:{error.lineno}", f"is no valid Python: {error.msg}") from None
        self.annotations = Annotations(tree, self.module)
        self.tasks: list[SourceTask] = []
        self.handlers: list[SourceHandler] = []
        self.functions: dict[str, int] = {}
        self.classes: dict[str, int] = {}
        self.duplicates: list[tuple[str, int]] = []
        for statement in statements(tree.body):
            if isinstance(statement, Function | ast.ClassDef):
                self._read(statement)

    def _read(self, node: Function | ast.ClassDef) -> None:
        (self.classes if isinstance(node, ast.ClassDef) else self.functions)[node.name] = node.lineno
        if (declared := self._declared(node)) is not None:
            if any(task.name == node.name for task in self.tasks):
                self.duplicates.append((node.name, node.lineno))
            self.tasks.append(self._task(node, *declared))
        elif isinstance(node, ast.ClassDef) and self._is_handler(node):
            self.handlers.append(self._handler(node))

    def _declared(self, node: Function | ast.ClassDef) -> tuple[Declared, str | None] | None:
        """What ``@register`` says, and the name of the state callback; None if the function is not decorated."""
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            if self.annotations.meaning(call.func if call else decorator) in REGISTER:
                given = {k.arg: _literal(k.value) for k in call.keywords} if call else {}
                outputs, state = given.get("outputs"), given.get("state_cb_arg_name")
                names = (outputs,) if isinstance(outputs, str) else None if outputs is None else tuple(outputs)
                declared = Declared(given.get("sort_value") or 0, names, isinstance(outputs, (list, tuple)))
                return declared, state if isinstance(state, str) else None
        return None

    def _task(self, node: Function | ast.ClassDef, declared: Declared, state: str | None) -> SourceTask:
        returned: Type | None
        if isinstance(node, ast.ClassDef):
            init = next((f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None)
            parameters, returned = list(self._parameters(init))[1:], self.annotations.local(node.name)
            lines, is_annotated = _lines(init), True
        else:
            parameters, lines, is_annotated = list(self._parameters(node)), _lines(node), node.returns is not None
            is_none = isinstance(node.returns, ast.Constant) and node.returns.value in (None, "None")
            returned = None if is_none else self.annotations(node.returns)
        outputs, form = outputs_of(returned, declared)
        wanted = tuple(p for p in parameters if p.name != state)
        return SourceTask(node.name, wanted, outputs, form, node.lineno, lines, is_annotated)

    def _parameters(self, node: Function | None) -> Iterator[Parameter]:
        if node is None:
            return
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
        for i, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
            kind = "positional_only" if i < len(arguments.posonlyargs) else "positional_or_keyword"
            yield self._parameter(argument, kind, default)
        if arguments.vararg:
            yield self._parameter(arguments.vararg, "var_positional", None)._replace(required=False)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            yield self._parameter(argument, "keyword_only", default)
        if arguments.kwarg:
            yield self._parameter(arguments.kwarg, "var_keyword", None)._replace(required=False)

    def _parameter(self, argument: ast.arg, kind: str, default: ast.expr | None) -> Parameter:
        return Parameter(argument.arg, self.annotations(argument.annotation), default is None, kind)

    def _is_handler(self, node: ast.ClassDef) -> bool:
        if any(keyword.arg == "abstract" and _literal(keyword.value) is True for keyword in node.keywords):
            return False
        return self.annotations.derives_from(node.name, INTERFACE)

    def _handler(self, node: ast.ClassDef) -> SourceHandler:
        methods = {f.name: f for f in node.body if isinstance(f, ast.FunctionDef)}
        direct = any(self.annotations.meaning(base) in INTERFACE for base in node.bases) and len(node.bases) == 1
        missing = [m for m in ("serialize", "deserialize", "validation") if m not in methods] if direct else []
        read = methods.get("deserialize")
        return SourceHandler(node.name, self.annotations(read.returns) if read else ANY, node.lineno, tuple(missing))


def _lines(node: Function | None) -> dict[str, int]:
    if node is None:
        return {}
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    return {argument.arg: argument.lineno for argument in every if argument}


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def source_files(path: Path) -> list[SourceFile]:
    """The files of a plugin: one ``.py`` file, or those of a plugin directory or package.

    Raises:
        RegistrationError: There is no such file or folder, or one of its files is no Python.
    """
    if path.is_file():
        return [SourceFile(path, _module_of(path))]
    if not path.is_dir():
        raise RegistrationError(str(path), "there is no such file or folder")
    files = sorted(file for file in path.glob("*.py") if not file.name.startswith("_") or file.name == "__init__.py")
    if not files:
        raise RegistrationError(str(path), "the folder has no .py files: give a plugin directory or a package")
    return [SourceFile(file, _module_of(file)) for file in files]


def _module_of(file: Path) -> str:
    """The dotted name of a file: the packages around it, and its folder, which may be a plugin directory."""
    file = file.resolve()
    parts = [] if file.stem == "__init__" else [file.stem]
    folder = file.parent
    if folder.name.isidentifier():
        parts.insert(0, folder.name)
    while (folder / "__init__.py").exists() and (folder.parent / "__init__.py").exists():
        folder = folder.parent
        parts.insert(0, folder.name)
    return ".".join(parts)
