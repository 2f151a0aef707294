"""The static index: every entry point of our groups, read distribution by distribution without importing anything.

One malformed file, ours or a stranger's, spoils only itself and is reported. This is the only module that reads entry
points; a cache of what it finds belongs here too. The file format is the one of the packaging specifications
("Entry points specification" and "Recording installed projects", packaging.python.org).
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

GROUPS = ("aimm.plugins", "aimm.models", "aimm.data_access", "aimm.tasks", "aimm.train", "aimm.executors")
"""The entry-point groups that ``aimm`` reads."""

_GROUP_ALIASES = {"aimm.plugins.train": "aimm.train"}
_LEFT_OVER = {"ravenml.plugins.train": "aimm.train"}
_BEFORE_RELEASE = {"dev": -4, "a": -3, "b": -2, "rc": -1}


class IndexEntry(NamedTuple):
    """One declared entry point.

    Attributes:
        group: Entry-point group.
        name: Its name: a plugin name, model type, data access name or command.
        value: What it points at, ``module`` or ``module:attribute``.
        distribution: Name of the distribution that declares it.
        version: Its version; empty if unknown.
        summary: One line about the distribution; may be empty.
        path: The file that holds the declaration.
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str
    summary: str
    path: str


class IndexProblem(NamedTuple):
    """A metadata file that could not be used, or not fully.

    Attributes:
        distribution: Name of the distribution, as far as it is known.
        path: The file.
        message: What is wrong with it.
    """

    distribution: str
    path: str
    message: str


class Index(NamedTuple):
    """What is declared on ``sys.path``: sorted entries, and what could not be read."""

    entries: tuple[IndexEntry, ...] = ()
    problems: tuple[IndexProblem, ...] = ()


class _Metadata(NamedTuple):
    """One metadata folder: where it is, and its entry points as text if they can be had."""

    stem: str
    location: str
    entry_points: str | None
    identity: str | None
    error: str = ""


def build_index(path: Iterable[str] | None = None) -> Index:
    """Read the entry points of our groups from every distribution.

    Args:
        path: Folders and archives to search; ``sys.path`` if not given. The first one that has a distribution of some
            name wins, as for imports.
    """
    entries: set[IndexEntry] = set()
    problems: list[IndexProblem] = []
    for metadata in _first_of_each_name(list(sys.path if path is None else path), problems):
        _read(metadata, entries, problems)
    return Index(tuple(sorted(entries)), tuple(sorted(problems)))


def normalised(name: str) -> str:
    """The distribution name as packaging tools compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_entry_points(text: str) -> list[tuple[str, str, str]]:
    """Split an ``entry_points.txt`` into (group, name, value), as ``importlib.metadata`` does.

    Raises:
        ValueError: A line is neither a section, a comment, nor ``name = value``; the message tells which.
    """
    group, found = None, []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            group = line.strip("[]")
        elif group is not None:
            name, equals, value = (part.strip() for part in line.partition("="))
            if not equals:
                raise ValueError(f"line {number} is not of the form 'name = value': {line[:60]!r}")
            found.append((group, name, value))
    return found


def _first_of_each_name(path: list[str], problems: list[IndexProblem]) -> Iterator[_Metadata]:
    names: set[str] = set()
    for resolved in dict.fromkeys(filter(None, map(_resolved, path))):
        grouped: dict[str, list[_Metadata]] = {}
        for metadata in _scan(resolved, problems):
            name = normalised(metadata.stem.partition("-")[0])
            if name not in names:
                grouped.setdefault(name, []).append(metadata)
        names.update(grouped)
        for name in sorted(grouped):
            *stale, newest = sorted(grouped[name], key=_newest_last)
            if stale and any("aimm." in (metadata.entry_points or "") for metadata in grouped[name]):
                left_over = ", ".join(metadata.location for metadata in stale)
                problems.append(IndexProblem(name, newest.location, f"left-over metadata is ignored: {left_over}"))
            yield newest


def _resolved(folder: object) -> str:
    # lib64 is often a link to lib: its distributions must not count twice. Imports skip what is no text, too.
    try:
        return os.path.realpath(folder) if isinstance(folder, str) else ""
    except (OSError, ValueError):
        return ""


def _newest_last(metadata: _Metadata) -> tuple[bool, list[int], list[tuple[int, str]], str]:
    numbers, rest = re.findall(r"^([0-9.]*)(.*)", metadata.stem.partition("-")[2])[0]
    release = [int(number) for number in re.sub(r"(\.0*)+$", "", numbers).split(".") if number]
    marks = [(int(m), "") if m.isdigit() else (_BEFORE_RELEASE.get(m, 0), m) for m in re.findall("[0-9]+|[a-z]+", rest)]
    return metadata.location.endswith(".dist-info"), release, [*marks, (0, "")], metadata.stem


def _scan(folder: str, problems: list[IndexProblem]) -> Iterator[_Metadata]:
    if os.path.isfile(folder):
        yield from _scan_archive(folder, problems)
        return
    try:
        children = os.listdir(folder)
    except OSError:
        return  # sys.path may name folders that do not exist or cannot be read; imports skip them too
    for child in children:
        if stem := _stem(child, folder):
            yield _read_folder(stem, os.path.join(folder, child))


def _stem(child: str, folder: str) -> str:
    """``name-version`` if a child of a folder or archive is a metadata folder, else nothing."""
    if child.upper() == "EGG-INFO":
        stem, suffix = os.path.splitext(os.path.basename(folder))
        return stem if suffix.lower() == ".egg" else ""
    stem, suffix = os.path.splitext(child)
    # pip renames what it is about to delete to "~name" (once "-name"): an interrupted run leaves it behind.
    return stem if suffix.lower() in (".dist-info", ".egg-info") and stem[0].isalnum() else ""


def _read_folder(stem: str, location: str) -> _Metadata:
    try:
        return _Metadata(stem, location, _text(os.path.join(location, "entry_points.txt")), None)
    except (OSError, ValueError) as error:
        return _Metadata(stem, location, None, None, str(error))


def _text(file: str) -> str | None:
    try:
        with open(file, "rb", buffering=0) as stream:
            return stream.read().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None


def _scan_archive(archive: str, problems: list[IndexProblem]) -> Iterator[_Metadata]:
    from importlib_metadata import DistributionFinder, MetadataPathFinder

    try:
        context = DistributionFinder.Context(path=[archive])  # type: ignore[no-untyped-call]
        found = list(MetadataPathFinder().find_distributions(context))
    except Exception as error:  # noqa: BLE001 - a broken archive must not hide the other folders
        return problems.append(IndexProblem(os.path.basename(archive), archive, f"cannot be searched: {error}"))
    for distribution in found:
        location = str(getattr(distribution, "_path", archive)).rstrip("/")
        if stem := _stem(os.path.basename(location), archive):
            try:
                identity = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO")
                yield _Metadata(stem, location, distribution.read_text("entry_points.txt"), identity)
            except Exception as error:  # noqa: BLE001 - zip files break in many ways
                yield _Metadata(stem, location, None, None, str(error))
    return None


def _read(metadata: _Metadata, entries: set[IndexEntry], problems: list[IndexProblem]) -> None:
    file = os.path.join(metadata.location, "entry_points.txt")
    stem_name, _, stem_version = metadata.stem.partition("-")

    def report(message: str, path: str = file) -> None:
        problems.append(IndexProblem(stem_name, path, message))

    if metadata.error:
        return report(f"cannot be read: {metadata.error}")
    text = metadata.entry_points or ""
    try:
        declared = parse_entry_points(text)
    except ValueError as error:
        return report(f"is malformed and was ignored: {error}")
    if text.startswith("\ufeff"):
        report("starts with a byte-order mark, which hides its first section; save it as UTF-8 without one")
    elif (first := _first_line(text)) and not first.startswith("["):
        report(f"starts before any [group], and what stands there was ignored: {first[:60]!r}")
    groups = {_GROUP_ALIASES.get(group, group) for group, _, _ in declared}
    for old, new in _LEFT_OVER.items():
        if old in groups and new not in groups:
            report(f"declares the group {old!r}, which nothing here reads: rename it to {new!r} and reinstall")
    ours = [
        (_GROUP_ALIASES.get(group, group), name, value)
        for group, name, value in declared
        if group.strip().startswith("aimm.")
    ]
    if not ours:
        return None
    try:
        identity = metadata.identity or _identity_text(metadata.location)
    except (OSError, ValueError) as error:
        identity = ""
        report(f"cannot be read: {error}", metadata.location)
    fields = _headers(identity)
    who = fields.get("name") or stem_name, fields.get("version") or stem_version, fields.get("summary", "")
    for group, name, value in ours:
        if group in GROUPS and name and value:
            entries.add(IndexEntry(group, name, value, *who, file))
        elif group not in GROUPS:
            report(f"declares the unknown group {group!r}; the groups are {', '.join(GROUPS)}")
        else:
            report(f"declares an entry point without a {'value' if name else 'name'} in group {group!r}")
    return None


def _identity_text(location: str) -> str:
    return _text(os.path.join(location, "METADATA")) or _text(os.path.join(location, "PKG-INFO")) or ""


def _first_line(text: str) -> str:
    lines = map(str.strip, text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def _headers(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not line.strip():
            break
        if colon and name[:1].isalpha():
            fields.setdefault(name.strip().lower(), value.strip())
    return fields
