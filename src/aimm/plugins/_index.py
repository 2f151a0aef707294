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
from aimm.plugins._cache import NOTHING, identity_stamp, stamp

if TYPE_CHECKING:
    from aimm.plugins._scan import Declared

_SETTLED = 2_000_000_000
"""Nanoseconds after which a file that changes again is sure to get another stamp, on the coarsest of file systems."""
_BARE = "~"


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
        text = _cache.read(key)
        if text is None or not self._holds(text):
            text = self._built()
        self._text = text

    def named(self, group: str, name: str, *, wanted: bool = True) -> list[list[str]]:
        """The entry points of a group that answer to a name: group, name, value, distribution, version, summary, path.

        Args:
            group: Entry-point group.
            name: Entry-point name, or the canonical name of a model class.
            wanted: Whether nobody else may have this name: then it is looked for on disk before it counts as unknown.
        """
        rows = self._named(group, name)
        if not self._is_new and (not _are_current(rows, 2) or (wanted and not rows)):
            self._text = self._built()
            rows = self._named(group, name)
        return [row[:7] for row in rows]

    def declared(self, group: str = "aimm.") -> list[list[str]]:
        """Every entry point of the groups whose name starts like this, sorted; fields as above."""
        rows = self._rows(group)
        if not self._is_new and not _are_current(rows, 1):
            self._text = self._built()
            rows = self._rows(group)
        return [row[:7] for row in rows]

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
        found = []
        while text.startswith(start, low):
            end = text.index("\n", low)
            found.append(_fields(text[low:end]))
            low = end + 1
        return found

    def _holds(self, text: str) -> bool:
        stamps = text[: text.index("\n")].split("\t") if self._path else []
        if len(stamps) != len(self._path):
            return False
        for folder, before in zip(self._path, stamps, strict=True):
            now = stamp(folder)
            if before not in (now, _BARE + now) and not (before.startswith(_BARE) and is_bare(folder)):
                return False
        self._text = text
        return all(before[1:] == stamp(path) for before, path, *_ in self._rows("!"))

    def _built(self) -> str:
        """Read every distribution, and keep the result unless it may be out of date already."""
        import time

        from aimm.plugins._scan import scan

        folders = [stamp(folder) for folder in self._path]  # before their content is read
        declared = scan(self._path)
        self._is_new = True
        if not _cache.switched_off():
            young = time.time_ns() - _SETTLED
            folders = [_BARE + _old(s, young) if is_bare(f) else s for s, f in zip(folders, self._path, strict=True)]
            text = index_text(declared, folders)
            if all(_newest(each) < young for each in (*folders, *declared.stamps.values()) if each[0] != _BARE):
                _cache.write(self._key, text)
            return text
        return index_text(declared, folders)


def search_path() -> list[str]:
    """The folders and archives where imports look."""
    try:
        here = os.getcwd()
    except OSError:
        here = ""
    entries = (entry for entry in sys.path if isinstance(entry, str))
    found = (entry if os.path.isabs(entry) else here and os.path.join(here, entry) for entry in entries)
    return [entry for entry in found if entry]


def is_bare(folder: str) -> bool:
    """Whether a folder holds nothing that looks like metadata, so that other changes in it do not matter."""
    try:
        return not any(child[-5:].lower() == "-info" for child in os.listdir(folder))
    except (FileNotFoundError, ValueError):
        return True
    except OSError:  # an archive, for one
        return False


def index_text(declared: "Declared", folders: Iterable[str]) -> str:
    """Write down what was found."""
    stamps, lines = declared.stamps, set()
    for group, name, value, *facts, path in declared.entries:
        fields = (group, name, value, *facts, path, f"{stamps[path]},{stamps[os.path.dirname(path)]}")
        lines.add("\t".join(map(escaped, fields)))
        if (canonical := canonical_name(group, value)) not in (None, name):
            lines.add("=" + "\t".join(map(escaped, (group, str(canonical), name, value))))
    for distribution, path, message in declared.problems:
        lines.add(f"!{stamp(path)}\t" + "\t".join(map(escaped, (path, distribution, message))))
    return "\n".join(("\t".join(folders), *sorted(lines), ""))


def canonical_name(group: str, value: str) -> str | None:
    """The second name of a model class: module + class name; None for anything else."""
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


def _fields(line: str) -> list[str]:
    fields = line.split("\t")
    if "\\" not in line:
        return fields
    return ["\\".join(p.replace("\\t", "\t").replace("\\n", "\n") for p in f.split("\\\\")) for f in fields]


def _are_current(rows: list[list[str]], files: int) -> bool:
    """Whether the first one or two files behind entry points are what they were."""
    for row in rows:
        entry_points, _, identity = row[7].partition(",")
        if entry_points != stamp(row[6]) or (files > 1 and identity != identity_stamp(row[6])):
            return False
    return True


def _newest(of: str) -> int:
    return 0 if of == NOTHING else max(map(int, of.split(".")[:2]))


def _old(of: str, young: int) -> str:
    return of if _newest(of) < young else "?"
