"""The check of the names that ``aimm_examples()`` has examples for, made when the whole distribution is known."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aimm.errors import known_names
from aimm.testing._checks import EXAMPLES, FailedError, check


class Names(NamedTuple):
    """What the entry points have to do with examples: of one, of several together, or of a distribution.

    Attributes:
        whose: Who supplies examples for it; empty if nobody does.
        keys: The names that these are for, if they are a mapping.
        offered: The model types and data accesses that it offers.
        tasks: The tasks and artifact handlers, whose examples may go by the end of the name.
    """

    whose: str
    keys: Sequence[str] = ()
    offered: Sequence[str] = ()
    tasks: Sequence[str] = ()


def together(told: Sequence[Names]) -> Iterator[Names]:
    """The names for each supplier of a mapping, beside what all entry points offer."""
    offered = sorted({name for one in told for name in one.offered})
    tasks = sorted({name for one in told for name in one.tasks})
    for whose, keys in {one.whose: one.keys for one in told}.items():
        if keys:
            yield Names(whose, keys, offered, tasks)


@check(EXAMPLES, "examples-name-what-there-is", hint="name examples as the code names what they are for")
def examples_name_what_there_is(subject: Names) -> None:
    """Every name in the mapping that ``aimm_examples()`` returns is one that the plugin offers."""
    from difflib import get_close_matches

    ends = {".".join(parts[place:]) for parts in (n.split(".") for n in subject.tasks) for place in range(len(parts))}
    known = [*subject.offered, *sorted(ends)]
    for key in subject.keys:
        if key not in known:
            near = get_close_matches(key, known, n=1) or [name for name in known if name.endswith(f".{key}")]
            names = known_names(sorted({*subject.offered, *subject.tasks}))
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise FailedError(f"it has {key!r}, which is no name of the plugin{hint} ({names})")
