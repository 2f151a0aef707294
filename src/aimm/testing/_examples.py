"""Small examples to check plugins with: what plugins supply, and what is made for known families."""

import copy
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aimm.errors import CheckInputError

SUPPLIER, EXPECTATIONS = "aimm_examples", "aimm_expected_failures"
"""What the kit looks for in model classes, in modules of plugins, and in the packages around them."""


class Arguments(NamedTuple):
    """Arguments of one call, as :func:`call` makes them.

    Attributes:
        args: Positional arguments.
        kwargs: Keyword arguments.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}

    def copied(self) -> "Arguments":
        """The same with objects of its own, so that no call sees what another one did to them."""
        try:
            return Arguments(*copy.deepcopy((self.args, dict(self.kwargs))))
        except Exception:  # noqa: BLE001 - what cannot be copied is used as it is
            return self


def call(*args: Any, **kwargs: Any) -> Arguments:
    """Write the arguments of a call as one writes the call: ``call(X, y, epochs=3)``."""
    return Arguments(args, kwargs)


class Example(NamedTuple):
    """Small, quick arguments for every action of a model type. Give a seed wherever a model draws random numbers.

    Attributes:
        fit: Arguments of ``fit``, without the instance and the state callback.
        predict: Arguments of ``predict``, likewise.
        instantiate: Arguments of the constructor.
        stateful: Whether ``predict`` changes the instance on purpose, as models do that learn from what they see.
        predicts_unfitted: Whether ``predict`` before ``fit`` gives a prediction on purpose.
        bad_fit: Arguments that ``fit`` must refuse; without them the kit tries a few of its own.
    """

    fit: Arguments = Arguments()
    predict: Arguments = Arguments()
    instantiate: Arguments = Arguments()
    stateful: bool = False
    predicts_unfitted: bool = False
    bad_fit: Arguments | None = None


def as_examples(found: Any, subject: str, whose: str) -> tuple[Example, ...]:
    """Examples as somebody gives them: one, several, or a mapping of names to one or several.

    Args:
        found: What was given.
        subject: The name that is to be checked.
        whose: How to call the giver in messages.

    Raises:
        CheckInputError: It is something else.
    """
    if isinstance(found, Mapping):
        found = found.get(subject)
    if found is None:
        return ()
    given = (found,) if isinstance(found, Example) else tuple(found) if isinstance(found, Sequence) else (found,)
    for example in given:
        parts = (example.fit, example.predict, example.instantiate) if isinstance(example, Example) else ()
        if not parts or not all(isinstance(part, Arguments) for part in parts):
            raise CheckInputError(
                f"{whose} gives {_shown(example)} for {subject!r}; expected aimm.testing.Example(fit=call(...), "
                "predict=call(...)), a list of them, or a mapping of names to them"
            )
    return given


def nearest(found: Any, subject: str, whose: str) -> str:
    """Half a sentence on examples that may be meant for a name that has none; empty if there are no such examples.

    Args:
        found: What was given.
        subject: The name that is to be checked.
        whose: How to call the giver.
    """
    if not isinstance(found, Mapping) or subject in found:
        return ""
    from difflib import get_close_matches

    near = get_close_matches(subject, list(map(str, found)), n=1)
    return f"{whose} has {near[0]!r}; did you mean {subject!r}?" if near else ""


def places(owner: Any, module: str) -> Iterator[tuple[Any, str]]:
    """Where a plugin may have put what the kit looks for: (object, its name), nearest first."""
    if isinstance(owner, type):
        yield owner, f"{owner.__module__}.{owner.__qualname__}"
    elif owner is not None and not callable(owner):
        yield owner, type(owner).__name__
    while module:
        if module in sys.modules:
            yield sys.modules[module], module
        module = module.rpartition(".")[0]


def supplied(owner: Any, module: str) -> tuple[Any, str]:
    """What the nearest ``aimm_examples()`` returns, and whose it is; ``(None, "")`` if there is none.

    Raises:
        CheckInputError: It fails.
    """
    for place, name in places(owner, module):
        supplier = getattr(place, SUPPLIER, None)
        if supplier is not None:
            try:
                return supplier(), f"{name}.{SUPPLIER}()"
            except Exception as error:
                raise CheckInputError(f"{name}.{SUPPLIER}() failed: {type(error).__name__}: {error}") from error
    return None, ""


def declared_failures(owner: Any, module: str) -> dict[str, str]:
    """Every check that the plugin itself declares to fail, with the reason.

    Raises:
        CheckInputError: A declaration is no mapping of texts to texts.
    """
    found: dict[str, str] = {}
    for place, name in places(owner, module):
        declared = getattr(place, EXPECTATIONS, None) or {}
        if not isinstance(declared, Mapping):
            raise CheckInputError(f"{name}.{EXPECTATIONS} must map names of checks to reasons, not {_shown(declared)}")
        found = {**declared, **found}
    return found


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."
