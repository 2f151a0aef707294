"""Whether there is what is wanted, when one side comes from the hints of installed code."""

from aimm.tasks._types import accepts
from aimm.tasks.graph._bind import Typed


class Fits:
    """Answers for one graph; each question is answered once, as thousands of steps may take one long parameter."""

    def __init__(self) -> None:
        self._answers: dict[tuple[int, int, bool, bool], tuple[Typed, Typed, bool]] = {}

    def __call__(self, wanted: Typed, given: Typed) -> bool:
        """See :func:`fits`."""
        key = id(wanted.type), id(given.type), wanted.from_code, given.from_code
        if key not in self._answers:  # the types are kept with the answer, so that nothing else gets their ids
            self._answers[key] = wanted, given, fits(wanted, given)
        return self._answers[key][2]


def fits(wanted: Typed, given: Typed) -> bool:
    """Whether a value of one type may go where another is wanted.

    What a document declares is taken at its word: ``any`` fits ``any`` alone. What a type hint leaves open is left to
    the check at run time, and so are names that only one of document and code knows.

    Args:
        wanted: Type of the input.
        given: Type of the argument.
    """
    if wanted.type.is_any or wanted.type is given.type:
        return True
    if given.from_code and given.type.is_open:
        return True
    if wanted.from_code != given.from_code and not (wanted.type.is_built_in and given.type.is_built_in):
        return True
    return accepts(wanted.type, given.type)
