"""A document that grows value by value: bounded, without recursion, with the place of every key and element."""

from typing import Any, NamedTuple, NoReturn

from aimm.tasks.graph._issues import Issue, Issues

MAX_DEPTH = 100
"""How deep lists and mappings may be nested."""
MAX_VALUES = 2_000_000
"""How many values a document may hold once its aliases are written out."""

MERGE: Any = object()
"""The key that takes over the entries of other mappings: ``<<`` in YAML."""
_NO_KEY: Any = object()


class Mark(NamedTuple):
    """A place in a text, counted from 0."""

    line: int
    column: int


class Stop(Exception):
    """The rest of the document is not worth reading; the issue that says why is there."""


class _Frame:
    """A list or mapping that is being filled."""

    __slots__ = ("anchor", "height", "key", "marks", "merges", "size", "start", "value")

    def __init__(self, value: Any, anchor: str | None, start: Mark) -> None:
        self.value, self.anchor, self.start = value, anchor, start
        self.marks: dict[Any, Mark] = {}
        self.key: Any = _NO_KEY
        self.merges: list[tuple[dict[Any, Any], dict[Any, Mark]]] = []
        self.size = self.height = 1


class Tree:
    """Builds plain data.

    Attributes:
        value: The data.
        marks: By the ``id`` of a list or mapping: where each of its elements or keys stands.
    """

    def __init__(self, issues: Issues) -> None:
        self.value: Any = None
        self.marks: dict[int, dict[Any, Mark]] = {}
        self._issues = issues
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        self._total = 0
        self._kept: list[Any] = []  # values of keys that stand twice: their ids must not be given to others

    @property
    def awaits_key(self) -> bool:
        """Whether the next value is a key."""
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is _NO_KEY

    def complain(self, kind: str, message: str, mark: Mark | None = None, suggestion: str | None = None) -> None:
        """Add an issue about the value that is being read."""
        steps = (len(frame.value) if isinstance(frame.value, list) else frame.key for frame in self._stack)
        path = tuple(step for step in steps if isinstance(step, (str, int)))
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        self._issues.found.append(Issue(kind, "error", message, path, line, column, suggestion))

    def stop(self, kind: str, message: str, mark: Mark | None = None) -> NoReturn:
        """Add an issue and read no further.

        Raises:
            Stop: Always.
        """
        self.complain(kind, message, mark)
        raise Stop

    def open(self, value: Any, mark: Mark, anchor: str | None = None) -> None:
        """Begin a list or mapping."""
        if len(self._stack) >= MAX_DEPTH:
            self.stop("limit", f"lists and mappings are nested more than {MAX_DEPTH} deep", mark)
        self._stack.append(_Frame(value, anchor, mark))

    def close(self) -> None:
        """End the list or mapping that was begun last."""
        frame = self._stack.pop()
        value = frame.value
        for merged, marks in frame.merges:  # what stands in the mapping itself wins, then what was merged first
            for key, one in merged.items():
                value.setdefault(key, one)
                frame.marks.setdefault(key, marks.get(key, frame.start))
        self.marks[id(value)] = frame.marks
        if frame.anchor:
            self._anchors[frame.anchor] = (value, frame.size, frame.height)
        self._attach(value, frame.start, frame.size, frame.height)

    def add(self, value: Any, mark: Mark, anchor: str | None = None) -> None:
        """Add a scalar, or a key."""
        if anchor:
            self._anchors[anchor] = (value, 1, 0)
        self._attach(value, mark, 1, 0)

    def alias(self, anchor: str, mark: Mark) -> None:
        """Add what an anchor stands for."""
        if any(frame.anchor == anchor for frame in self._stack):
            self.stop("limit", f"the anchor &{anchor} contains itself", mark)
        if anchor not in self._anchors:
            self.stop("syntax", f"the anchor &{anchor} is used but nowhere set", mark)
        value, size, height = self._anchors[anchor]
        if len(self._stack) + height > MAX_DEPTH:
            self.stop("limit", f"lists and mappings are nested more than {MAX_DEPTH} deep", mark)
        self._attach(value, mark, size, height)

    def _attach(self, value: Any, mark: Mark, size: int, height: int) -> None:
        if not self._stack:
            self.value = value
            return
        frame = self._stack[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1)
        self._total += 1
        if frame.size > MAX_VALUES or self._total > MAX_VALUES:
            self.stop("limit", f"the document has more than {MAX_VALUES:,} values, aliases written out", mark)
        if isinstance(frame.value, list):
            frame.marks[len(frame.value)] = mark
            frame.value.append(value)
        elif frame.key is _NO_KEY:
            self._begin_entry(frame, value, mark)
        else:
            if frame.key is MERGE:
                self._merge(frame, value, mark)
            else:
                frame.value[frame.key] = value
            frame.key = _NO_KEY

    def _begin_entry(self, frame: _Frame, key: Any, mark: Mark) -> None:
        if isinstance(key, (dict, list)):
            self.complain("name", f"a key is {'a mapping' if isinstance(key, dict) else 'a list'}; keys are text", mark)
            key = f"<key in line {mark.line + 1}>"
        if key is not MERGE:
            if key in frame.marks:
                where = f"first in line {frame.marks[key].line + 1}"
                self.complain("duplicate-key", f"the key {key!r} stands twice in one mapping, {where}", mark)
                self._kept.append(frame.value[key])
            frame.marks[key] = mark
        frame.key = key

    def _merge(self, frame: _Frame, value: Any, mark: Mark) -> None:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                frame.merges.append((one, self.marks.get(id(one), {})))
            else:
                self.complain("shape", "'<<' takes a mapping, or a list of mappings", mark)
