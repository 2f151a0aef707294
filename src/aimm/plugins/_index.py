"""The static index: what is declared under a name, at a price that does not grow with the number of plugins.

It is one text, looked up in place and kept on disk as it is; only when it is missing or no longer true are the
distributions read (:mod:`aimm.plugins._scan`). Its lines, with tabs between the fields:

* the stamps of the folders on the search path, in its order;
* ``!stamp path distribution message``: metadata that cannot be used;
* ``=group name declared-name value``: a model class under its canonical name, module + class name;
* ``group name value distribution version summary path stamps``: an entry point; the stamps are those of
  ``entry_points.txt`` and of the file with name and version.

All but the first are sorted. A stamp changes whenever a file or folder does.
"""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import aimm
from aimm.plugins import _cache
from aimm.plugins._cache import NOTHING, identity_stamp, stamp, stamp_at

if TYPE_CHECKING:
    from aimm.plugins._scan import Declared

_BARE, _UNSURE = "~", "?"


class Index:
    """What is declared on the search path.

    What was read from disk is compared with the folders and files it came from, as far as an answer depends on them:
    the folders of the search path and unusable metadata at once, the files behind entry points when these are asked
    for. When something changed, or a name is unknown, everything is read anew, once.

    Args:
        path: Folders and archives; those of ``sys.path`` if not given.
    """

    def __init__(self, path: Iterable[str] | None = None) -> None:
        self._path = search_path() if path is None else list(path)
        key = "\t".join(map(escaped, (aimm.__version__, sys.version, sys.executable or "", *self._path)))
        self._key, self._is_new = key, False
        self._text = _cache.read(key) or ""
        if not self._holds():
            self._build()

    def named(self, group: str, name: str, *, wanted: bool = True) -> list[list[str]]:
        """The entry points of a group that answer to a name: group, name, value, distribution, version, summary, path.

        Args:
            group: Entry-point group.
            name: Entry-point name, or the canonical name of a model class.
            wanted: Whether nobody else may have this name: then it is looked for on disk before it counts as unknown.
        """
        rows = self._named(group, name)
        if not self._is_new and (not _are_current(rows, 2) or (wanted and not rows)):
            self._build()
            rows = self._named(group, name)
        return _without_stamps(rows)

    def declared(self, group: str = "aimm.") -> list[list[str]]:
        """Every entry point of the groups whose name starts like this, sorted; fields as above."""
        rows = self._rows(group)
        if not self._is_new and not _are_current(rows, 1):
            self._build()
            rows = self._rows(group)
        return _without_stamps(rows)

    def problems(self) -> list[list[str]]:
        """Metadata that cannot be used: distribution, path, message."""
        return sorted([distribution, path, message] for _, path, distribution, message in self._rows("!"))

    def _named(self, group: str, name: str) -> list[list[str]]:
        rows = self._rows(f"{group}\t{escaped(name)}\t")
        for _, _, declared_name, value in self._rows(f"={group}\t{escaped(name)}\t"):
            rows += self._rows(f"{group}\t{escaped(declared_name)}\t{escaped(value)}\t")
        return rows

    def _rows(self, start: str) -> list[list[str]]:
        """The lines that start with something, as fields."""
        text = self._text
        low = first_line(text, start)
        if not text.startswith(start, low):
            return []
        high = first_line(text, start[:-1] + chr(ord(start[-1]) + 1))
        lines = text[low : high - 1].split("\n")
        if "\\" in text:
            return [list(map(_unescaped, line.split("\t"))) for line in lines]
        return [line.split("\t") for line in lines]

    def _holds(self) -> bool:
        """Whether there is a text, and the folders and unusable metadata are what it says."""
        end = self._text.find("\n")
        stamps = self._text[:end].split("\t") if self._path else []
        if end < 0 or len(stamps) != len(self._path):
            return False
        for folder, before in zip(self._path, stamps, strict=True):
            now = stamp_at(folder)
            if before not in (now, _BARE + now) and not (before.startswith(_BARE) and is_bare(folder)):
                return False
        return all(before[1:] == stamp_at(path) for before, path, *_ in self._rows("!"))

    def _build(self) -> None:
        """Read every distribution, and keep the result unless it may be out of date already."""
        from aimm.plugins._scan import scan

        self._is_new = True
        folders = [] if _cache.switched_off() else [_folder_stamp(folder) for folder in self._path]
        declared = scan(self._path)
        self._text = index_text(declared, folders)
        if declared.is_settled and _UNSURE not in folders:
            _cache.write(self._key, self._text)


def search_path() -> list[str]:
    """The folders and archives where imports look."""
    try:
        here = os.getcwd()
    except OSError:
        here = ""
    entries = (entry for entry in sys.path if isinstance(entry, str))
    found = (entry if os.path.isabs(entry) else here and os.path.join(here, entry) for entry in entries)
    return [entry for entry in found if entry]


def _folder_stamp(folder: str) -> str:
    """The stamp of a folder of the search path, taken before it is read; marked where only metadata would matter."""
    try:
        status = os.stat(folder)
    except (OSError, ValueError):
        return _BARE + NOTHING
    found = stamp(status) if _cache.is_settled(status) else _UNSURE
    return _BARE + found if is_bare(folder) else found


def is_bare(folder: str) -> bool:
    """Whether a folder holds nothing that looks like metadata, so that other changes in it do not matter."""
    try:
        with os.scandir(folder) as children:
            return not any(child.name[-5:].lower() == "-info" for child in children)
    except (FileNotFoundError, ValueError):
        return True
    except OSError:  # an archive, for one
        return False


def index_text(declared: "Declared", folders: Iterable[str]) -> str:
    """Write down what was found."""
    lines = set()
    for entry in declared.entries:
        lines.add(_line("", *entry, declared.stamps[entry.path]))
        canonical = canonical_name(entry.group, entry.name, entry.value)
        if canonical not in (None, entry.name):
            lines.add(_line("=", entry.group, str(canonical), entry.name, entry.value))
    for distribution, path, message in declared.problems:
        lines.add(_line("!", stamp_at(path), path, distribution, message))
    return "\n".join(("\t".join(folders), *sorted(lines), ""))


def canonical_name(group: str, name: str, value: str) -> str | None:
    """The second name of a model class: module + class name; that of a training command: with dashes; else None."""
    if group == "aimm.train":
        return name.replace("_", "-")
    if group != "aimm.models" or ":" not in value:
        return None
    return target(value).replace(":", ".")


def target(value: str) -> str:
    """What an entry point refers to, without extras and spaces."""
    return "".join(value.partition("[")[0].split())


def first_line(text: str, start: str) -> int:
    """Where the first line stands that starts with something or comes behind it; the first line of all is left out."""
    low, high = text.index("\n") + 1, len(text)
    while low < high:
        middle = text.rfind("\n", low, (low + high) // 2) + 1 or low
        if text[middle : middle + len(start)] < start:
            low = text.index("\n", middle) + 1
        else:
            high = middle
    return low


def escaped(field: str) -> str:
    """A field without tab and newline."""
    if "\\" in field or "\t" in field or "\n" in field:
        return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return field


def _line(mark: str, *fields: str) -> str:
    line = mark + "\t".join(fields)
    if "\\" in line or "\n" in line or line.count("\t") >= len(fields):
        return mark + "\t".join(map(escaped, fields))
    return line


def _unescaped(field: str) -> str:
    return "\\".join(part.replace("\\t", "\t").replace("\\n", "\n") for part in field.split("\\\\"))


def _without_stamps(rows: list[list[str]]) -> list[list[str]]:
    for row in rows:
        del row[7:]  # in place: there may be thousands
    return rows


def _are_current(rows: list[list[str]], files: int) -> bool:
    """Whether the first one or two files behind entry points are what they were."""
    checked = ""
    for row in rows:
        path = row[6]
        if path != checked:
            entry_points, _, identity = row[7].partition(",")
            if entry_points != stamp_at(path) or (files > 1 and identity != identity_stamp(path)):
                return False
            checked = path
    return True
