"""``check_model``: one model type, in this process."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from aimm import plugins
from aimm._types import MODEL_ACTIONS
from aimm.errors import PluginNotFoundError
from aimm.testing._checks import IMPORT, MODEL, known_expectations, run
from aimm.testing._examples import Example, as_examples, declared_failures, nearest, supplied
from aimm.testing._families import make_example
from aimm.testing._recipe import class_recipe, find, load, recipe_of
from aimm.testing._report import Report, Result
from aimm.testing._subject import Subject

FLOOR = 15
"""How many checks of one model type must run."""

TIMEOUT = 60.0


def check_model(
    model: str | type,
    examples: Example | Iterable[Example] | None = None,
    manager: plugins.PluginManager | None = None,
    *,
    expected_failures: Mapping[str, str] | None = None,
    heavy: Iterable[str] | None = None,
    timeout: float = TIMEOUT,
    floor: int = FLOOR,
) -> Report:
    """Check that a model type keeps its contract.

    Most checks run in this process; those that a plugin might not survive run in another one.

    Args:
        model: A model type, or a model class, which need not be registered.
        examples: What to call it with. If not given, the plugin's own ``aimm_examples()``, or examples that are made
            for model types of a known family.
        manager: The manager that knows the model type; the default one, initialised if need be, if not given.
        expected_failures: Names of checks that are known to fail, with the reason; such a check that passes is an
            error. Those that the plugin declares itself count too.
        heavy: Modules that the plugin's import must not import.
        timeout: Seconds that each step in another process may take.
        floor: How many checks must run for the report to be good.

    Returns:
        The report; ``report.raise_if_bad()`` makes it an assertion.

    Raises:
        SubjectError: Nobody owns the model type.
        CheckInputError: An example or an expected failure is of no use.
    """
    subjects, expected = prepare(model, examples, manager, expected_failures, heavy, timeout)
    name = subjects[0].model_type
    return Report(name, tuple(run_model(subjects, expected)), floor)


def prepare(
    model: str | type,
    examples: Any,
    manager: plugins.PluginManager | None,
    expected: Mapping[str, str] | None,
    heavy: Iterable[str] | None,
    timeout: float,
) -> tuple[list[Subject], dict[str, str]]:
    """What the checks get: a subject for each example, and what is expected to fail."""
    if isinstance(model, type):
        recipe, name = class_recipe(model)
        manager = load(recipe, manager or plugins.PluginManager())
    else:
        name, manager = model, find(manager, model)
        recipe = recipe_of(manager, model)
    listed = None if heavy is None else tuple(heavy)
    owner, module = _owner(manager, name)
    found = as_examples(examples, name, "examples=") if examples is not None else ()
    near = ""
    if not found:
        given, whose = supplied(owner, module)
        found, near = as_examples(given, name, whose), nearest(given, name, whose)
    made, remark = (None, "") if found else make_example(manager, name)
    remark = "; ".join(filter(None, (remark, near)))
    subjects = [Subject(manager, name, e, remark, recipe, timeout, listed) for e in found or (made,)]
    return subjects, known_expectations({**declared_failures(owner, module), **(expected or {})}, name)


def run_model(
    subjects: list[Subject],
    expected: Mapping[str, str],
    done: Mapping[str, Mapping[str, str]] | None = None,
    started: Callable[[str, str], None] = lambda subject, check: None,
    kinds: Iterable[str] = (MODEL, IMPORT),
) -> Iterator[Result]:
    """Run every check with every example.

    Args:
        subjects: What :func:`prepare` returns.
        expected: Likewise.
        done: Subject to the status of the checks of it that ran already.
        started: Told subject and check before it runs.
        kinds: The kinds of checks; those of the import run once.
    """
    for number, subject in enumerate(subjects, 1):
        name = subject.model_type if number == 1 else f"{subject.model_type} (example {number})"
        for kind in kinds if number == 1 else (MODEL,):
            yield from run(kind, subject, name, expected, (done or {}).get(name), partial(started, name))


def _owner(manager: plugins.PluginManager, name: str) -> tuple[Any, str]:
    """The class or object behind a model type, if one is, and the module that declares it."""
    record = next(r for action in MODEL_ACTIONS if (r := _record(manager, name, action)))
    function = record.function
    owner = function if isinstance(function, type) else getattr(function, "__self__", None)
    return owner, record.source.module or getattr(function, "__module__", "")


def _record(manager: plugins.PluginManager, name: str, action: str) -> Any:
    try:
        return manager.owner_record(name, action)
    except PluginNotFoundError:
        return None
