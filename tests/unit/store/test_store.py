"""Named models: versions, aliases, metadata, expectations and what is left on the disk."""

import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from aimm import store
from aimm.errors import (
    DamagedFileError,
    ModelNameError,
    ModelNotFoundError,
    PayloadError,
    SignatureError,
    StaleVersionError,
    StoreError,
)
from aimm.store._index import is_flat
from store_faults import manager

HOST = manager()
KEYS = {"ci": b"k" * 32}


@pytest.fixture
def models(tmp_path: Path) -> store.ModelStore:
    """An empty store."""
    return store.ModelStore(tmp_path / "models")


def save(models: store.ModelStore, name: str, payload: bytes = b"payload", **options: object) -> store.ModelVersion:
    """Save a payload as a model."""
    return models.save(name, "x", payload, manager=HOST, **options)  # type: ignore[arg-type]


def test_a_saved_model_comes_back(models: store.ModelStore) -> None:
    """Saving gives the version, loading the verified file and the instance."""
    entry = save(models, "fraud", b"weights", metadata={"accuracy": 0.9})
    opened, instance = models.load("fraud", manager=HOST)
    assert instance == b"weights"
    assert (entry.name, entry.version, entry.length, entry.metadata) == ("fraud", 1, 7, {"accuracy": 0.9})
    assert (entry.identity, entry.created) == (opened.identity, opened.header.created)
    assert models.get("fraud") == models.get("fraud", 1) == models.get("fraud", "1") == entry
    assert models.header("fraud") == opened.header


def test_versions_count_up_and_none_comes_back(models: store.ModelStore) -> None:
    """Each save is a version of its own, and the number of a removed one is not given again."""
    assert [save(models, "a", b"%d" % n).version for n in range(3)] == [1, 2, 3]
    assert [models.load("a", n, manager=HOST)[1] for n in (1, 2, 3, "latest")] == [b"0", b"1", b"2", b"2"]
    assert models.remove("a", "latest") == 1
    assert save(models, "a").version == 4
    assert models.remove("a") == 3
    assert save(models, "a").version == 5


def test_an_alias_points_to_one_version(models: store.ModelStore) -> None:
    """It can be moved, used to load, and to point another one; it goes with its version."""
    save(models, "a", b"one")
    save(models, "a", b"two")
    assert models.alias("a", "production", 1).aliases == ("production",)
    assert models.load("a", "production", manager=HOST)[1] == b"one"
    assert models.alias("a", "production").version == 2
    assert models.alias("a", "backup", "production").aliases == ("backup", "production")
    models.remove_alias("a", "backup")
    models.remove("a", "production")
    assert [entry.aliases for entry in models.list()] == [()]


def test_expectations_are_checked(models: store.ModelStore) -> None:
    """A save, or a move of an alias, that expects another version changes nothing and says what is there."""
    save(models, "a", expected=0)
    with pytest.raises(
        StaleVersionError, match="a is at version 1, not at 0 as expected; look at what changed"
    ) as caught:
        save(models, "a", expected=0)
    assert (caught.value.name, caught.value.expected, caught.value.found) == ("a", 0, 1)
    with pytest.raises(StaleVersionError, match="b has no version, not at 3 as expected"):
        save(models, "b", expected=3)
    save(models, "a", expected=1)
    models.alias("a", "production", 1, expected=0)
    with pytest.raises(StaleVersionError, match="a@production is at version 1, not at 2 as expected"):
        models.alias("a", "production", 2, expected=2)
    assert [entry.aliases for entry in models.list()] == [("production",), ()]
    models.alias("a", "production", 2, expected=1)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ([("accuracy", ">=", 0.5)], [2, 3]),
        ([("accuracy", "<", 0.5)], [1]),
        ([("accuracy", "=", 0.5)], [2]),
        ([("accuracy", "!=", 0.5)], [1, 3, 4, 5]),
        ([("accuracy", ">", 0.4), ("data", "=", "spring")], [3]),
        ([("data", ">", "autumn")], [1, 3]),
        ([("data", "=", None)], [2, 4, 5]),
        ([("größe", "=", True)], [4]),
        ([("a.b", "<=", 3)], [5]),
        ([("accuracy", ">", "text")], []),
        ([], [1, 2, 3, 4, 5]),
    ],
)
def test_metadata_are_searched(models: store.ModelStore, where: list[store.Condition], found: list[int]) -> None:
    """Conditions compare numbers with numbers and text with text; a key that is not there is None."""
    for metadata in (
        {"accuracy": 0.4, "data": "spring"},
        {"accuracy": 0.5},
        {"accuracy": 1, "data": "spring"},
        {"größe": True},
        {"a.b": 3, "accuracy": "high"},
    ):
        save(models, "a", metadata=metadata)
    assert [entry.version for entry in models.list(where=where)] == found


@given(
    metadata=st.dictionaries(
        st.text(min_size=1, max_size=5),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        max_size=3,
    )
)
def test_all_metadata_that_are_taken_are_found_again(
    tmp_path_factory: pytest.TempPathFactory, metadata: dict[str, store.Value]
) -> None:
    """Whatever a store accepts comes back equal and is found by each of its entries."""
    models = store.ModelStore(tmp_path_factory.mktemp("store"))
    if not is_flat(metadata):
        with pytest.raises(ModelNameError):
            save(models, "a", metadata=metadata)
        return
    save(models, "a", metadata=metadata)
    for key, value in metadata.items():
        (entry,) = models.list(where=[(key, "=", value)])
        assert entry.metadata == metadata


def test_listing_by_name_and_alias(models: store.ModelStore) -> None:
    """Of one model, of those with an alias, and the last of each."""
    for name in ("b", "a", "b"):
        save(models, name)
    models.alias("b", "production", 1)
    assert [(entry.name, entry.version) for entry in models.list()] == [("a", 1), ("b", 1), ("b", 2)]
    assert [entry.version for entry in models.list("b")] == [1, 2]
    assert [entry.version for entry in models.list(alias="production")] == [1]
    assert [(entry.name, entry.version) for entry in models.list(alias="latest")] == [("a", 1), ("b", 2)]


def test_an_empty_store_is_empty(models: store.ModelStore) -> None:
    """Looking makes no folder, and there is nothing to collect."""
    assert models.list() == []
    assert models.gc() == (0, 0)
    assert not os.path.exists(models.root)


def test_gc_removes_what_nobody_needs(models: store.ModelStore) -> None:
    """Only files without a version go, and only after the grace."""
    kept, gone = save(models, "a", b"kept"), save(models, "a", b"gone")
    models.remove("a", 2)
    assert models.gc() == (0, 0)
    count, size = models.gc(grace=0)
    assert count == 1
    assert size > 4
    assert os.listdir(Path(models.root) / "objects") == [f"{kept.identity}.aimm"]
    assert gone.identity != kept.identity


def test_a_file_is_kept_as_it_is(models: store.ModelStore, tmp_path: Path) -> None:
    """A model file becomes a version with its signature; twice the same file takes the room of one."""
    signing = store.Policy(keys=KEYS, sign_with="ci")
    store.save_model(tmp_path / "m.aimm", "x", b"weights", policy=signing, manager=HOST)
    first = models.add("a", tmp_path / "m.aimm")
    second = models.add("b", tmp_path / "m.aimm", metadata={"copy": True}, expected=0)
    assert first.identity == second.identity
    assert len(os.listdir(Path(models.root) / "objects")) == 1
    file = next((Path(models.root) / "objects").iterdir())
    assert file.read_bytes() == (tmp_path / "m.aimm").read_bytes()
    models.remove("a")
    models.gc(grace=0)
    strict = store.Policy(keys=KEYS, require_signature=True)
    assert models.load("b", policy=strict, manager=HOST)[1] == b"weights"


def test_a_stored_model_obeys_the_policy(models: store.ModelStore) -> None:
    """An unsigned version is refused where a signature is required, and the message names version and file."""
    entry = save(models, "a")
    with pytest.raises(SignatureError, match=rf"^a@1 \(.*{entry.identity}\.aimm\): it is not signed"):
        models.load("a", policy=store.Policy(keys=KEYS, require_signature=True), manager=HOST)


# What is refused


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/b", "/etc/passwd", "a@1", "-rf", "a b", "a\n", "a\0", "ä", "x" * 129]
)
def test_a_name_that_is_no_name(models: store.ModelStore, name: str) -> None:
    """Neither models nor aliases can have names that mean something to paths, shells or terminals."""
    with pytest.raises(ModelNameError, match=r"is not a model name: expected up to 128 letters"):
        save(models, name)
    save(models, "a")
    with pytest.raises(ModelNameError, match=r"is not an alias: expected up to 128 letters"):
        models.alias("a", name)


@pytest.mark.parametrize("alias", ["latest", "12"])
def test_an_alias_that_means_a_version(models: store.ModelStore, alias: str) -> None:
    """Numbers and ``latest`` mean versions already."""
    save(models, "a")
    with pytest.raises(ModelNameError, match=f"'{alias}' cannot be an alias: numbers and 'latest' mean versions"):
        models.alias("a", alias)


@pytest.mark.parametrize(
    "metadata", [{"a": []}, {1: 2}, {'"': 1}, {"a": float("nan")}, {"a": 2**63}, {"a\n": 1}, {"": 1}]
)
def test_metadata_that_are_not_flat(models: store.ModelStore, metadata: dict[str, store.Value]) -> None:
    """Only what can be searched is taken."""
    with pytest.raises(ModelNameError, match="expected a flat mapping from text without quotes"):
        save(models, "a", metadata=metadata)
    assert models.list() == []


@pytest.mark.parametrize("condition", [("a", "~", 1), ("a", "=", []), ('a") OR 1 --', "=", 1)])
def test_a_condition_that_is_none(models: store.ModelStore, condition: store.Condition) -> None:
    """Another operator, value or key is refused before it comes near the database."""
    with pytest.raises(ModelNameError, match=r"is no condition: expected key, one of = != < <= > >=, value"):
        models.list(where=[condition])


def test_what_is_not_there_is_explained(models: store.ModelStore) -> None:
    """The error names what there is."""
    for _ in range(3):
        save(models, "fraud")
    models.alias("fraud", "production")
    with pytest.raises(ModelNotFoundError, match="no model is called 'fruad'; did you mean 'fraud'"):
        models.get("fruad")
    expected = r"fraud has no version 9: it has 1 to 3, aliases: production"
    for call in (models.get, models.load, models.header, models.remove):
        with pytest.raises(ModelNotFoundError, match=expected):
            call("fraud", 9)
    with pytest.raises(ModelNotFoundError, match=expected):
        models.alias("fraud", "x", 9)
    with pytest.raises(ModelNotFoundError, match="fraud has no version 'x'"):
        models.remove_alias("fraud", "x")
    with pytest.raises(ModelNotFoundError, match="no model is called 'none'"):
        models.remove("none")


def test_a_plugin_that_fails_leaves_nothing(models: store.ModelStore) -> None:
    """What is no bytes is not saved, and names the model."""
    with pytest.raises(PayloadError, match=r"a in model store .*: serialize of 'x' returned str, not bytes"):
        models.save("a", "x", "text", manager=HOST)
    assert models.list() == []


def test_a_file_that_was_exchanged_is_noticed(models: store.ModelStore) -> None:
    """A valid model file in the place of another one is not loaded under its name; nor is a missing one."""
    good, evil = save(models, "good", b"good"), save(models, "evil", b"evil")
    folder = Path(models.root) / "objects"
    os.replace(folder / f"{evil.identity}.aimm", folder / f"{good.identity}.aimm")
    for call in (models.load, models.header):
        with pytest.raises(DamagedFileError, match=r"good@1 .* another model file than the one that was saved"):
            call("good")
    with pytest.raises(DamagedFileError, match=r"evil@1 .* the model file is gone"):
        models.load("evil")


def test_an_index_that_is_none(models: store.ModelStore) -> None:
    """What is no database is told with the way out."""
    save(models, "a")
    (Path(models.root) / "index.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="file is not a database; restore the index from a backup"):
        models.list()


def test_an_index_of_the_future(models: store.ModelStore) -> None:
    """An index of a newer aimm is left alone."""
    save(models, "a")
    with sqlite3.connect(Path(models.root) / "index.sqlite") as database:
        database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(StoreError, match=r"a newer aimm made it \(version 9, this one knows 1\): upgrade"):
        models.list()


def test_an_index_that_somebody_holds(models: store.ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits in vain is told what for; readers do not wait."""
    save(models, "a")
    monkeypatch.setattr("aimm.store._index.PATIENCE", 0.05)
    holder = sqlite3.connect(Path(models.root) / "index.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"database is locked \(another process has been writing for 0 seconds\)"):
        save(models, "a")
    assert len(models.list()) == 1
    holder.close()


def test_a_full_disk_is_told(models: store.ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that cannot grow says so, and what was there stays."""
    save(models, "a")
    real = sqlite3.connect

    def connect(*arguments: object, **options: object) -> sqlite3.Connection:
        database = real(*arguments, **options)  # type: ignore[call-overload]
        database.execute("PRAGMA max_page_count = 1")
        return database

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        with pytest.raises(StoreError, match=r"database or disk is full \(make room on the disk"):
            save(models, "a", metadata={"text": "x" * 100_000})
    assert [entry.version for entry in models.list()] == [1]


def test_a_gc_without_grace_is_endured_for_a_while(models: store.ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that disappears before it is committed is written again, and not for ever."""
    monkeypatch.setattr("aimm.store._objects.ObjectFolder.has", lambda self, identity: False)
    with pytest.raises(StoreError, match="what is written disappears again and again: is a gc without grace running"):
        save(models, "a")


def test_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable decides; without it, the user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert store.default_root().endswith(os.path.join("aimm", "models"))
    monkeypatch.setenv("AIMM_STORE", str(tmp_path / "named"))
    assert store.ModelStore().root == str(tmp_path / "named")
