"""Reading a JSON document that may be anything: every value is asked for by name and type."""

import json
import math
from collections.abc import Iterator
from typing import Any

from aimm.plugins import ByteString


class PayloadError(ValueError):
    """Bytes that are not what ``serialize`` of this model type returned."""


class Fields:
    """A JSON object that is read field by field.

    Args:
        value: What should be the object.
        where: Where it stands, for messages.

    Raises:
        PayloadError: It is not an object.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise PayloadError(f"{where} must be a JSON object, found {_shown(value)}")
        self._value, self.where = value, where

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def get(self, name: str) -> Any:
        """The value of a field.

        Raises:
            PayloadError: There is no such field.
        """
        if name not in self._value:
            raise PayloadError(f"{self.where} lacks the field {name!r}; the bytes are incomplete")
        return self._value[name]

    def only(self, *names: str) -> None:
        """Refuse every other field, and the lack of one of these.

        Raises:
            PayloadError: There is one, or one lacks.
        """
        for name in names:
            self.get(name)
        if unknown := sorted(self._value.keys() - set(names)):
            raise PayloadError(f"{self.where} has the unknown field {unknown[0]!r}; expected {', '.join(names)}")

    def expect(self, name: str, wanted: str | int, otherwise: str) -> None:
        """Refuse any other value than this one.

        Raises:
            PayloadError: It is another one.
        """
        found = self.get(name)
        if type(found) is not type(wanted) or found != wanted:
            raise PayloadError(f"{name} must be {wanted!r}, found {_shown(found)}: {otherwise}")

    def inner(self, name: str) -> "Fields":
        """A field that is an object itself."""
        return Fields(self.get(name), f"{self.where}, {name}")

    def number(self, name: str, least: float = -math.inf) -> float:
        """A field that is a finite number."""
        return check_number(self.get(name), f"{self.where}, {name}", least)

    def count(self, name: str, least: int = 0) -> int:
        """A field that is a whole number of things."""
        return check_count(self.get(name), f"{self.where}, {name}", least)

    def items(self, name: str) -> list[Any]:
        """A field that is a list."""
        value = self.get(name)
        if not isinstance(value, list):
            raise PayloadError(f"{self.where}, {name} must be a list, found {_shown(value)}")
        return value

    def parts(self, name: str, length: int) -> list[Any]:
        """A field that is a list of a known length."""
        value = self.items(name)
        if len(value) != length:
            raise PayloadError(f"{self.where}, {name} must have {length} values, found {len(value)}")
        return value


def check_number(value: Any, where: str, least: float = -math.inf) -> float:
    """Check that a value is a finite number.

    Raises:
        PayloadError: It is not.
    """
    # JSON has one number type, and 1e999 is a number in it.
    if type(value) is float and math.isfinite(value) and value >= least:
        return value
    expected = "a finite float" if least == -math.inf else f"a finite float of {least} or above"
    raise PayloadError(f"{where} must be {expected}, found {_shown(value)}")


def check_count(value: Any, where: str, least: int = 0) -> int:
    """Check that a value is a whole number of things.

    Raises:
        PayloadError: It is not.
    """
    if type(value) is int and value >= least:
        return value
    raise PayloadError(f"{where} must be a whole number of {least} or above, found {_shown(value)}")


def read_json(content: ByteString) -> Any:
    """Read a JSON document, more strictly than the standard library does.

    Raises:
        PayloadError: It is none, or says one thing twice.
    """
    try:
        text = str(memoryview(content), "utf-8")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except PayloadError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise PayloadError(
            f"expected the bytes that serialize of aimm-river returned, a JSON document, which these are not: {error}"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise PayloadError(f"the field {twice!r} stands twice in one JSON object")
    return found


def _refuse(constant: str) -> Any:
    raise PayloadError(f"{constant} is no number of JSON")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
