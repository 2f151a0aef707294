"""The ledger: what each plugin installation added to the environment. A JSON file in the environment itself."""

import json
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from aimm.errors import LedgerError

LEDGER_VERSION = 1


class Entry(NamedTuple):
    """A plugin that was installed by name.

    Attributes:
        version: The version that was installed.
        extras: The extras that were asked for.
        requirements: What it needs beside its metadata: the lines of its requirements files.
        source: The folder or URL it came from; empty for an index.
        variant: ``gpu`` or ``cpu``.
        is_whole: Whether all that it brought is in the ledger: not if plain pip had installed it before.
    """

    version: str
    extras: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    source: str = ""
    variant: str = ""
    is_whole: bool = True


class Addition(NamedTuple):
    """A distribution that was not there before.

    Attributes:
        version: The version that was installed.
        plugin: The plugin it was installed for.
        is_marked: Whether the installer marked it as asked for, though it was not the user who did.
    """

    version: str
    plugin: str
    is_marked: bool = False


class Change(NamedTuple):
    """A distribution that was there before, in another version."""

    name: str
    before: str
    after: str
    plugin: str


class Ledger(NamedTuple):
    """What each installation added.

    Attributes:
        plugins: The plugins that were asked for.
        added: What was not there before, plugins included.
        changed: What was there in another version, oldest first.
    """

    plugins: dict[str, Entry] = {}
    added: dict[str, Addition] = {}
    changed: tuple[Change, ...] = ()

    def with_installation(
        self, entries: dict[str, Entry], added: dict[str, Addition], changed: Iterable[Change]
    ) -> "Ledger":
        """The ledger after an installation."""
        return Ledger({**self.plugins, **entries}, {**self.added, **added}, (*self.changed, *changed))

    def without(self, removed: Iterable[str], restored: Iterable[str]) -> "Ledger":
        """The ledger after a removal; what changed twice is remembered as changed once, from the older version."""
        removed, restored = set(removed), set(restored)
        changed = [change for change in self.changed if change.name not in removed | restored]
        for gone in [change for change in changed if change.plugin in removed]:
            place = changed.index(gone)
            later = [i for i in range(place + 1, len(changed)) if changed[i].name == gone.name]
            if later and changed[later[0]].before == gone.after:
                changed[later[0]] = changed[later[0]]._replace(before=gone.before)
            changed.pop(place)
        plugins = {name: entry for name, entry in self.plugins.items() if name not in removed}
        added = {name: addition for name, addition in self.added.items() if name not in removed}
        return Ledger(plugins, added, tuple(changed))

    def as_text(self) -> str:
        """The content of the file."""
        document = {
            "version": LEDGER_VERSION,
            "plugins": {name: entry._asdict() for name, entry in self.plugins.items()},
            "added": {name: addition._asdict() for name, addition in self.added.items()},
            "changed": [change._asdict() for change in self.changed],
        }
        return json.dumps(document, indent=2) + "\n"

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.plugins or self.added or self.changed)


def read_ledger(path: str) -> Ledger:
    """Read the ledger; an empty one if there is none.

    Raises:
        LedgerError: It cannot be read.
    """
    if not os.path.exists(path):
        return Ledger()
    try:
        with open(path, encoding="utf-8") as file:
            return parse_ledger(file.read())
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LedgerError(
            f"{path}: the ledger of installed plugins cannot be read ({type(error).__name__}: {error}); move it away, "
            "and what was installed is judged by the marks of pip instead"
        ) from error


def parse_ledger(text: str) -> Ledger:
    """Make a ledger from the content of its file."""
    document: dict[str, Any] = json.loads(text)
    if document["version"] != LEDGER_VERSION:
        raise ValueError(f"it has version {document['version']}, this aimm reads version {LEDGER_VERSION}")
    entries = {
        name: Entry(**{**fields, "extras": tuple(fields["extras"]), "requirements": tuple(fields["requirements"])})
        for name, fields in document["plugins"].items()
    }
    added = {name: Addition(**fields) for name, fields in document["added"].items()}
    return Ledger(entries, added, tuple(Change(**fields) for fields in document["changed"]))
