"""The index of a model store: which model files are which version of which model; an SQLite database."""

import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple, Protocol

from aimm.errors import StaleVersionError, StoreError
from aimm.store import _disk

Value = str | int | float | bool | None
"""What metadata may say about a version under one key."""

Condition = tuple[str, str, Value]
"""Key, comparison and value: what the metadata of a version has to fulfil."""

OPERATORS = {"=": "IS", "!=": "IS NOT", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
LATEST = "latest"
PATIENCE = 30.0  # seconds to wait for another process that writes
SCHEMA_VERSION = 1
_KEY = re.compile(r'[^"\\]{1,128}')
_SCHEMA = f"""
    CREATE TABLE models (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE versions (
        name TEXT NOT NULL, version INTEGER NOT NULL, identity TEXT NOT NULL, model_type TEXT NOT NULL,
        distribution TEXT, plugin_version TEXT, created TEXT NOT NULL, length INTEGER NOT NULL, metadata TEXT NOT NULL,
        PRIMARY KEY (name, version)) WITHOUT ROWID;
    CREATE INDEX by_identity ON versions (identity);
    CREATE TABLE aliases (
        name TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (name, alias)) WITHOUT ROWID;
    PRAGMA user_version = {SCHEMA_VERSION};
"""


class ModelVersion(NamedTuple):
    """One version of a stored model.

    Attributes:
        name: The model.
        version: Its number; the first is 1, and none is given twice.
        identity: The model file: SHA-256 of its header, hexadecimal.
        model_type: Model type.
        distribution: Distribution whose plugin serialised it; None for a plugin without one.
        plugin_version: Version of that distribution.
        created: When it was saved, in ISO 8601, UTC.
        length: Length of the payload in bytes.
        metadata: What was said about it.
        aliases: The names that point to it, sorted.
    """

    name: str
    version: int
    identity: str
    model_type: str
    distribution: str | None
    plugin_version: str | None
    created: str
    length: int
    metadata: dict[str, Value]
    aliases: tuple[str, ...] = ()


class Index(Protocol):
    """What a store needs of its index: a file here, a shared database elsewhere. Each call is one transaction."""

    def add(self, entry: ModelVersion, expected: int | None, has: Callable[[str], bool]) -> ModelVersion | None:
        """Commit a version under the next number; None, and no change, if its file is gone.

        Args:
            entry: The version; its number is given here.
            expected: The number that the last version has to have; 0 for none; None for any.
            has: Whether a file is there. Asked while nobody else can commit or sweep.

        Raises:
            StaleVersionError: The last version is another one.
        """

    def find(self, name: str | None, version: int | str | None, where: Iterable[Condition]) -> list[ModelVersion]:
        """Versions by model, by number, alias or ``latest``, and by metadata; sorted by name and number."""

    def point(self, name: str, alias: str, version: int | str | None, expected: int | None) -> ModelVersion | None:
        """Let an alias point to a version, or take it away (None).

        Args:
            name: The model.
            alias: The alias.
            version: The version: number, other alias or ``latest``.
            expected: The version that it has to point to now; 0 for none; None for any.

        Returns:
            The version that it points to now; None, and no change, if there is no such version, or was no alias.

        Raises:
            StaleVersionError: It points to another version.
        """

    def remove(self, name: str, version: int | None) -> int:
        """Forget a version, or all of a model, with the aliases that point there; gives how many versions."""

    def sweep(self, identities: Iterable[str], remove: Callable[[str], None]) -> list[str]:
        """Have those files removed that no version needs, while nobody else can commit; gives which."""


class SqliteIndex:
    """An index in one SQLite file (WAL), safe under many processes and threads of one machine.

    Every call opens the file anew: nothing has to be closed, and a forked process shares nothing.

    Args:
        path: The file; made when the first version is added.
        store: Name of the store, for messages.
    """

    def __init__(self, path: str, store: str) -> None:
        self._path, self._store = path, store

    def add(self, entry: ModelVersion, expected: int | None, has: Callable[[str], bool]) -> ModelVersion | None:
        """See :class:`Index`."""
        with self._writing() as database:
            found = database.execute("SELECT last FROM models WHERE name = ?", (entry.name,)).fetchone()
            last: int = found[0] if found else 0
            if expected is not None and expected != last:
                raise StaleVersionError(self._store, entry.name, expected, last)
            if not has(entry.identity):
                return None
            entry = entry._replace(version=last + 1)
            row = (*entry[:8], json.dumps(entry.metadata, ensure_ascii=False))
            database.execute("INSERT OR REPLACE INTO models VALUES (?, ?)", (entry.name, entry.version))
            database.execute("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return entry

    def find(self, name: str | None, version: int | str | None, where: Iterable[Condition]) -> list[ModelVersion]:
        """See :class:`Index`."""
        if not _disk.exists(self._path):
            return []
        with self._reading() as database:
            database.execute("BEGIN")
            return _select(database, name, version, where)

    def point(self, name: str, alias: str, version: int | str | None, expected: int | None) -> ModelVersion | None:
        """See :class:`Index`."""
        with self._writing() as database:
            old = _select(database, name, alias, ())
            now = old[0].version if old else 0
            if expected is not None and expected != now:
                raise StaleVersionError(self._store, f"{name}@{alias}", expected, now)
            if version is None:
                database.execute("DELETE FROM aliases WHERE (name, alias) = (?, ?)", (name, alias))
                return old[0] if old else None
            new = _select(database, name, version, ())
            if not new:
                return None
            database.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)", (name, alias, new[0].version))
            return _select(database, name, alias, ())[0]

    def remove(self, name: str, version: int | None) -> int:
        """See :class:`Index`."""
        test, values = ("name = ?", (name,)) if version is None else ("name = ? AND version = ?", (name, version))
        with self._writing() as database:
            database.execute(f"DELETE FROM aliases WHERE {test}", values)
            # The last number stays known, so that it is never given again.
            return database.execute(f"DELETE FROM versions WHERE {test}", values).rowcount

    def sweep(self, identities: Iterable[str], remove: Callable[[str], None]) -> list[str]:
        """See :class:`Index`."""
        with self._writing() as database:
            needed = "SELECT 1 FROM versions WHERE identity = ?"
            unused = [one for one in identities if not database.execute(needed, (one,)).fetchone()]
            for identity in unused:
                remove(identity)
            return unused

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        _disk.make_folder(os.path.dirname(self._path))
        with self._reading() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None)) as database:
                self._prepare(database)
                yield database
        except sqlite3.DatabaseError as error:
            raise StoreError(self._store, f"{self._path}: {error}{_advice(error)}") from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        # FULL: in WAL mode, anything less may forget the last commits when the power fails.
        database.execute("PRAGMA synchronous = FULL")
        version = _schema_version(database)
        if version == 0:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("BEGIN IMMEDIATE")
            if _schema_version(database) == 0:  # still nobody else was faster
                for statement in _SCHEMA.split(";"):
                    database.execute(statement)
            database.execute("COMMIT")
        elif version > SCHEMA_VERSION:
            message = f"a newer aimm made it (version {version}, this one knows {SCHEMA_VERSION}): upgrade aimm-plugins"
            raise StoreError(self._store, message)


def _select(
    database: sqlite3.Connection, name: str | None, version: int | str | None, where: Iterable[Condition]
) -> list[ModelVersion]:
    """Versions, in a transaction, which makes one moment of the two queries."""
    tests, values = _tests(name, version, where)
    query = f"SELECT v.* FROM versions v WHERE {' AND '.join(tests)} ORDER BY v.name, v.version"
    rows = database.execute(query, values).fetchall()
    pointing: dict[tuple[str, int], tuple[str, ...]] = {}
    test, named = ("name = ?", (name,)) if name is not None else ("1", ())
    for of, alias, number in database.execute(f"SELECT * FROM aliases WHERE {test} ORDER BY alias", named):
        pointing[of, number] = (*pointing.get((of, number), ()), alias)
    said = json.loads(f"[{','.join([row[8] for row in rows])}]")  # in one go, three times as fast
    return [ModelVersion._make((*row[:8], of, pointing.get(row[:2], ()))) for row, of in zip(rows, said, strict=True)]


def _schema_version(database: sqlite3.Connection) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version


def _tests(name: str | None, version: int | str | None, where: Iterable[Condition]) -> tuple[list[str], list[Value]]:
    tests: list[str] = ["1"]
    values: list[Value] = []
    if name is not None:
        tests, values = [*tests, "v.name = ?"], [*values, name]
    if isinstance(version, int):
        tests, values = [*tests, "v.version = ?"], [*values, version]
    elif version == LATEST:
        tests.append("v.version = (SELECT max(version) FROM versions l WHERE l.name = v.name)")
    elif version is not None:
        pointed = "v.version = (SELECT version FROM aliases a WHERE a.name = v.name AND a.alias = ?)"
        tests, values = [*tests, pointed], [*values, version]
    for key, operator, value in where:
        kept = "json_extract(v.metadata, ?)"
        test = f"{kept} {OPERATORS[operator]} ?"
        if operator.strip("=!"):  # SQLite finds every text greater than every number
            test += f" AND typeof({kept}) {'=' if isinstance(value, str) else '!='} 'text'"
            values = [*values, f'$."{key}"', value, f'$."{key}"']
        else:
            values = [*values, f'$."{key}"', value]
        tests.append(test)
    return tests, values


def _advice(error: sqlite3.DatabaseError) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return f" (another process has been writing for {PATIENCE:.0f} seconds)"
    if "full" in text:
        return " (make room on the disk, then try again)"
    if "malformed" in text or "not a database" in text:
        return "; restore the index from a backup: the model files beside it can still be read one by one"
    return ""


def is_flat(metadata: Mapping[str, Any]) -> bool:
    """Whether metadata is a mapping from plain text to text, finite numbers, truth values or None."""
    return all(
        isinstance(key, str) and _KEY.fullmatch(key) and key.isprintable() and _is_plain(value)
        for key, value in metadata.items()
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, int | float):
        return abs(value) < 1 << 63  # what SQLite can compare; neither infinite nor NaN
    return value is None or isinstance(value, str)
