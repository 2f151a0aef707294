"""Errors of :mod:`aimm.plugins`."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from aimm.errors import AimmError


def _listed(names: Iterable[str], none: str = "none") -> str:
    return ", ".join(map(repr, names)) or none


def known_names(names: Sequence[str]) -> str:
    """The names that exist, for a message about one that does not; only ten of very many."""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"known: {_listed(names[:10])}{more}"


def _named(kind: str, name: str) -> str:
    # Actions are single words and belong to a name: fit of 'x'; the rest are kinds of names: model type 'x'.
    return f"{kind} {name!r}" if " " in kind else f"{kind} of {name!r}"


class PluginFailure(NamedTuple):
    """Why one plugin does not work. Plain text throughout, so that it can be pickled, logged and shown.

    Attributes:
        plugin: Name of the entry point, module or directory.
        stage: What was being done: ``discover``, ``import``, ``resolve``, ``check``, ``register``, ``settings`` or
            ``configure``.
        distribution: Name of the distribution that brings the plugin, if known.
        version: Version of that distribution, if known.
        entry_point: The declaration, written ``[group] name = value``, if there is one.
        file: File to look at, if known.
        cause: The original error, as ``Type: message``.
        hint: What to do next.
        traceback: The original traceback as text; empty where there was no exception.
    """

    plugin: str
    stage: str
    distribution: str | None
    version: str | None
    entry_point: str | None
    file: str | None
    cause: str
    hint: str
    traceback: str = ""

    @property
    def owner(self) -> str:
        """Whose failure this is: plugin, distribution and version in a few words."""
        return owner_text(self.plugin, self.distribution, self.version)

    @property
    def summary(self) -> str:
        """The failure in one line: whose it is, what failed and why."""
        return f"{self.owner} failed at stage {self.stage!r}: {self.cause}"

    def describe(self) -> str:
        """The failure in a few lines: what failed, whose it is, why, and the way out."""
        lines = [self.summary]
        if self.entry_point:
            lines.append(f"  entry point: {self.entry_point}")
        if self.file:
            lines.append(f"  file: {self.file}")
        lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def owner_text(plugin: str, distribution: str | None, version: str | None) -> str:
    """Name a plugin the same way everywhere: ``plugin 'x' (distribution dist 1.0)``."""
    if distribution is None:
        return f"plugin {plugin!r}"
    return f"plugin {plugin!r} (distribution {distribution} {version or 'of unknown version'})"


class ConfigError(AimmError, ValueError):
    """The configuration does not follow its schema, or cannot be read.

    Attributes:
        message: What is wrong and what was expected.
        location: Where in the document, for instance ``entry_points.include[0]``; empty for the whole of it.
        source: The file, or ``configuration`` for a document given as an object.
    """

    def __init__(self, message: str, location: str = "", source: str = "configuration") -> None:
        super().__init__(message, location, source)
        self.message, self.location, self.source = message, location, source

    def __str__(self) -> str:
        where = f"{self.source}, at {self.location}" if self.location else self.source
        return f"{where}: {self.message}"


class DeclarationError(AimmError, TypeError, ValueError):
    """A plugin declares something that cannot be registered; nothing of it was.

    Attributes:
        message: What was declared, and what was expected instead.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class HookSignatureError(DeclarationError):
    """A hook implementation does not fit the hook's specification."""


class DuplicateError(AimmError, ValueError):
    """A name is declared a second time; the first declaration stays as it was.

    Attributes:
        kind: The action, such as ``fit``.
        name: The model type or data access name.
        first: Who declared it first.
        second: Who tried to declare it again.
    """

    def __init__(self, kind: str, name: str, first: str, second: str) -> None:
        super().__init__(kind, name, first, second)
        self.kind, self.name, self.first, self.second = kind, name, first, second

    def __str__(self) -> str:
        what = {"run_task": "the task", "artifact": "the artifact handler"}.get(self.kind, f"{self.kind} for")
        return (
            f"{what} {self.name!r} is already declared by {self.first}; the second declaration, by "
            f"{self.second}, was refused and nothing was changed. Rename one, or call unload_all() first to start over"
        )


class PluginNotFoundError(AimmError, LookupError, ValueError):
    """No plugin owns this name.

    Attributes:
        kind: What was sought: an action such as ``fit``, or ``model type``.
        name: The name that nobody owns.
        known: Names of that kind that do exist.
        hints: Further sentences: near misses, failed plugins that may have declared it, what to call first.
    """

    def __init__(self, kind: str, name: str, known: Sequence[str] = (), hints: Sequence[str] = ()) -> None:
        super().__init__(kind, name, tuple(known), tuple(hints))
        self.kind, self.name, self.known, self.hints = kind, name, tuple(known), tuple(hints)

    def __str__(self) -> str:
        text = f"no plugin for {_named(self.kind, self.name)} ({known_names(self.known)})"
        return "; ".join([text, *self.hints, "'aimm plugins list' shows what is installed"])


class PluginConflictError(AimmError, LookupError, ValueError):
    """Two or more plugins own one name and the configuration does not choose.

    Attributes:
        kind: What is contested: an action, ``model type`` or an entry-point group.
        name: The contested name.
        owners: Every contender, described.
        choices: What may stand behind ``prefer:`` (distribution or module names), in the same order.
    """

    def __init__(self, kind: str, name: str, owners: Sequence[str], choices: Sequence[str]) -> None:
        super().__init__(kind, name, tuple(owners), tuple(choices))
        self.kind, self.name, self.owners, self.choices = kind, name, tuple(owners), tuple(choices)

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} is claimed by {' and by '.join(self.owners)}; {self.remedy}"

    @property
    def remedy(self) -> str:
        """The sentence that says how to settle it."""
        if len(set(self.choices)) < 2:
            return "both come from the same place: remove one of the two declarations"
        lines = " or ".join(f"'prefer: {{{self.name}: {choice}}}'" for choice in dict.fromkeys(self.choices))
        return f"put {lines} into the configuration, or exclude one of the distributions"


class PluginUnavailableError(AimmError, LookupError, ValueError):
    """The plugin that owns this name could not be loaded; the original error is the ``__cause__``.

    Attributes:
        kind: What was asked for.
        name: The name that was asked for.
        failure: Why its owner does not work.
    """

    def __init__(self, kind: str, name: str, failure: PluginFailure) -> None:
        super().__init__(kind, name, failure)
        self.kind, self.name, self.failure = kind, name, failure

    def __str__(self) -> str:
        return f"{_named(self.kind, self.name)} is not available: {self.failure.describe()}"


class PluginLoadError(AimmError):
    """Plugins that the host asked for did not load; everything else did and stays registered.

    Attributes:
        failures: One entry for each plugin that failed.
        report: The whole report of the ``initialize`` call that raised this.
        conflicts: Contested names, when ``strict`` makes them an error.
    """

    def __init__(
        self,
        failures: Sequence[PluginFailure],
        report: Any = None,
        conflicts: Sequence[PluginConflictError] = (),
    ) -> None:
        super().__init__(tuple(failures), report, tuple(conflicts))
        self.failures, self.report, self.conflicts = tuple(failures), report, tuple(conflicts)

    def __str__(self) -> str:
        problems = [*(failure.describe() for failure in self.failures), *map(str, self.conflicts)]
        noun = "problem" if len(problems) == 1 else "problems"
        head = (
            f"{len(problems)} {noun} while loading plugins (the others are loaded; the next initialize() tries again)"
        )
        return "\n".join([head, *problems])


class StateCallbackError(AimmError, TypeError):
    """What stands in the place of ``state_cb`` cannot be called: most likely the callback was forgotten.

    Attributes:
        action: The action that was called.
        name: The model type or data access name.
        given: A short description of the value.
    """

    def __init__(self, action: str, name: str, given: str) -> None:
        super().__init__(action, name, given)
        self.action, self.name, self.given = action, name, given

    def __str__(self) -> str:
        place = "second" if self.action in ("data_access", "instantiate") else "third"
        return (
            f"exec_{self.action}({self.name!r}, ...): state_cb, the {place} argument, must be callable or None, not "
            f"{self.given}. It stands before the arguments of the plugin: pass None there, or pass data by keyword"
        )


class ArgumentTwiceError(AimmError, TypeError):
    """The caller passed an argument that ``aimm`` passes itself.

    Attributes:
        action: The action that was called.
        name: The model type or data access name.
        function: The plugin function, as ``module.qualname``.
        argument: The argument that was given twice.
        role: ``instance`` or ``state callback``.
    """

    def __init__(self, action: str, name: str, function: str, argument: str, role: str) -> None:
        super().__init__(action, name, function, argument, role)
        self.action, self.name, self.function, self.argument, self.role = (
            action,
            name,
            function,
            argument,
            role,
        )

    def __str__(self) -> str:
        own = "state_cb" if self.role == "state callback" else "instance"
        return (
            f"{self.action} of {self.name!r}: {self.function} takes the {self.role} as {self.argument!r}, which is "
            f"filled from the {own!r} argument of exec_{self.action}; leave {self.argument}= out of the call"
        )


class AsyncCallError(AimmError, RuntimeError):
    """An ``async def`` plugin function was called synchronously inside a running event loop.

    Attributes:
        action: The action that was called.
        name: The model type or data access name.
    """

    def __init__(self, action: str, name: str) -> None:
        super().__init__(action, name)
        self.action, self.name = action, name

    def __str__(self) -> str:
        if self.action == "run_task":
            return (
                f"task {self.name!r} is an 'async def' function and an event loop is running in this thread: "
                f"use 'await asyncio.to_thread(tasks.call, {self.name!r}, ...)' here"
            )
        return (
            f"{self.action} of {self.name!r} is an 'async def' function and an event loop is running in this thread: "
            f"use 'await plugins.aexec_{self.action}({self.name!r}, ...)' here"
        )


class PluginExitError(AimmError, RuntimeError):
    """A plugin raised ``SystemExit`` during a call; a plugin must not end the host.

    Attributes:
        action: The action that was called.
        name: The model type or data access name.
        owner: The plugin, described.
        code: What the plugin passed to ``sys.exit``, as text.
    """

    def __init__(self, action: str, name: str, owner: str, code: str) -> None:
        super().__init__(action, name, owner, code)
        self.action, self.name, self.owner, self.code = action, name, owner, code

    def __str__(self) -> str:
        return (
            f"{self.action} of {self.name!r}: {self.owner} called sys.exit({self.code}); "
            "a plugin reports trouble by raising an ordinary exception"
        )


class PluginContractWarning(UserWarning):
    """A plugin breaks its contract in a way that does not stop the call."""
