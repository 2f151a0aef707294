"""Every entry point of our groups, read distribution by distribution without importing anything.

One malformed file, ours or a stranger's, spoils only itself and is reported. This is the only module that reads entry
points. The file format is the one of the packaging specifications ("Entry points specification" and "Recording
installed projects", packaging.python.org).
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from aimm._types import GROUPS, READ_AS
from aimm.plugins._cache import NOTHING, identity_stamp, is_settled, stamp

_LEFT_OVER = {"ravenml.plugins.train": "aimm.train"}
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_HEADER = r"(?im)^(name|version|summary)[ \t]*:(.*)"  # compiled when needed, which is rare
_END_OF_HEAD = r"(?m)^\s*$"
_CHUNK = 1 << 13
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


class Declared(NamedTuple):
    """What is declared on a search path.

    Attributes:
        entries: The entry points, sorted.
        problems: What could not be read, sorted.
        stamps: For each file that entries come from, its stamp and that of the file with the distribution's name and
            version, with a comma between.
        is_settled: Whether all these files changed long enough ago for the stamps to be good.
    """

    entries: tuple[IndexEntry, ...] = ()
    problems: tuple[IndexProblem, ...] = ()
    stamps: Mapping[str, str] = {}
    is_settled: bool = True


class _Metadata(NamedTuple):
    """One metadata folder: where it is, and its entry points as text if they can be had."""

    stem: str
    location: str
    entry_points: str | None
    identity: str | None
    error: str = ""
    status: os.stat_result | None = None


def scan(path: Iterable[str]) -> Declared:
    """Read the entry points of our groups from every distribution.

    Args:
        path: Folders and archives to search. The first one that has a distribution of some name wins, as for imports.
    """
    entries: set[IndexEntry] = set()
    problems: list[IndexProblem] = []
    stamps: dict[str, str] = {}
    used: list[os.stat_result] = []
    for metadata in _first_of_each_name(path, problems):
        if metadata.entry_points or metadata.error:
            _read(metadata, entries, problems, stamps, used)
    return Declared(tuple(sorted(entries)), tuple(sorted(problems)), stamps, all(map(is_settled, used)))


def normalised(name: str) -> str:
    """The distribution name as packaging tools compare it (PEP 503)."""
    name = name.lower()
    if not name.isalnum():
        name = name.replace("_", "-").replace(".", "-")
        while "--" in name:
            name = name.replace("--", "-")
    return name


def parse_entry_points(text: str) -> list[tuple[str, str, str]]:
    """Split an ``entry_points.txt`` into (group, name, value), as ``importlib.metadata`` does.

    Raises:
        ValueError: A line is neither a section, a comment, nor ``name = value``; the message tells which.
    """
    group, found = None, []
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line[0] == "#":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line.strip("[]")
        elif group is not None:
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"line {number} is not of the form 'name = value': {line[:60]!r}")
            found.append((group, name.rstrip(), value.lstrip()))
    return found


def _first_of_each_name(path: Iterable[str], problems: list[IndexProblem]) -> Iterator[_Metadata]:
    names: set[str] = set()
    for resolved in dict.fromkeys(filter(None, map(_resolved, path))):
        grouped: dict[str, list[_Metadata]] = {}
        for metadata in _scan(resolved, problems):
            name = normalised(metadata.stem.partition("-")[0])
            if name in grouped:
                grouped[name].append(metadata)
            elif name not in names:
                grouped[name] = [metadata]
        names.update(grouped)
        for name in sorted(grouped):
            if len(grouped[name]) == 1:
                yield grouped[name][0]
                continue
            *stale, newest = sorted(grouped[name], key=_newest_last)
            if any("aimm." in (metadata.entry_points or "") for metadata in grouped[name]):
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
    prefix = os.path.join(folder, "")
    for child in children:
        if child[-5:].lower() == "-info" and (stem := _stem(child, folder)):
            yield _read_folder(stem, prefix + child)


def _stem(child: str, folder: str) -> str:
    """``name-version`` if a child of a folder or archive is a metadata folder, else nothing."""
    if child[-10:] == ".dist-info" and child[0].isalnum():
        return child[:-10]
    if child.upper() == "EGG-INFO":
        stem, suffix = os.path.splitext(os.path.basename(folder))
        return stem if suffix.lower() == ".egg" else ""
    stem, suffix = os.path.splitext(child)
    # pip renames what it is about to delete to "~name" (once "-name"): an interrupted run leaves it behind.
    return stem if suffix.lower() in (".dist-info", ".egg-info") and stem[0].isalnum() else ""


def _read_folder(stem: str, location: str) -> _Metadata:
    try:
        text, found = _text(f"{location}/entry_points.txt", b"aimm.")
        return _Metadata(stem, location, text, None, "", found)
    except (OSError, ValueError) as error:
        return _Metadata(stem, location, None, None, str(error))


def _text(file: str, mark: bytes = b"") -> tuple[str | None, os.stat_result | None]:
    """The content of a file, if there is one, and its state, if it has this mark."""
    try:
        descriptor = os.open(file, _READ)  # open() costs twice as much, and there may be thousands
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    try:
        content = os.read(descriptor, _CHUNK)
        if len(content) == _CHUNK:
            while more := os.read(descriptor, _CHUNK):
                content += more
        return content.decode("utf-8"), os.fstat(descriptor) if mark in content else None
    finally:
        os.close(descriptor)


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


def _read(
    metadata: _Metadata,
    entries: set[IndexEntry],
    problems: list[IndexProblem],
    stamps: dict[str, str],
    used: list[os.stat_result],
) -> None:
    file = f"{metadata.location}{os.sep}entry_points.txt"
    text = metadata.entry_points or ""
    stem_name, _, stem_version = metadata.stem.partition("-")

    def report(message: str, path: str = file) -> None:
        problems.append(IndexProblem(stem_name, path, message))

    if metadata.error:
        return report(f"cannot be read: {metadata.error}")
    try:
        declared = parse_entry_points(text)
    except ValueError as error:
        return report(f"is malformed and was ignored: {error}")
    if text[:1] != "[" or "ravenml." in text:
        _report_oddities(text, declared, report)
    if "aimm." not in text or not (ours := [each for each in declared if each[0].lstrip()[:5] == "aimm."]):
        return None
    identity = metadata.identity
    second = NOTHING
    try:
        if identity is None:
            identity, identity_status = _identity(metadata.location)
            if identity_status is not None:
                used.append(identity_status)
                second = stamp(identity_status)
    except (OSError, ValueError) as error:
        second = identity_stamp(file)
        report(f"cannot be read: {error}", metadata.location)
    if (status := metadata.status) is not None:
        used.append(status)
    stamps[file] = f"{NOTHING if status is None else stamp(status)},{second}"
    own_name, version, summary = _headers(identity or "")
    own_name, version = own_name or stem_name, version or stem_version
    for group, name, value in ours:
        if group in READ_AS and name and value:
            entries.add(IndexEntry(READ_AS[group], name, value, own_name, version, summary, file))
        elif group not in READ_AS:
            report(f"declares the unknown group {group!r}; the groups are {', '.join(GROUPS)}")
        else:
            missing = "value" if name else "name"
            report(f"declares an entry point without a {missing} in group {READ_AS[group]!r}")
    return None


def _report_oddities(text: str, declared: list[tuple[str, str, str]], report: Callable[[str], None]) -> None:
    """What can be read and is most likely not what its author meant."""
    if text.startswith("\ufeff"):
        report("starts with a byte-order mark, which hides its first section; save it as UTF-8 without one")
    elif text[:1] != "[" and (first := _first_line(text)) and not first.startswith("["):
        report(f"starts before any [group], and what stands there was ignored: {first[:60]!r}")
    groups = {READ_AS.get(group, group) for group, _, _ in declared}
    for old, new in _LEFT_OVER.items():
        if old in groups and new not in groups:
            report(f"declares the group {old!r}, which nothing here reads: rename it to {new!r} and reinstall")


def _identity(location: str) -> tuple[str | None, os.stat_result | None]:
    found = _text(f"{location}/METADATA")
    return found if found[0] is not None else _text(f"{location}/PKG-INFO")


def _first_line(text: str) -> str:
    lines = map(str.strip, text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def _headers(text: str) -> tuple[str, str, str]:
    """Name, version and summary, as far as the head of the text has them; the first of each counts."""
    lines = text.split("\n", 4)
    if len(lines) == 5 and (lines[1][:6], lines[2][:9], lines[3][:9]) == ("Name: ", "Version: ", "Summary: "):
        return lines[1][6:].strip(), lines[2][9:].strip(), lines[3][9:].strip()  # as nearly all build tools write it
    text = "\n".join(text.splitlines())
    end = re.search(_END_OF_HEAD, text)
    found = re.findall(_HEADER, text[: end.start()] if end else text)
    fields = {name.lower(): value.strip() for name, value in reversed(found)}
    return fields.get("name", ""), fields.get("version", ""), fields.get("summary", "")
