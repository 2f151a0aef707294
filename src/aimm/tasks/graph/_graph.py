"""The graph that users hold: read from a file or a mapping, or built in Python."""

import os
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from aimm.errors import GraphError
from aimm.tasks.graph._build import Builder
from aimm.tasks.graph._load import Source, read_file, read_mapping, read_text


class Graph(Builder):
    """A task graph.

    Read one with :meth:`load` or :meth:`loads`, or build one: ``Graph()`` is empty, and its methods add to it.

    Args:
        document: The graph as plain data; an empty one if not given.
    """

    def __init__(self, document: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._source: Source | None = None
        if document is not None:
            self._take(read_mapping(document))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Graph":
        """Read a YAML or JSON file. What is wrong in it is told by :func:`validate`.

        Raises:
            OSError: The file cannot be opened.
        """
        return cls._of(read_file(path))

    @classmethod
    def loads(cls, text: str) -> "Graph":
        """Read YAML text. What is wrong in it is told by :func:`validate`."""
        return cls._of(read_text(text))

    @classmethod
    def _of(cls, source: Source) -> "Graph":
        graph = cls()
        graph._take(source)
        return graph

    def _take(self, source: Source) -> None:
        self._source = source
        if isinstance(source.value, dict):
            self._document = source.value

    def source(self) -> Source:
        """The document with what is known of its text; for :mod:`aimm.tasks.graph` itself."""
        if self._source is None or self._changed:
            self._source, self._changed = read_mapping(self._document), False
        return self._source

    def document(self) -> dict[str, Any]:
        """The graph as plain data: the same for a graph built in Python and for the file that says the same."""
        copy = read_mapping(self._document).value
        return copy if isinstance(copy, dict) else {}

    def dumps(self) -> str:
        """The graph as YAML."""
        import yaml

        return yaml.safe_dump(self.document(), sort_keys=False, allow_unicode=True, width=100)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a YAML file."""
        from aimm.store._atomic import write_atomically

        write_atomically(os.fspath(path), [self.dumps().encode()])

    def draw(self, form: Literal["text", "mermaid", "svg"] = "text") -> str:
        """The graph to look at; a graph with errors is drawn as far as it can be read.

        Args:
            form: ``text``, a tree of the steps; ``mermaid``, which many sites and editors draw; ``svg``, a picture.

        Raises:
            GraphError: There is no such form.
        """
        from aimm.tasks.graph._document import read_model
        from aimm.tasks.graph._issues import Issues
        from aimm.tasks.graph._show import as_mermaid, as_text
        from aimm.tasks.graph._svg import as_svg

        forms = {"text": as_text, "mermaid": as_mermaid, "svg": as_svg}
        if form not in forms:
            raise GraphError(f"a graph is drawn as {', '.join(forms)}, not as {form!r}")
        return forms[form](read_model(self.source().value, Issues()))


AnyGraph: TypeAlias = "Graph | Mapping[str, Any] | str | os.PathLike[str]"
"""A graph, its document, or the path of its file."""


def as_graph(graph: AnyGraph) -> Graph:
    """The graph that is meant.

    Raises:
        OSError: The file cannot be opened.
        GraphError: It is none of the kinds that a graph is given by.
    """
    if isinstance(graph, Graph):
        return graph
    if isinstance(graph, (str, os.PathLike)):
        return Graph.load(graph)
    if isinstance(graph, Mapping):
        return Graph(graph)
    raise GraphError(f"a graph is a Graph, a mapping, or the path of a file, not {type(graph).__name__}")
