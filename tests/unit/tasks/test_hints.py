"""Type hints as types: of live objects, and of the same hints in source. Both must say the same."""

import collections
import enum
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, Optional, TypedDict, TypeVar, Union

import numpy as np
import pytest

from aimm.tasks._source import SourceFile
from aimm.tasks._types import check_value, type_of_hint

Make = Callable[..., str]


class Row(TypedDict):
    name: str
    size: NotRequired[int]


@dataclass
class Point:
    x: float
    parent: "Point | None" = None


class Pair(NamedTuple):
    left: int
    right: str


class Colour(enum.Enum):
    RED = 1


UserId = NewType("UserId", int)
Bound = TypeVar("Bound", bound=str)
Chosen = TypeVar("Chosen", int, str)
HERE = __name__

HINTS: list[tuple[Any, Any]] = [
    (str, "string"),
    (int, "integer"),
    (float, "number"),
    (bool, "boolean"),
    (None, "null"),
    (Any, "any"),
    (object, "any"),
    (list[str], {"list": "string"}),
    (list, {"list": "any"}),
    (typing.List[int], {"list": "integer"}),  # noqa: UP006
    (typing.Sequence[int], {"list": "integer"}),
    (tuple[int, str], {"tuple": ["integer", "string"]}),
    (tuple[int, ...], {"list": "integer"}),
    (tuple[()], {"tuple": []}),
    (tuple, {"list": "any"}),
    (dict[str, float], {"mapping": ["string", "number"]}),
    (dict[float, str], {"mapping": ["any", "string"]}),
    (dict[Literal["a"], str], {"mapping": ["string", "string"]}),
    (dict, {"mapping": ["any", "any"]}),
    (collections.abc.Mapping[int, Any], {"mapping": ["integer", "any"]}),
    (Optional[str], {"union": ["string", "null"]}),  # noqa: UP045
    (Union[int, str], {"union": ["integer", "string"]}),  # noqa: UP007
    (int | None, {"union": ["integer", "null"]}),
    (Literal["a", 1, None], {"literal": ["a", 1, None]}),
    (Annotated[int, "metres"], "integer"),
    (np.ndarray, "numpy.ndarray"),
    (np.ndarray[Any, Any], "numpy.ndarray"),
    (Path, "pathlib.Path"),
    (bytes, "bytes"),
    (set[int], "set"),
    (Callable[[int], str], "collections.abc.Callable"),
    (Colour, f"{HERE}.Colour"),
    (UserId, f"{HERE}.UserId"),
    (Bound, "string"),
    (Chosen, {"union": ["integer", "string"]}),
    (Row, f"{HERE}.Row"),
    (Point, f"{HERE}.Point"),
    (Pair, f"{HERE}.Pair"),
    ([1], "any"),
]


@pytest.mark.parametrize(("hint", "document"), HINTS, ids=lambda part: str(part)[:40])
def test_what_a_hint_means(hint: Any, document: Any) -> None:
    """Each form of hint has one type."""
    assert type_of_hint(hint).document() == document


def test_structures_are_derived() -> None:
    """A TypedDict and a dataclass are enumerated mappings, a NamedTuple is a tuple with fields."""
    assert type_of_hint(Row).definition() == {"mapping": {"name": "string", "size": "integer"}, "required": ["name"]}
    point = type_of_hint(Point)
    assert point.definition() == {"mapping": {"x": "number", "parent": {"union": [f"{HERE}.Point", "null"]}}}
    assert type_of_hint(Pair).definition() == {"tuple": ["integer", "string"]}
    assert [name for name, _ in type_of_hint(Pair).properties] == ["left", "right"]


def test_values_of_derived_structures() -> None:
    """A dataclass wants an instance, a TypedDict a mapping, a NamedTuple its own tuple."""
    assert check_value(type_of_hint(Point), Point(1.0)) is None
    assert check_value(type_of_hint(Point), {"x": 1.0, "parent": None}) is not None
    assert check_value(type_of_hint(Row), {"name": "a"}) is None
    assert check_value(type_of_hint(Pair), Pair(1, "a")) is None
    assert check_value(type_of_hint(Pair), (1, "a")) is not None


SOURCE = """
import collections.abc
import enum
import numpy
import numpy as np
import typing as t
from dataclasses import dataclass
from pathlib import Path
from typing import *
from aimm import tasks
from aimm.tasks import register
from aimm import tasks as pyplugs

Words = list[str]
Array = np.ndarray
UserId = t.NewType("UserId", int)
T = t.TypeVar("T", bound=str)
reg = pyplugs.register
if True:
    from fractions import Fraction as F

class Row(t.TypedDict, total=False):
    name: t.Required[str]
    size: int

class Wide(Row):
    width: float

@dataclass
class Point:
    x: float
    limits: t.ClassVar[int] = 3
    parent: "Point | None" = None

@dataclass(eq=False)
class Deep(Point):
    z: int = 0

class Pair(t.NamedTuple):
    left: int
    right: str

class Colour(enum.Enum):
    RED = 1

@register
def one(a: str, b: "int", c: t.Optional[float] = None, /, d: "t.Union[int, None]" = None, *more: bool,
        e: dict[str, list[int]], f: t.Literal["x", 1] = "x", **rest: t.Any) -> tuple[int, str]: ...

@pyplugs.register(sort_value=3)
def two(a: np.ndarray, b: numpy.ndarray, c: Array, d: Words, e: UserId, f: T, g: F, h: Path) -> Pair: ...

@tasks.register(outputs=["first", "second"])
def three(a: Row, b: Wide, c: Point, d: Deep, e: Colour, f: t.Callable[[int], str]) -> tuple[int, Point]: ...

@reg(outputs="whole", state_cb_arg_name="tell")
async def four(tell, a, b: t.Annotated[int, "m"], c: collections.abc.Sequence[str], d: t.Mapping[int, str]) -> None: ...

@register
def five(a: bytes, b: set[int], c: "list[Pair]", d: tuple[int, ...], e: tuple, f: dict, g: list) -> Row: ...

@register
def six() -> Point: ...

@register
def seven(*, a: int, b: str = "") -> list[int]: ...

@register
class Eight:
    def __init__(self, a: int, b: str = ""): ...

def not_a_task(a): ...
"""


@pytest.fixture
def module(make_module: Make) -> str:
    """The source above as an importable module."""
    return make_module(SOURCE.replace("from typing import *\n", ""))


def test_source_and_live_objects_say_the_same(module: str, tmp_path: Path) -> None:
    """Names, kinds, types, defaults and outputs read from source are those of the imported functions."""
    import importlib

    from aimm import tasks

    file = SourceFile(tmp_path / "modules" / f"{module}.py", module)
    importlib.import_module(module)
    assert [task.name for task in file.tasks] == ["one", "two", "three", "four", "five", "six", "seven", "Eight"]
    for task in file.tasks:
        live = tasks.find_task(f"{module}.{task.name}")
        for ours, theirs in zip(task.parameters, live.parameters, strict=True):
            assert ours._replace(default=None) == theirs._replace(default=None)
            assert ours.type.structure() == theirs.type.structure()
        assert task.outputs == live.outputs
        assert task.outputs_form == live.outputs_form
        assert task.line == live.line or task.name == "Eight" or live.line == task.line - 1


def test_annotations_for_type_checkers_only_are_read_from_source(make_module: Make) -> None:
    """What cannot be evaluated is looked up in the source of its module."""
    import importlib

    from aimm import tasks

    module = make_module(
        """
        from typing import TYPE_CHECKING
        from aimm.tasks import register
        if TYPE_CHECKING:
            import numpy as np

        @register
        def scale(rows: "np.ndarray", names: "list[np.ndarray] | None" = None) -> "np.ndarray": ...
        """
    )
    importlib.import_module(module)
    found = tasks.find_task("scale")
    assert [str(p.type) for p in found.parameters] == ["numpy.ndarray", "list[numpy.ndarray] | null"]
    assert str(found.outputs[0].type) == "numpy.ndarray"


def test_a_recursive_type_ends() -> None:
    """A class that contains itself is a name inside itself."""
    inner = type_of_hint(Point).properties[1][1]
    assert str(inner) == f"{HERE}.Point | null"
