"""Reading a graph file: plain data, the place of every key, and an issue for whatever is not plain data.

YAML is read from the parser's events, not by its object builder: that one is recursive, builds what tags name, and lets
the last of two equal keys win.
"""

import os
from typing import Any

from aimm.tasks.graph._issues import Issue, Issues, Path
from aimm.tasks.graph._tree import MAX_DEPTH, MAX_VALUES, MERGE, Mark, Stop, Tree

MAX_BYTES = 64 * 2**20
"""The largest file that is read."""

_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = {None, "!", *(_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge"))}


class Source:
    """A document as it was read.

    Attributes:
        value: Its plain data; None if it cannot be read.
        name: The file, or ``<graph>``.
        issues: What was wrong with the text.
        readable: Whether ``value`` is the whole document.
    """

    def __init__(self, value: Any = None, name: str = "<graph>") -> None:
        self.value, self.name = value, name
        self.issues = Issues()
        self.marks: dict[int, dict[Any, Mark]] = {}
        self.readable = True

    def placed(self, issue: Issue) -> Issue:
        """The issue with line and column, if its place in the text is known."""
        if issue.line is not None or not self.marks:
            return issue
        mark, value = Mark(0, 0), self.value
        for step in issue.path:
            here = self.marks.get(id(value), {}).get(step)
            if here is None:  # an issue about a key that is not there points at its mapping
                break
            mark, value = here, value[step]
        return issue._replace(line=mark[0] + 1, column=mark[1] + 1)


def read_file(path: str | os.PathLike[str]) -> Source:
    """Read a YAML or JSON file; what is wrong with its text becomes issues.

    Raises:
        OSError: The file cannot be opened.
    """
    name = os.fspath(path)
    with open(name, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return _unreadable(name, "limit", f"the file has more than {MAX_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _unreadable(name, "syntax", f"the file is not UTF-8: {error.reason} at byte {error.start}")
    return read_text(text, name)


def read_text(text: str, name: str = "<graph>") -> Source:
    """Read YAML, or JSON if the name ends so; what is wrong with it becomes issues."""
    source = Source(name=name)
    tree = Tree(source.issues)
    try:
        if name.lower().endswith(".json"):
            _read_json(text, tree)
        else:
            _YamlReader(text, tree).read()
    except Stop:
        source.readable = False
    source.value, source.marks = tree.value, tree.marks
    return source


def read_mapping(document: Any) -> Source:
    """Copy a document that is already in memory; what is no plain data becomes issues."""
    source = Source()
    source.value = _Copier(source).copy(document, (), 0)
    return source


def _unreadable(name: str, kind: str, message: str) -> Source:
    source = Source(name=name)
    source.readable = False
    source.issues.error(kind, message)
    return source


def _read_json(text: str, tree: Tree) -> None:
    """Read JSON: the parser of the library says whether it is, and the tokens then tell what stands where."""
    import json
    import re

    try:
        json.loads(text)
    except RecursionError:
        tree.stop("limit", f"lists and mappings are nested more than {MAX_DEPTH} deep")
    except ValueError as error:  # JSONDecodeError, or a number with too many digits
        mark = Mark(getattr(error, "lineno", 1) - 1, getattr(error, "colno", 1) - 1)
        tree.stop("syntax", f"is not valid JSON: {error}", mark)
    line, line_start = 0, 0
    for token in re.finditer(r'\n|[\[\]{}]|"(?:[^"\\]|\\.)*"|[^\s\[\]{},:"]+', text):
        found, mark = token[0], Mark(line, token.start() - line_start)
        if found == "\n":
            line, line_start = line + 1, token.end()
        elif found in "{[":
            tree.open({} if found == "{" else [], mark)
        elif found in "}]":
            tree.close()
        else:
            tree.add(json.loads(found), mark)


class _YamlReader:
    """Gives the events of the YAML parser to a tree."""

    def __init__(self, text: str, tree: Tree) -> None:
        import yaml

        self._yaml, self._tree = yaml, tree
        self._loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)

    def read(self) -> None:
        try:
            self._read_events()
        except self._yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            context, problem = getattr(error, "context", None), getattr(error, "problem", None)
            said = f"{f'{context}: ' if context else ''}{problem}" if problem else " ".join(str(error).split())
            self._tree.stop("syntax", f"is not valid YAML: {said}", mark and _place(mark))
        finally:
            self._loader.dispose()

    def _read_events(self) -> None:
        yaml, tree, get_event = self._yaml, self._tree, self._loader.get_event
        documents = 0
        while True:
            event = get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                tree.add(self._scalar(event), _place(event.start_mark), anchor=event.anchor)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._check_tag(event)
                tree.open({} if kind is yaml.MappingStartEvent else [], _place(event.start_mark), event.anchor)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                tree.close()
            elif kind is yaml.AliasEvent:
                tree.alias(event.anchor, _place(event.start_mark))
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    tree.stop("syntax", "the file holds more than one document", _place(event.start_mark))
            elif kind is yaml.StreamEndEvent:
                return

    def _check_tag(self, event: Any) -> None:
        if event.tag not in _PLAIN_TAGS:
            tag = event.tag.replace(_CORE, "!!")
            message = f"the tag {tag} is refused: a graph holds plain data only"
            self._tree.complain("tag", message, _place(event.start_mark))

    def _scalar(self, event: Any) -> Any:
        value: str = event.value
        tag = event.tag
        if tag is None:
            tag = self._implicit_tag(value) if event.implicit[0] else None  # not what stands in quotes
            if tag is None:
                return value
        if tag == _CORE + "timestamp":
            message = f"{value} is a date, which a graph cannot hold"
            self._tree.complain("tag", message, _place(event.start_mark), f"write '{value}'")
            return value
        if tag == _CORE + "merge" and self._tree.awaits_key:
            return MERGE
        self._check_tag(event)
        return self._built(tag.removeprefix(_CORE), value, event.start_mark)

    def _implicit_tag(self, value: str) -> str | None:
        for tag, pattern in self._loader.yaml_implicit_resolvers.get(value[:1], ()):
            if pattern.match(value):
                return str(tag)
        return None

    def _built(self, kind: str, value: str, mark: Any) -> Any:
        if kind not in ("int", "float", "bool", "null"):
            return value
        try:
            return getattr(self._loader, f"construct_yaml_{kind}")(self._yaml.ScalarNode(_CORE + kind, value))
        except (ValueError, LookupError) as error:
            self._tree.complain("tag", f"{value[:40]!r} is no {kind}: {error}", _place(mark))
            return value


def _place(mark: Any) -> Mark:
    return Mark(mark.line, mark.column)


class _Copier:
    """Copies plain data, bounded; what is not plain becomes an issue."""

    def __init__(self, source: Source) -> None:
        self._source, self._count, self._stopped = source, 0, False

    def copy(self, value: Any, path: Path, depth: int) -> Any:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_VALUES:
            if not self._stopped:  # once: a list that contains itself would say it for ever
                what = f"nested more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"of over {MAX_VALUES:,} values"
                self._source.issues.error("limit", f"the document is {what}, or contains itself", path[:5])
            self._stopped = True
            self._source.readable = False
            return None
        if self._stopped:
            return None
        if value is None or isinstance(value, (str, bool, int, float)):
            return value
        if isinstance(value, dict):
            return {key: self.copy(one, (*path, key), depth + 1) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.copy(one, (*path, index), depth + 1) for index, one in enumerate(value)]
        self._source.issues.error("tag", f"a {type(value).__name__} is no plain data, which is all a graph holds", path)
        return None
