import itertools
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from aimm import plugins
from aimm.errors import PluginConflictError, PluginLoadError, PluginNotFoundError, PluginUnavailableError
from support import FakeSite, class_source, model_source

Manager = plugins.PluginManager


def add(site: FakeSite, letter: str, *undeclared: str, declared: Sequence[str] = (), before: str = "") -> None:
    """Distribution ``dist-x`` with module ``mod_x``: model type ``x``, further declared and undeclared ones."""
    site.add(
        f"dist-{letter}",
        entry_points={"aimm.models": dict.fromkeys([letter, *declared], f"mod_{letter}")},
        modules={f"mod_{letter}": model_source(letter, *declared, *undeclared, before=before)},
    )


def owner_of(manager: Manager, name: str) -> Any:
    """The module whose function predicts, or the conflict."""
    try:
        return manager.exec_predict(name, [], None)[1][0]
    except PluginConflictError as error:
        return str(error)


def use(manager: Manager, names: Sequence[str]) -> None:
    for name in names:
        manager.exec_instantiate(name)


# Conflicts that show only when plugins are loaded


def test_two_plugins_that_declare_a_further_name_conflict_over_it(site: FakeSite, manager: Manager) -> None:
    """For each action; their own names work."""
    add(site, "a", "m")
    add(site, "b", "m")
    manager.initialize()
    use(manager, "ab")
    assert "claimed by plugin 'a' (distribution dist-a 1.0) and by plugin 'b'" in owner_of(manager, "m")
    assert (owner_of(manager, "a"), owner_of(manager, "b")) == ("mod_a", "mod_b")
    assert [c.name for c in manager.report.conflicts] == ["m"] * 5


def test_a_conflict_names_every_contender_whoever_came_first(site: FakeSite) -> None:
    """In any order of use, the message is the same."""
    for letter in "abc":
        add(site, letter, "m")
    said = set()
    for order in itertools.permutations("abc"):
        manager = Manager({"names": []})
        use(manager, order)
        said.add(owner_of(manager, "m"))
    (text,) = said
    assert "'prefer: {m: dist-a}' or 'prefer: {m: dist-b}' or 'prefer: {m: dist-c}'" in text


def test_a_name_belongs_to_whoever_declares_it_whoever_came_first(site: FakeSite) -> None:
    """Others that declare it in passing neither win nor make a conflict, in any order of use."""
    add(site, "a", "m")
    add(site, "b", "m")
    add(site, "c", declared=["m"])
    for order in itertools.permutations("abc"):
        manager = Manager({"names": []})
        use(manager, order)
        assert owner_of(manager, "m") == "mod_c"
        assert manager.report.conflicts == ()


def test_a_conflict_survives_another_initialize(site: FakeSite, manager: Manager) -> None:
    """Repeats are no-ops: the first one loaded does not become the owner by it."""
    add(site, "a", "m")
    add(site, "b", "m")
    manager.initialize()
    use(manager, "ab")
    before = owner_of(manager, "m")
    manager.initialize()
    assert owner_of(manager, "m") == before
    assert len(manager.report.conflicts) == 5


@pytest.mark.parametrize("preferred", ["a", "b"])
def test_prefer_may_come_after_the_plugins_are_loaded(site: FakeSite, manager: Manager, preferred: str) -> None:
    """It settles what was contested, and nothing has to be imported again."""
    add(site, "a", "m")
    add(site, "b", "m")
    manager.initialize()
    use(manager, "ab")
    report = manager.initialize({"names": [], "prefer": {"m": f"dist-{preferred}"}})
    assert (owner_of(manager, "m"), report.conflicts) == (f"mod_{preferred}", ())


def test_prefer_may_change_its_mind(site: FakeSite, manager: Manager) -> None:
    """A later configuration counts."""
    add(site, "a", "m")
    add(site, "b", "m")
    for letter in "abab":
        manager.initialize({"names": [], "prefer": {"m": f"dist-{letter}"}})
        use(manager, "ab")
        assert owner_of(manager, "m") == f"mod_{letter}"


def test_prefer_for_a_plugin_that_lost_by_rank(site: FakeSite, manager: Manager) -> None:
    """What it declares in passing can be preferred over the declared owner, before and after loading."""
    add(site, "a", "m")
    add(site, "b", declared=["m"])
    manager.initialize()
    use(manager, "ab")
    assert owner_of(manager, "m") == "mod_b"
    manager.initialize({"names": [], "prefer": {"m": "dist-a"}})
    assert owner_of(manager, "m") == "mod_a"


def test_preferring_a_distribution_that_contradicts_itself_settles_nothing(site: FakeSite, manager: Manager) -> None:
    """Two of its modules declare the name: neither wins silently."""
    modules = {f"own_{letter}": model_source(letter, "m") for letter in "ab"}
    site.add("one", entry_points={"aimm.models": {"a": "own_a", "b": "own_b"}}, modules=modules)
    manager.initialize({"names": [], "prefer": {"m": "one"}})
    use(manager, "ab")
    assert "both come from the same place: remove one of the two declarations" in owner_of(manager, "m")


def test_one_class_in_two_distributions_is_one(site: FakeSite) -> None:
    """Its canonical name is nobody's conflict, whichever name is used first."""
    site.module("shared_mod", class_source())
    for letter in "ab":
        site.add(
            f"dist-{letter}", entry_points={"aimm.models": {letter: "shared_mod:Forest", "same": "shared_mod:Forest"}}
        )
    for order in itertools.permutations(["a", "b", "same", "shared_mod.Forest"]):
        manager = Manager({"names": []})
        assert [owner_of_class(manager, name) for name in order] == ["Forest"] * 4
        assert manager.report.conflicts == ()


def owner_of_class(manager: Manager, name: str) -> Any:
    return manager.exec_predict(name, manager.exec_instantiate(name), None, 1)[1][0]


def test_conflicting_entry_points_of_one_name_are_not_loaded(site: FakeSite, manager: Manager) -> None:
    """Nothing is imported to find out what is known already."""
    add(site, "a", declared=["m"], before="raise SystemExit")
    add(site, "b", declared=["m"], before="raise SystemExit")
    manager.initialize()
    assert "model type 'm' is claimed by dist-a 1.0 (mod_a) and by dist-b 1.0 (mod_b)" in owner_of(manager, "m")
    assert manager.report.failed == ()


# Explicit and ambient


def test_a_configured_module_beats_an_entry_point(site: FakeSite, manager: Manager) -> None:
    """Whether the entry point's plugin is loaded or not."""
    add(site, "a", declared=["m"])
    site.module("own_mod", model_source("m"))
    manager.initialize({"names": ["own_mod"]})
    use(manager, "a")
    assert (owner_of(manager, "m"), manager.report.conflicts) == ("own_mod", ())


def test_a_plain_import_beats_an_entry_point(site: FakeSite) -> None:
    """In the default manager, where plain imports register."""
    add(site, "a", declared=["m"])

    @plugins.predict(["m"])
    def predict(instance: Any) -> tuple[str]:
        return ("plain",)

    plugins.initialize()
    assert plugins.exec_predict("m", [], None)[1] == ("plain",)


def test_a_module_that_is_configured_and_declared_is_one(site: FakeSite, manager: Manager) -> None:
    """It loads once and does not conflict with itself."""
    add(site, "a", "m")
    report = manager.initialize({"names": ["mod_a"]})
    assert (owner_of(manager, "a"), owner_of(manager, "m"), report.conflicts) == ("mod_a", "mod_a", ())


def test_two_configured_modules_that_declare_one_name_are_loud(site: FakeSite, manager: Manager) -> None:
    """The second is refused as a whole; the first works."""
    site.module("one_mod", model_source("m"))
    site.module("two_mod", model_source("x", "m"))
    with pytest.raises(PluginLoadError, match="'m' is already declared by plugin 'one_mod'"):
        manager.initialize({"names": ["one_mod", "two_mod"]})
    assert owner_of(manager, "m") == "one_mod"
    assert {owner.name for owner in manager.owners()} == {"m"}


# Loading


def test_a_plugin_that_uses_its_own_name_while_it_is_imported_is_told_so(site: FakeSite) -> None:
    """Instead of recursing or hanging."""
    add(site, "a", before="plugins.exec_fit('a', [])")
    plugins.initialize()
    with pytest.raises(PluginUnavailableError, match="the plugin uses one of its own names while it is being imported"):
        plugins.exec_fit("a", [])


def test_a_plugin_may_use_another_while_it_is_imported(site: FakeSite) -> None:
    """Each keeps its own declarations."""
    add(site, "a")
    add(site, "b", before="plugins.exec_fit('a', [])")
    plugins.initialize()
    plugins.exec_fit("b", [])
    assert {(o.name, o.distribution) for o in plugins.owners()} == {("a", "dist-a"), ("b", "dist-b")}


def test_a_plugin_is_imported_once_however_many_threads_need_it(site: FakeSite, manager: Manager) -> None:
    """And every thread gets its result."""
    add(site, "a", before="import builtins; builtins.count_of_imports = getattr(builtins, 'count_of_imports', 0) + 1")
    manager.initialize()
    barrier, results = threading.Barrier(16), list[Any]()

    def call() -> None:
        barrier.wait()
        results.append(manager.exec_fit("a", []))

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    import builtins

    assert results == [[((), {})]] * 16
    assert builtins.__dict__.pop("count_of_imports") == 1


def test_a_report_can_be_read_while_plugins_load(site: FakeSite, manager: Manager) -> None:
    """Nothing iterates over what another thread changes."""
    letters = [f"x{number}" for number in range(30)]
    for letter in letters:
        add(site, letter)
    manager.initialize()
    done = threading.Event()
    loading = threading.Thread(target=lambda: (use(manager, letters), done.set()))
    loading.start()
    while not done.is_set():
        report = manager.report
        assert len(report.loaded) + len(report.lazy) == 30
    loading.join()


def test_a_hook_plugin_that_gives_nothing_is_refused(site: FakeSite, manager: Manager) -> None:
    """Most likely its marks were forgotten."""
    site.add("d", entry_points={"aimm.plugins": {"empty": "empty_mod"}}, modules={"empty_mod": "def fit(): ..."})
    (failure,) = manager.initialize().failed
    assert failure.stage == "check"
    assert "empty_mod has neither hook implementations (marked with plugins.hookimpl) nor decorated" in failure.cause


def test_settings_for_a_plugin_that_takes_none_are_refused(site: FakeSite, manager: Manager) -> None:
    """A host that configures it wants to know."""
    site.add("d", entry_points={"aimm.plugins": {"p": "plain_mod"}}, modules={"plain_mod": model_source("m")})
    with pytest.raises(PluginLoadError, match=r"at settings\.p: this plugin takes no settings") as caught:
        manager.initialize({"names": [], "settings": {"p": {"x": 1}}})
    assert caught.value.failures[0].stage == "settings"


def test_failures_are_logged_once_each(site: FakeSite, manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    """Under the logger ``aimm.plugins``, in one line; what else is known stands in the report."""
    site.add("d", entry_points={"aimm.plugins": {"p": "no_such_module"}})
    report = manager.initialize()
    warnings = [r for r in caplog.records if r.levelname == "WARNING"]
    expected = f"{report.failed[0].summary}; 'aimm plugins doctor' says what to do"
    assert [(r.name, r.getMessage()) for r in warnings] == [("aimm.plugins", expected)]


def test_what_is_loaded_stays_loaded_when_it_is_excluded_later(site: FakeSite, manager: Manager) -> None:
    """A second ``initialize`` adds; only ``unload_all`` takes away."""
    add(site, "a")
    manager.initialize()
    use(manager, "a")
    manager.initialize({"names": [], "entry_points": {"exclude": ["dist-a"]}})
    assert owner_of(manager, "a") == "mod_a"


def test_a_typo_is_a_typo_however_broken_other_plugins_are(site: FakeSite, manager: Manager) -> None:
    """Looking up a name imports nobody else (catalogue shows the other plugin's ModuleNotFoundError)."""
    add(site, "forest")
    site.add("bad", entry_points={"aimm.models": {"bad": "no_such_module"}})
    manager.initialize()
    with pytest.raises(PluginNotFoundError, match=r"did you mean .forest.\?"):
        manager.exec_fit("forrest", [])
    assert len(manager.report.lazy) == 2
