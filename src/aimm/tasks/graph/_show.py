"""A graph to look at: as text, as Mermaid, as SVG."""

from typing import NamedTuple

from aimm.tasks.graph._model import MISSING, Model
from aimm.tasks.graph._order import edges_of, needs_of, order_of


class Node(NamedTuple):
    """A box of the picture.

    Attributes:
        key: What edges call it; unique.
        kind: ``parameter``, ``input``, ``step`` or ``artifact``.
        title: What stands in it.
        detail: The smaller line below.
    """

    key: str
    kind: str
    title: str
    detail: str


class Picture(NamedTuple):
    """Boxes, and arrows ``(from, to, label)`` between them. A label is the name of an output; it may be empty."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str, str], ...]


def picture_of(model: Model) -> Picture:
    """The boxes and arrows of a graph, in the order of the document."""
    used: set[str] = set()
    edges: dict[tuple[str, str, str], None] = {}
    for what, items in (("step", model.steps.values()), ("artifact", model.artifact_outputs.values())):
        for item in items:
            for _, reference in item.references:
                source = _key(model, reference.name)
                if source:
                    edges[source, f"{what}:{item.name}", reference.output or ""] = None
                    used.add(source)
    linked = {(source, target) for source, target, _ in edges}
    for name, step in model.steps.items():
        for other in step.dependencies:
            if other in model.steps and (f"step:{other}", f"step:{name}") not in linked:
                edges[f"step:{other}", f"step:{name}", "then"] = None
    nodes = [
        *(Node(f"parameter:{n}", "parameter", n, _shown(p.type, p.default)) for n, p in model.parameters.items()),
        *(Node(f"input:{n}", "input", n, "artifact") for n in model.artifact_inputs),
        *(Node(f"step:{n}", "step", n, s.task or "?") for n, s in model.steps.items()),
        *(Node(f"artifact:{n}", "artifact", n, a.handler or "?") for n, a in model.artifact_outputs.items()),
    ]
    return Picture(tuple(node for node in nodes if node.kind != "parameter" or node.key in used), tuple(edges))


def _key(model: Model, name: str) -> str | None:
    sections = (("parameter", model.parameters), ("step", model.steps), ("input", model.artifact_inputs))
    return next((f"{kind}:{name}" for kind, names in sections if name in names), None)


def _shown(type_: object, default: object) -> str:
    text = str(type_) if type_ is not None else "" if default is MISSING else f"= {default}"
    return text if len(text) <= 24 else f"{text[:21]}..."


def as_text(model: Model) -> str:
    """The steps as a tree: each below a step that it waits for, and artifacts below what they are made of.

    What waits for several stands below the one that runs last; the others are named behind it.
    """
    edges = edges_of(model)
    position = {name: index for index, name in enumerate(_in_order(edges))}
    below: dict[str | None, list[tuple[str, str]]] = {}  # the text of each line, and the step in it
    for name, step in model.steps.items():
        parent, text = _hung(f"{name}: {step.task}", edges[name], position)
        below.setdefault(parent if parent != name else None, []).append((text, name))
    for name, output in model.artifact_outputs.items():
        parent, text = _hung(f"[{name}] {output.handler}", needs_of(model, output), position)
        below.setdefault(parent, []).append((text, ""))
    lines: list[str] = []
    stack = [("", "", text, name) for text, name in reversed(below.get(None, []))]
    shown = set()
    while stack:
        prefix, branch, text, name = stack.pop()
        lines.append(prefix + branch + text)
        shown.add(name)
        inner = (prefix + {"": "", _TEE: "│   ", _END: "    "}[branch])[-_MAX_INDENT:]
        children = below.get(name, []) if name else []
        for index in reversed(range(len(children))):
            stack.append((inner, _END if index == len(children) - 1 else _TEE, *children[index]))
    return "\n".join([*lines, *(f"{name}: waits for itself" for name in edges if name not in shown)])


_TEE, _END = "├── ", "└── "
_MAX_INDENT = 160
"""Deeper lines begin in the same column: a chain of thousands of steps stays readable, and small."""


def _hung(text: str, needed: tuple[str, ...], position: dict[str, int]) -> tuple[str | None, str]:
    """Below which step a line stands, and its text."""
    parent = max(needed, key=lambda other: position.get(other, -1), default=None)
    others = [other for other in needed if other != parent]
    return parent, f"{text}  (also after {', '.join(others)})" if others else text


def _in_order(edges: dict[str, tuple[str, ...]]) -> list[str]:
    from graphlib import CycleError

    try:
        return order_of(edges)
    except CycleError:
        return list(edges)


def as_mermaid(model: Model) -> str:
    """The graph in the language of Mermaid, which many sites and editors draw."""
    picture = picture_of(model)
    ids = {node.key: f"n{index}" for index, node in enumerate(picture.nodes)}
    shapes = {"parameter": ("([", "])"), "input": ("[/", "/]"), "step": ("[", "]"), "artifact": ("[(", ")]")}
    lines = ["flowchart TD"]
    for node in picture.nodes:
        left, right = shapes[node.kind]
        detail = f"<br/><small>{_quoted(node.detail)}</small>" if node.detail else ""
        lines.append(f'    {ids[node.key]}{left}"{_quoted(node.title)}{detail}"{right}')
    for source, target, label in picture.edges:
        arrow = "-.->" if label == "then" else f'-- "{_quoted(label)}" -->' if label else "-->"
        lines.append(f"    {ids[source]} {arrow} {ids[target]}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
