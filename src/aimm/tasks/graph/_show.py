"""A graph to look at: as text, as Mermaid, as SVG."""

from typing import NamedTuple

from aimm.tasks.graph._model import Model
from aimm.tasks.graph._order import edges_of


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
    for name, step in model.steps.items():
        linked = {source for source, target, _ in edges if target == f"step:{name}"} if step.dependencies else ()
        for other in step.dependencies:
            if other in model.steps and f"step:{other}" not in linked:
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
    text = str(type_) if type_ is not None else "" if repr(default) == "<missing>" else f"= {default}"
    return text if len(text) <= 24 else f"{text[:21]}..."


def as_text(model: Model) -> str:
    """The steps as a tree: each below a step that it waits for, and the artifacts below what they are made of.

    A step that waits for several stands below the last of them; the others are named behind it.
    """
    edges = edges_of(model)
    position = {name: index for index, name in enumerate(_sorted_steps(edges))}
    below: dict[str | None, list[str]] = {}
    for name, needed in edges.items():
        parent = max(needed, key=lambda other: position.get(other, -1), default=None)
        below.setdefault(parent if parent != name else None, []).append(name)
    lines: list[str] = []
    stack = [(name, "", "", name == below.get(None, [])[-1]) for name in reversed(below.get(None, []))]
    seen: set[str] = set()
    while stack:
        name, prefix, branch, _ = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        parent = max(edges[name], key=lambda other: position.get(other, -1), default=None)
        others = [other for other in edges[name] if other != parent]
        also = f"  (also after {', '.join(others)})" if others else ""
        lines.append(f"{prefix}{branch}{name}: {model.steps[name].task}{also}")
        inner = prefix + {"": "", "├── ": "│   ", "└── ": "    "}[branch]
        inner = inner if branch else ""
        children = below.get(name, [])
        artifacts = _artifacts_below(model, name, position)
        for index, artifact in enumerate(artifacts):
            last = index == len(artifacts) - 1 and not children
            lines.append(f"{inner}{'└── ' if last else '├── '}[{artifact}]")
        for index, child in reversed(list(enumerate(children))):
            stack.append((child, inner, "└── " if index == len(children) - 1 else "├── ", False))
    loose = [f"[{name}]" for name in _artifacts_below(model, None, position)]
    cyclic = [f"{name}: {model.steps[name].task}  (in a cycle)" for name in edges if name not in seen]
    return "\n".join([*lines, *loose, *cyclic])


def _sorted_steps(edges: dict[str, tuple[str, ...]]) -> list[str]:
    from graphlib import CycleError

    from aimm.tasks.graph._order import order_of

    try:
        return order_of(edges)
    except CycleError:
        return list(edges)


def _artifacts_below(model: Model, step: str | None, position: dict[str, int]) -> list[str]:
    found = []
    for name, output in model.artifact_outputs.items():
        made_of = [r.name for _, r in output.references if r.name in model.steps]
        last = max(made_of, key=lambda other: position.get(other, -1), default=None)
        if last == step:
            found.append(f"{name} -> {output.handler}")
    return found


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
