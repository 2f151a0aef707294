"""Checks one declared plugin, with every model type that it owns, in the process made for that."""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from aimm import plugins
from aimm.errors import AimmError
from aimm.testing._checks import ARTIFACT, DATA, HOOKS, IMPORT, LOADING, MODEL, TASK, known_expectations, run
from aimm.testing._checks_hooks import Data, Hooks, marked
from aimm.testing._checks_loading import EAGER, Loading
from aimm.testing._examples import Arguments, declared_failures, supplied
from aimm.testing._model import FLOOR, prepare, run_model
from aimm.testing._report import Result
from aimm.testing._steps import measured
from aimm.testing._subject import HEAVY

FLOORS = {LOADING: 2, IMPORT: 3, MODEL: FLOOR, HOOKS: 1, DATA: 0, TASK: 0, ARTIFACT: 0}
"""How many checks of a subject must run, by kind."""


class Examination:
    """One candidate in this process.

    Args:
        request: What the asking process sends.
        tell: Takes what is found.
    """

    def __init__(self, request: dict[str, Any], tell: Callable[..., None]) -> None:
        self._request, self._tell = request, tell
        self._candidate = plugins.Candidate(*request["candidate"])
        self._manager = plugins.PluginManager()
        self._expected: Mapping[str, str] = {}
        self._done: dict[str, dict[str, str]] = request["done"]

    def run(self) -> None:
        """Run everything that was not done by a process before this one."""
        candidate = self._candidate
        name = title(candidate)
        self._tell("start", name, "entry-point-resolves")
        loading = self._load()
        target = loading.target
        module = candidate.module if candidate.group != "directories" else ""
        self._expected = {**declared_failures(target, module), **self._request["expected"]}
        known_expectations(self._expected)
        self._run(LOADING, loading, name)
        self._run(IMPORT, loading, name)
        if loading.failure:
            return
        given, whose = supplied(target, module)
        self._tell_names(given, whose, loading)
        if candidate.group == "aimm.plugins" and any(marked(target)):
            self._run(HOOKS, Hooks(target, given), name)
        for data in sorted(n for kind, n in loading.registered if kind == "data access"):
            arguments = given.get(data) if isinstance(given, Mapping) else None
            if candidate.group != "aimm.data_access" or data == candidate.name:
                self._run(
                    DATA, Data(self._manager, data, arguments if isinstance(arguments, Arguments) else None), data
                )
        if candidate.group in ("aimm.tasks", "names", "directories"):
            self._check_tasks(given)
        for model_type in self._model_types(loading, given):
            self._check_model(model_type)

    def _tell_names(self, given: Any, whose: str, loading: Loading) -> None:
        keys = list(map(str, given)) if isinstance(given, Mapping) else []
        offered = [name for _, name in loading.registered]
        if self._candidate.group in EAGER:  # names that a hook plugin knows without listing them are checked by calls
            offered += self._model_types(loading, given)
        tasks = [record.name for kind in ("run_task", "artifact") for record in self._manager.records(kind)]
        self._tell("names", whose, keys, offered, tasks)

    def _check_tasks(self, given: Any) -> None:
        from aimm import tasks
        from aimm.testing._checks_tasks import Handler, Task, example_of

        for name in (record.name for record in self._manager.records("run_task")):
            record = tasks.find_task(name, manager=self._manager)
            self._run(TASK, Task(self._manager, record, example_of(name, given)), name)
        for name in (record.name for record in self._manager.records("artifact")):
            handler = tasks.find_handler(name, manager=self._manager)
            self._run(ARTIFACT, Handler(handler, example_of(name, given)), name)

    def _load(self) -> Loading:
        request, candidate = self._request, self._candidate
        facts = measured(lambda: self._manager.load(candidate), request["printed"], tuple(request["heavy"] or HEAVY))
        facts["effects"] = list(self._manager.report.side_effects)
        registered = frozenset(
            (kind, owner.name)
            for kind in ("model type", "data access")
            for owner in self._manager.owners(kind)
            if owner.name != "(dynamic)"
        )
        failure = facts.pop("result")
        declared = frozenset(map(tuple, request["declared"]))
        target = None if failure else _target(candidate)
        return Loading(candidate, failure, target, facts, registered, declared, request["heavy"] is not None)

    def _model_types(self, loading: Loading, given: Any) -> Iterator[str]:
        """The model types to check: the one that is declared; of a hook plugin those it lists or has examples of."""
        if self._candidate.group not in EAGER:
            yield from [self._candidate.name] if self._candidate.group == "aimm.models" else ()
            return
        names = {name for kind, name in loading.registered if kind == "model type"}
        if isinstance(given, Mapping):
            names |= {name for name, example in given.items() if not isinstance(example, Arguments)}
        yield from sorted(names)

    def _check_model(self, name: str) -> None:
        self._tell("start", name, "actions-belong-together")
        timeout, heavy = self._request["timeout"], self._request["heavy"]
        try:
            subjects, expected = prepare(name, None, self._manager, self._request["expected"], heavy, timeout)
        except AimmError as error:
            hint = "let aimm_examples() give examples for names that the plugin owns"
            self._send(MODEL, Result("actions-belong-together", name, "failed", str(error), "", hint))
            return
        for result in run_model(subjects, expected, self._done, partial(self._tell, "start"), (MODEL,)):
            self._send(MODEL, result)

    def _run(self, kind: str, subject: Any, name: str) -> None:
        expected = known_expectations(self._expected, name)
        done = self._done.get(name)
        for result in run(kind, subject, name, expected, done, partial(self._tell, "start", name)):
            self._send(kind, result)

    def _send(self, kind: str, result: Result) -> None:
        self._done.setdefault(result.subject, {})[result.check] = result.status
        self._tell("result", kind, list(result))


def title(candidate: plugins.Candidate) -> str:
    """What to call an entry point in results."""
    return f"[{candidate.group}] {candidate.name}"


def _target(candidate: plugins.Candidate) -> Any:
    found: Any = sys.modules.get(candidate.module)
    if candidate.group == "directories":
        return found
    for part in filter(None, candidate.target.partition(":")[2].split(".")):
        found = getattr(found, part)
    return found
