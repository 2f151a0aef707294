"""Models of another version of their plugin: what each policy does, and which migrations run."""

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimm import plugins, store
from aimm.errors import (
    DeclarationError,
    DuplicateError,
    ModelVersionError,
    ModelVersionWarning,
    PayloadError,
    PluginLoadError,
    PluginUnavailableError,
)
from aimm.store import _versions
from support import FakeSite, model_source

MIGRATIONS = """
    from aimm import store
    @store.migration(["x"], before="2.0")
    def second(payload): return bytes(payload).replace(b"]", b", 'second']")
    @store.migration(["x", "y"], before="1.10")
    def first(payload): return bytes(payload).replace(b"]", b", 'first']")
"""


@pytest.fixture(autouse=True)
def _no_migrations(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_versions, "_migrations", {})
    return


@pytest.fixture
def saved(site: FakeSite, tmp_path: Path) -> Path:
    """A model file that ``forest 1.5`` wrote; the plugin is uninstalled and forgotten."""
    site.add("forest", "1.5", {"aimm.models": {"x": "x_plugin"}}, {"x_plugin": model_source("x")})
    store.save_model(tmp_path / "x.aimm", "x", [1], manager=plugins.PluginManager({"names": []}))
    site.remove("forest", "1.5")
    del sys.modules["x_plugin"]
    return tmp_path / "x.aimm"


def install(site: FakeSite, version: str, migrations: str = "", name: str = "forest") -> plugins.PluginManager:
    """Install another version of the plugin."""
    source = model_source("x", before=migrations)
    site.add(name, version, {"aimm.models": {"x": "x_plugin"}}, {"x_plugin": source})
    return plugins.PluginManager({"names": []})


def load(path: Path, manager: plugins.PluginManager, other_version: store.OtherVersion = "warn") -> object:
    """Load with a policy."""
    return store.load_model(path, policy=store.Policy(other_version=other_version), manager=manager)[1]


@pytest.mark.parametrize("other_version", ["ok", "warn", "migrate", "refuse"])
def test_the_same_version_is_always_fine(saved: Path, site: FakeSite, other_version: store.OtherVersion) -> None:
    """No policy minds the version that wrote the file."""
    assert load(saved, install(site, "1.5", MIGRATIONS), other_version) == [1]


@pytest.mark.parametrize("version", ["1.5.1", "1.4", "nonsense"])
def test_another_version_is_loaded_with_a_warning(saved: Path, site: FakeSite, version: str) -> None:
    """Newer, older or not comparable: the warning names both, and the place of the caller."""
    expected = rf"x\.aimm: it was written by forest 1\.5, installed is forest {version}; check what it predicts"
    with pytest.warns(ModelVersionWarning, match=expected) as caught:
        assert load(saved, install(site, version)) == [1]
    assert caught[0].filename == __file__


def test_a_policy_that_is_not_interested(saved: Path, site: FakeSite) -> None:
    """``ok`` loads without a word."""
    assert load(saved, install(site, "3.0"), "ok") == [1]


def test_a_policy_that_refuses(saved: Path, site: FakeSite) -> None:
    """``refuse`` does not even run a migration that there is."""
    with pytest.raises(
        ModelVersionError, match=r"written by forest 1\.5, installed is forest 2\.0, and the policy .* refuses"
    ):
        load(saved, install(site, "2.0", MIGRATIONS), "refuse")


def test_a_policy_that_wants_a_migration(saved: Path, site: FakeSite) -> None:
    """``migrate`` refuses where the plugin declares none between the two versions."""
    with pytest.raises(ModelVersionError, match=r"declares no migration between the two, and .* requires one"):
        load(saved, install(site, "1.9", MIGRATIONS), "migrate")


@pytest.mark.parametrize("other_version", ["ok", "warn", "migrate"])
@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.10", [1, "first"]), ("1.11", [1, "first"]), ("2.0", [1, "first", "second"]), ("3.1", [1, "first", "second"])],
)
def test_migrations_are_chained(
    saved: Path, site: FakeSite, version: str, expected: list[object], other_version: store.OtherVersion
) -> None:
    """Those between the recorded and the installed version run, oldest first, by version and not by text."""
    assert load(saved, install(site, version, MIGRATIONS), other_version) == expected


@pytest.mark.parametrize("version", ["1.4", "1.6", "2.0rc1"])
def test_migrations_that_are_not_between(saved: Path, site: FakeSite, version: str) -> None:
    """A step beyond the installed version does not run; a release candidate is before its release."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelVersionWarning)
        expected = [1, "first"] if version == "2.0rc1" else [1]
        assert load(saved, install(site, version, MIGRATIONS)) == expected


def test_a_migration_is_of_one_distribution(saved: Path, site: FakeSite) -> None:
    """A file of another distribution, whatever it says, is not rewritten by the migrations of this one."""
    other = install(site, "2.0", MIGRATIONS, name="rival")
    with pytest.warns(ModelVersionWarning, match=r"written by forest 1\.5, installed is rival 2\.0"):
        assert load(saved, other) == [1]
    with pytest.raises(ModelVersionError, match="declares no migration"):
        load(saved, other, "migrate")


def test_a_plugin_without_distribution(saved: Path) -> None:
    """A plugin of the host's own has no version, and the warning says so."""
    plugins.deserialize(["x"])(lambda instance_bytes: "own")
    with pytest.warns(ModelVersionWarning, match="installed is a plugin without distribution"):
        assert store.load_model(saved)[1] == "own"


def test_a_migration_that_fails(saved: Path, site: FakeSite) -> None:
    """Its error passes as itself, with a note that names it."""
    source = """
    from aimm import store
    @store.migration(["x"], before="2.0")
    def broken(payload): raise KeyError("no such part")
    """
    with pytest.raises(KeyError, match="no such part") as caught:
        load(saved, install(site, "2.0", source))
    (note,) = caught.value.__notes__
    assert note == f"raised by the migration x_plugin.broken of 'x', before 2.0, for {saved}"


def test_a_migration_that_returns_something_else(saved: Path, site: FakeSite) -> None:
    """What is no bytes is not deserialised."""
    source = """
    from aimm import store
    @store.migration(["x"], before="2.0")
    def text(payload): return "text"
    """
    with pytest.raises(PayloadError, match=r"the migration x_plugin\.text of 'x' returned str, not bytes"):
        load(saved, install(site, "2.0", source))


@pytest.mark.parametrize(
    ("model_types", "before", "message"),
    [
        ("x", "2.0", "expects a list of model types, not 'x'"),
        ([], "2.0", r"expects a list of model types, not \[\]"),
        (["x"], "two", "before='two'.*: expected a version such as '2.0'"),
    ],
)
def test_a_declaration_that_is_wrong(model_types: list[str], before: str, message: str) -> None:
    """It is told when it is made."""
    with pytest.raises(DeclarationError, match=message):
        store.migration(model_types, before)


def test_a_step_is_declared_once() -> None:
    """Two functions for one step are refused, the whole declaration with them; the same one again is not."""

    def ours(payload: plugins.ByteString) -> plugins.ByteString:
        return payload

    def theirs(payload: plugins.ByteString) -> plugins.ByteString:
        return payload

    store.migration(["x"], "2.0")(ours)
    store.migration(["x"], "2.0")(ours)
    with pytest.raises(DuplicateError, match=r"ours.*theirs") as caught:
        store.migration(["y", "x"], "2.0")(theirs)
    assert "migration before 2.0" in str(caught.value)
    assert "y" not in _versions._migrations


def test_a_wrong_declaration_breaks_its_plugin_alone(saved: Path, site: FakeSite) -> None:
    """The plugin that makes it is quarantined, and the cause is named."""
    source = """
    from aimm import store
    store.migration(["x"], before="x.y")
    """
    with pytest.raises((PluginUnavailableError, PluginLoadError), match="expected a version such as"):
        load(saved, install(site, "2.0", source))
