"""Graphs as text, Mermaid and SVG."""

from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

from hypothesis import given, strategies as st

from aimm.tasks.graph._document import read_model
from aimm.tasks.graph._issues import Issues
from aimm.tasks.graph._layout import GAP, lay_out
from aimm.tasks.graph._load import read_text
from aimm.tasks.graph._model import Model
from aimm.tasks.graph._show import as_mermaid, as_text
from aimm.tasks.graph._svg import as_svg

TEXT = """
parameters: {seed: 7}
graph:
  table: {load: []}
  parts: {split: [$table, $seed]}
  model: {train: [$parts.train, $table]}
artifact_outputs: {out: {contents: $model, task: {name: JsonArtifactTask}}}
"""


def model_of(text: str) -> Model:
    """The model of a graph."""
    return read_model(read_text(text).value, Issues())


def test_the_tree_has_each_step_below_what_it_waits_for() -> None:
    """What waits for several names the others."""
    assert as_text(model_of(TEXT)).splitlines() == [
        "table: load",
        "└── parts: split",
        "    └── model: train  (also after table)",
        "        └── [out] JsonArtifactTask",
    ]


def test_steps_in_a_cycle_are_shown_too() -> None:
    """A graph that cannot run can be looked at."""
    text = "graph: {a: {f: [$b]}, b: {f: [$a]}}"
    assert "a: waits for itself" in as_text(model_of(text))
    assert ElementTree.fromstring(as_svg(model_of(text))).tag.endswith("svg")


def test_mermaid_names_boxes_and_outputs() -> None:
    """Every arrow joins boxes that are there."""
    lines = as_mermaid(model_of(TEXT)).splitlines()
    assert lines[0] == "flowchart TD"
    assert '    n2 -- "train" --> n3' in lines


def test_the_svg_is_sound_xml_whatever_names_hold() -> None:
    """Names are escaped."""
    root = ElementTree.fromstring(as_svg(model_of('graph: {"<a> & \\"b\\"": {"f<": []}, "\\x01": {f: []}}')))
    assert {'<a> & "b"', "\ufffd"} <= {element.text for element in root.iter()}


def test_outputs_on_one_arrow_are_named_below_each_other() -> None:
    """One arrow for all of them; no name covers another, nor a box."""
    graph = "graph: {a: {f: []}, b: {g: [$a.one, $a.two]}, c: {h: [$a.other, $b]}, d: {h: [$a.one, $c]}}"
    root = ElementTree.fromstring(as_svg(model_of(graph)))
    assert len([one for one in root.iter() if one.get("class") == "arrow"]) == 5
    labels = [one for one in root.iter() if one.get("class") == "label"]
    assert sorted(one.text or "" for one in labels) == ["one", "one", "other", "two"]
    boxes = [one for one in root.iter() if (one.get("class") or "").startswith("box")]
    for one, other in combinations(labels, 2):
        assert abs(number(one, "y") - number(other, "y")) >= 11 or abs(number(one, "x") - number(other, "x")) >= 30
    for label in labels:
        inside = [box for box in boxes if 0 < number(label, "y") - number(box, "y") < number(box, "height")]
        assert all(not -15 < number(label, "x") - number(box, "x") < number(box, "width") + 15 for box in inside)


def test_boxes_are_as_wide_as_wide_letters_need() -> None:
    """Capitals, and letters of East Asia."""
    for letter, pixels in (("W", 13), ("\u540d", 13), ("i", 4)):
        root = ElementTree.fromstring(as_svg(model_of(f"graph: {{{letter * 30}: {{f: []}}}}")))
        assert max(number(one, "width") for one in root.iter() if "box" in (one.get("class") or "")) >= 30 * pixels


def number(element: ElementTree.Element, name: str) -> float:
    """A number in an element."""
    return float(element.get(name) or 0)


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=25))
def test_boxes_never_touch(count: int, pairs: list[tuple[int, int]]) -> None:
    """Whatever arrows there are, cycles included."""
    arrows = [(str(a % count), str(b % count)) for a, b in pairs]
    layout = lay_out({str(index): 60.0 + 10 * index for index in range(count)}, arrows)
    rows: dict[float, list[Any]] = {}
    for place in layout.places.values():
        rows.setdefault(place.y, []).append(place)
    for row in rows.values():
        for left, right in pairwise(sorted(row)):
            assert right.x - left.x >= (left.width + right.width) / 2 + GAP - 1e-6
