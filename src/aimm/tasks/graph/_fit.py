"""Whether what there is may go where something is wanted, when one side comes from the hints of installed code."""

from functools import lru_cache

from aimm.tasks._types import BUILTINS, Type, accepts
from aimm.tasks.graph._bind import Typed


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
    if given.from_code and _is_open(given.type):
        return True
    if wanted.from_code != given.from_code and not (_is_built_in(wanted.type) and _is_built_in(given.type)):
        return True
    return accepts(wanted.type, given.type)


@lru_cache(4096)
def _is_open(type_: Type) -> bool:
    return type_.is_any or any(map(_is_open, (*type_.items, *(held for _, held in type_.properties))))


@lru_cache(4096)
def _is_built_in(type_: Type) -> bool:
    if type_.kind == "simple":
        return type_.name in BUILTINS
    return type_.name is None and all(map(_is_built_in, (*type_.items, *(held for _, held in type_.properties))))
