"""The two parts of a store are small enough to be replaced: here by a mapping each, in some eighty lines."""

import io
import time
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import pytest

from aimm import store
from aimm.errors import DamagedFileError, ModelNotFoundError, StaleVersionError
from aimm.plugins import ByteString
from store_faults import manager

HOST = manager()
COMPARE: dict[str, Callable[..., bool]] = {"=": lambda a, b: a == b, ">=": lambda a, b: a is not None and a >= b}


class Shelf:
    """Model files in a mapping; an :class:`aimm.store.Objects`."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[float, bytes]] = {}

    def write(self, parts: Iterable[ByteString], head: Callable[[], bytes], identity: Callable[[], str]) -> str:
        _, *payload = parts
        content = head() + b"".join(payload)
        self.files[identity()] = time.time(), content
        return identity()

    def place(self, identity: str) -> str:
        return f"shelf:{identity}"

    def open(self, identity: str) -> BinaryIO:
        if identity not in self.files:
            raise FileNotFoundError(identity)
        return io.BytesIO(self.files[identity][1])

    def has(self, identity: str) -> bool:
        return identity in self.files

    def old(self, seconds: float) -> Iterator[tuple[str, int]]:
        before = time.time() - seconds
        yield from [(name, len(content)) for name, (written, content) in self.files.items() if written <= before]

    def remove(self, identity: str) -> None:
        self.files.pop(identity, None)


class Ledger:
    """Versions in a list; an :class:`aimm.store.Index`."""

    def __init__(self) -> None:
        self.entries: list[store.ModelVersion] = []
        self.aliases: dict[tuple[str, str], int] = {}
        self.last: dict[str, int] = {}

    def add(
        self, entry: store.ModelVersion, expected: int | None, has: Callable[[str], bool]
    ) -> store.ModelVersion | None:
        last = self.last.get(entry.name, 0)
        if expected is not None and expected != last:
            raise StaleVersionError("ledger", entry.name, expected, last)
        if not has(entry.identity):
            return None
        self.last[entry.name] = last + 1
        self.entries.append(entry._replace(version=last + 1))
        return self.entries[-1]

    def find(
        self, name: str | None, version: int | str | None, where: Iterable[store.Condition]
    ) -> list[store.ModelVersion]:
        conditions, found = list(where), []
        for entry in sorted(self.entries, key=lambda entry: (entry.name, entry.version)):
            pointing = [alias for (of, alias), number in self.aliases.items() if (of, number) == entry[:2]]
            names = {None, entry.version, *pointing, *(["latest"] if self._is_last(entry) else [])}
            if name in (None, entry.name) and version in names:
                said = [COMPARE[operator](entry.metadata.get(key), value) for key, operator, value in conditions]
                found += [entry._replace(aliases=tuple(sorted(pointing)))] if all(said) else []
        return found

    def _is_last(self, entry: store.ModelVersion) -> bool:
        return entry.version == max(one.version for one in self.entries if one.name == entry.name)

    def point(
        self, name: str, alias: str, version: int | str | None, expected: int | None
    ) -> store.ModelVersion | None:
        old = self.find(name, alias, ())
        now = old[0].version if old else 0
        if expected is not None and expected != now:
            raise StaleVersionError("ledger", name, expected, now)
        if version is None:
            self.aliases.pop((name, alias), None)
            return old[0] if old else None
        for entry in self.find(name, version, ()):
            self.aliases[name, alias] = entry.version
            return self.find(name, alias, ())[0]
        return None

    def remove(self, name: str, version: int | None) -> int:
        gone = [entry for entry in self.entries if entry.name == name and version in (None, entry.version)]
        self.entries = [entry for entry in self.entries if entry not in gone]
        numbers = {entry[:2] for entry in gone}
        self.aliases = {key: number for key, number in self.aliases.items() if (key[0], number) not in numbers}
        return len(gone)

    def sweep(self, identities: Iterable[str], remove: Callable[[str], None]) -> list[str]:
        needed = {entry.identity for entry in self.entries}
        unused = [identity for identity in identities if identity not in needed]
        for identity in unused:
            remove(identity)
        return unused


@pytest.fixture
def shelf() -> Shelf:
    """The files of the store."""
    return Shelf()


@pytest.fixture(params=["embedded", "elsewhere"])
def models(request: pytest.FixtureRequest, shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> store.ModelStore:
    """A store on the disk, and one that has no disk."""
    if request.param == "embedded":
        return store.ModelStore(tmp_path_factory.mktemp("store"))
    index: store.Index = Ledger()
    objects: store.Objects = shelf
    return store.ModelStore("nowhere", index=index, objects=objects)


def save(models: store.ModelStore, payload: bytes, **options: object) -> store.ModelVersion:
    """Save a version of the model ``a``."""
    return models.save("a", "x", payload, manager=HOST, **options)  # type: ignore[arg-type]


def test_a_store_does_the_same_whatever_its_parts(models: store.ModelStore) -> None:
    """Versions, aliases, search, expectations, removal and collection are those of the store, not of its disk."""
    assert [save(models, b"%d" % n, metadata={"n": n}).version for n in range(3)] == [1, 2, 3]
    assert models.alias("a", "production", 2, expected=0).aliases == ("production",)
    assert models.load("a", "production", manager=HOST)[1] == b"1"
    assert models.header("a").length == 1
    assert [entry.version for entry in models.list(where=[("n", ">=", 1)])] == [2, 3]
    assert [entry.version for entry in models.list(alias="production")] == [2]
    with pytest.raises(StaleVersionError):
        save(models, b"late", expected=1)
    assert models.remove("a", "production") == 1
    with pytest.raises(ModelNotFoundError, match=r"a has no version 'production': it has 1 to 3, aliases: none"):
        models.get("a", "production")
    assert models.gc(grace=0)[0] == 2  # the removed one, and that of the save that came late
    assert [models.load("a", entry.version, manager=HOST)[1] for entry in models.list()] == [b"0", b"2"]


def test_what_is_verified_does_not_depend_on_the_place(shelf: Shelf) -> None:
    """A file that another place gives back altered is refused, and named by that place."""
    models = store.ModelStore("nowhere", index=Ledger(), objects=shelf)
    entry = save(models, b"weights")
    written, content = shelf.files[entry.identity]
    shelf.files[entry.identity] = written, content[:-1] + b"!"
    with pytest.raises(DamagedFileError, match=rf"a@1 \(shelf:{entry.identity}\): its payload was altered"):
        models.load("a", manager=HOST)
