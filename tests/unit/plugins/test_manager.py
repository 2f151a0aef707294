"""The manager: what loads when, what fails how loudly, who wins a name, and what several threads see."""

import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from aimm import plugins
from aimm.errors import (
    ConfigError,
    DeclarationError,
    DuplicateError,
    PluginConflictError,
    PluginFailure,
    PluginLoadError,
    PluginNotFoundError,
    PluginUnavailableError,
)
from aimm.plugins import hookimpl
from support import FakeSite, class_source, model_source

Manager = plugins.PluginManager
Make = Callable[..., str]
HEAD = "from aimm import plugins\n"


def names(candidates: Any) -> list[str]:
    """The names of candidates or failures, in order."""
    return [getattr(c, "plugin", None) or c.name for c in candidates]


def predicts(manager: Manager, model_type: str) -> Any:
    """Who answers a prediction: the tag or module of its owner."""
    return manager.exec_predict(model_type, None)[1][0]


# Discovery and lazy loading


def test_without_plugins_the_report_is_empty(manager: Manager) -> None:
    """Nothing installed and nothing named: nothing happens."""
    assert manager.initialize() == plugins.Report()


def test_initialize_imports_no_lazy_plugin(manager: Manager, site: FakeSite) -> None:
    """Model types and data accesses are listed without an import of their modules."""
    points = {"aimm.models": {"a": "lazy_a", "b": "lazy_b:B"}, "aimm.data_access": {"d": "lazy_d:fetch"}}
    site.add("d", "1.2", points)
    report = manager.initialize()
    assert names(report.lazy) == ["d", "a", "b"]
    assert manager.owners("data access") == [plugins.Owner("d", "d", "d", "1.2")]
    assert manager.owners() == [plugins.Owner("a", "a", "d", "1.2"), plugins.Owner("b", "b", "d", "1.2")]
    assert not {"lazy_a", "lazy_b", "lazy_d"} & sys.modules.keys()


def test_using_a_name_imports_its_owner_alone(manager: Manager, site: FakeSite) -> None:
    """The first call for a model type imports the module behind it and no other."""
    modules = {f"lazy_{x}": model_source(x) for x in "ab"}
    site.add("d", entry_points={"aimm.models": {"a": "lazy_a", "b": "lazy_b"}}, modules=modules)
    manager.initialize()
    assert predicts(manager, "a") == "lazy_a"
    assert "lazy_a" in sys.modules
    assert "lazy_b" not in sys.modules
    assert names(manager.report.loaded) == ["a"]
    assert names(manager.report.lazy) == ["b"]


def test_a_data_access_is_a_function_or_a_module(manager: Manager, site: FakeSite) -> None:
    """Both kinds of entry point for data work, and load when they are used."""
    points = {"aimm.data_access": {"f": "data_mod:fetch", "m": "declared_mod"}}
    declared = HEAD + "@plugins.data_access('m')\ndef fetch(n): return n\n"
    site.add("d", entry_points=points, modules={"data_mod": "def fetch(n): return -n", "declared_mod": declared})
    manager.initialize()
    assert manager.exec_data_access("f", None, 2) == -2
    assert manager.exec_data_access("m", None, 2) == 2


def test_modules_named_in_the_configuration_load_at_once_in_order(manager: Manager, make_module: Make) -> None:
    """``names`` are imported by ``initialize``, in their order."""
    made = [make_module(model_source(x)) for x in "abc"]
    report = manager.initialize({"names": made[::-1]})
    assert names(report.loaded) == made[::-1]
    assert [predicts(manager, x) for x in "abc"] == made


def test_a_plugin_directory_loads_every_file(manager: Manager, tmp_path: Path) -> None:
    """``directories`` are imported by ``initialize``, each as a package of its own."""
    folder = FakeSite(tmp_path / "my_plugins")
    folder.module("one", model_source("a"))
    folder.module("two", "from my_plugins.one import predict\n" + model_source("b"))
    report = manager.initialize({"names": [], "directories": [str(folder.path)]})
    assert names(report.loaded) == ["my_plugins"]
    assert predicts(manager, "b") == "my_plugins.two"


@pytest.mark.timeout(60)
def test_32_threads_import_a_plugin_once(manager: Manager, site: FakeSite) -> None:
    """Many threads that need a lazy plugin at the same time cause one import, and all get its answer."""
    before = "import time, builtins\nbuiltins.aimm_imports = getattr(builtins, 'aimm_imports', 0) + 1\ntime.sleep(0.05)"
    site.add(
        "d", entry_points={"aimm.models": {"a": "slow_mod"}}, modules={"slow_mod": model_source("a", before=before)}
    )
    manager.initialize()
    barrier = threading.Barrier(32)

    def call(_: int) -> Any:
        barrier.wait()
        return predicts(manager, "a")

    try:
        with ThreadPoolExecutor(32) as pool:
            assert list(pool.map(call, range(32))) == ["slow_mod"] * 32
        import builtins

        assert builtins.aimm_imports == 1  # type: ignore[attr-defined]
    finally:
        del builtins.aimm_imports  # type: ignore[attr-defined]


def test_a_plugin_that_uses_itself_while_it_is_imported(manager: Manager, site: FakeSite) -> None:
    """A circular use fails with its reason instead of hanging, and the plugin with it."""
    after = "import sys\nsys.modules['the_manager'].manager.exec_predict('a', None)\n"
    site.add("d", entry_points={"aimm.models": {"a": "circular"}}, modules={"circular": model_source("a", after=after)})
    sys.modules["the_manager"] = _namespace(manager=manager)
    manager.initialize()
    with pytest.raises(PluginUnavailableError, match="uses one of its own names while it is being imported"):
        predicts(manager, "a")
    del sys.modules["the_manager"]


def _namespace(**values: Any) -> Any:
    return type("Namespace", (), values)


@pytest.mark.timeout(60)
def test_two_plugins_that_use_each_other_do_not_hang(manager: Manager, site: FakeSite) -> None:
    """Two threads that load two plugins, each of which uses the other while it is imported, both come back."""
    for own, other in ("ab", "ba"):
        before = f"""
            import sys
            host = sys.modules['the_host']
            host.meet('{own}')
            try:
                host.manager.exec_predict('{other}', None)
            except LookupError:
                pass
        """
        module = f"mutual_{own}"
        site.add(
            f"d{own}", entry_points={"aimm.models": {own: module}}, modules={module: model_source(own, before=before)}
        )
    barrier = threading.Barrier(2)
    sys.modules["the_host"] = _namespace(manager=manager, meet=staticmethod(lambda own: _wait(barrier)))
    manager.initialize()
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: _attempt(lambda: predicts(manager, name)), "ab"))
    assert {type(result) for result in done} <= {str, PluginUnavailableError}
    assert str in {type(result) for result in done}
    del sys.modules["the_host"]


def _wait(barrier: threading.Barrier) -> None:
    try:
        barrier.wait(0.3)
    except threading.BrokenBarrierError:
        return  # the other one waits for us


def _attempt(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - handed back to the test
        return error


# Failures: ambient ones are quarantined


def broken_site(site: FakeSite, source: str = "raise OSError('no disk')") -> None:
    """An installation with one broken and one sound plugin."""
    site.add("bad", "2.0", {"aimm.models": {"x": "bad_mod"}}, {"bad_mod": source})
    site.add("good", "1.0", {"aimm.models": {"y": "good_mod"}}, {"good_mod": model_source("y")})


def test_a_broken_lazy_plugin_is_quarantined(
    manager: Manager, site: FakeSite, caplog: pytest.LogCaptureFixture
) -> None:
    """Each use of its names raises with the cause; it is logged once, reported, and others are unaffected."""
    broken_site(site)
    assert manager.initialize().failed == ()
    for _ in range(2):
        with pytest.raises(PluginUnavailableError) as caught:
            manager.exec_fit("x", None)
        assert isinstance(caught.value.__cause__, OSError)
    assert predicts(manager, "y") == "good_mod"
    (failure,) = manager.report.failed
    assert caught.value.failure == failure
    assert [record.message for record in caplog.records] == [
        f"{failure.summary}; 'aimm plugins doctor' says what to do"
    ]


def test_the_message_about_a_broken_plugin_has_everything(manager: Manager, site: FakeSite) -> None:
    """Name, stage, distribution, version, entry point, file with line, cause and a way out are in the message."""
    broken_site(site)
    manager.initialize()
    with pytest.raises(PluginUnavailableError) as caught:
        manager.exec_fit("x", None)
    assert str(caught.value) == (
        "fit of 'x' is not available: plugin 'x' (distribution bad 2.0) failed at stage 'import': OSError: no disk\n"
        "  entry point: [aimm.models] x = bad_mod\n"
        f"  file: {site.path / 'bad_mod.py'}:1\n"
        "  hint: 'aimm -v plugins doctor' shows the traceback; upgrade bad, or leave it out with 'entry_points: "
        "{exclude: [bad]}'"
    )


def test_a_broken_hook_plugin_is_reported_and_suspected(manager: Manager, site: FakeSite) -> None:
    """A hook plugin that fails at ``initialize`` is in its report, and in errors about unknown names."""
    site.add("bad", "2.0", {"aimm.plugins": {"hooks": "bad_mod"}}, {"bad_mod": "import no_such_library"})
    report = manager.initialize()
    assert names(report.failed) == ["hooks"]
    suspect = r"plugin 'hooks' \(distribution bad 2.0\) failed to load and may have declared it: ModuleNotFoundError"
    with pytest.raises(PluginNotFoundError, match=suspect):
        manager.exec_fit("x", None)


@pytest.mark.parametrize("error", ["SystemExit(3)", "BaseException('b')", "GeneratorExit()", "AssertionError()"])
def test_no_exception_of_an_import_escapes(manager: Manager, site: FakeSite, error: str) -> None:
    """Whatever a plugin raises while it is imported stays its own failure."""
    site.add("bad", entry_points={"aimm.plugins": {"p": "bad_mod"}}, modules={"bad_mod": f"raise {error}"})
    (failure,) = manager.initialize().failed
    assert failure.cause.startswith(error.partition("(")[0])


def test_ctrl_c_during_an_import_escapes(manager: Manager, site: FakeSite) -> None:
    """Only ``KeyboardInterrupt`` passes; afterwards the plugin can be tried again."""
    site.add("bad", entry_points={"aimm.plugins": {"p": "bad_mod"}}, modules={"bad_mod": "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        manager.initialize()
    site.module("bad_mod", "from aimm.plugins import hookimpl\n@hookimpl\ndef plugin_failed(): pass\n")
    assert names(manager.initialize().loaded) == ["p"]


def test_a_failed_plugin_leaves_nothing_behind(manager: Manager, make_module: Make) -> None:
    """What a plugin declared before it failed is not registered, and a repaired one loads."""
    name = make_module(model_source("a", after="1/0"), "half_mod")
    with pytest.raises(PluginLoadError, match="ZeroDivisionError"):
        manager.initialize({"names": [name]})
    assert manager.owners() == []
    make_module(model_source("a"), "half_mod")
    assert names(manager.initialize().loaded) == ["half_mod"]
    assert predicts(manager, "a") == "half_mod"


# Failures: explicit ones are loud


def test_a_named_module_that_fails_raises_after_the_others_are_loaded(manager: Manager, make_module: Make) -> None:
    """``PluginLoadError`` carries the report, and everything else is registered."""
    good = make_module(model_source("a"))
    with pytest.raises(PluginLoadError) as caught:
        manager.initialize({"names": ["no_such_module", good]})
    report = caught.value.report
    assert names(report.loaded) == [good]
    assert caught.value.failures == report.failed
    assert predicts(manager, "a") == good
    assert str(caught.value).startswith("1 problem while loading plugins (the others are loaded; the next initialize")
    assert "check the spelling, and that the module's folder is on sys.path" in str(caught.value)


def test_the_next_initialize_retries_what_failed(manager: Manager, make_module: Make) -> None:
    """A failure is not final: once repaired, the same configuration loads."""
    with pytest.raises(PluginLoadError):
        manager.initialize({"names": ["late_module"]})
    make_module(model_source("a"), "late_module")
    assert manager.initialize().failed == ()
    assert predicts(manager, "a") == "late_module"


def test_strict_makes_ambient_failures_loud(manager: Manager, site: FakeSite) -> None:
    """With ``strict: true`` a broken hook plugin of some distribution is an error too."""
    site.add("bad", entry_points={"aimm.plugins": {"p": "bad_mod"}}, modules={"bad_mod": "1/0"})
    with pytest.raises(PluginLoadError, match="plugin 'p'"):
        manager.initialize({"names": [], "strict": True})


def test_strict_makes_conflicts_and_unreadable_metadata_loud(manager: Manager, site: FakeSite) -> None:
    """``strict: true`` also raises for contested names and for metadata that could not be read."""
    for name in ("one", "two"):
        site.add(name, entry_points={"aimm.models": {"x": name}})
    site.add("garbled", raw_entry_points="[aimm.models]\nno equals sign\n")
    with pytest.raises(PluginLoadError, match="2 problems") as caught:
        manager.initialize({"names": [], "strict": True})
    assert names(caught.value.failures) == ["garbled"]
    assert [conflict.name for conflict in caught.value.conflicts] == ["x"]
    assert "is claimed by one 1.0 (one) and by two 1.0 (two)" in str(caught.value)


def test_not_strict_makes_explicit_failures_quiet(manager: Manager) -> None:
    """With ``strict: false`` even a named module that fails is only reported."""
    report = manager.initialize({"names": ["no_such_module"], "strict": False})
    assert names(report.failed) == ["no_such_module"]


def test_a_wrong_configuration_changes_nothing(manager: Manager, make_module: Make) -> None:
    """A configuration that is refused loads nothing of what it names."""
    name = make_module(model_source("a"))
    with pytest.raises(ConfigError, match="unknown key 'name'"):
        manager.initialize({"names": [name], "name": 1})
    assert (manager.candidates(), manager.owners(), name in sys.modules) == ((), [], False)


# Conflicts


def rivals(site: FakeSite, *distributions: str) -> None:
    """Several distributions that declare the model type ``x``."""
    for name in distributions:
        site.add(name, entry_points={"aimm.models": {"x": f"of_{name}"}}, modules={f"of_{name}": model_source("x")})
    site.add("bystander", entry_points={"aimm.models": {"y": "of_y"}}, modules={"of_y": model_source("y")})


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_two_owners_of_one_name_are_an_error_for_that_name(manager: Manager, site: FakeSite, order: Any) -> None:
    """The error lists both and how to settle it; the report lists it; neither is imported; others work."""
    rivals(site, *order)
    (reported,) = manager.initialize().conflicts
    with pytest.raises(PluginConflictError) as caught:
        manager.exec_fit("x", None)
    assert (
        str(caught.value)
        == str(reported)
        == (
            "model type 'x' is claimed by one 1.0 (of_one) and by two 1.0 (of_two); put 'prefer: {x: one}' or 'prefer: "
            "{x: two}' into the configuration, or exclude one of the distributions"
        )
    )
    assert not {"of_one", "of_two"} & sys.modules.keys()
    assert predicts(manager, "y") == "of_y"


@pytest.mark.parametrize("wanted", ["one", "two", "Two"])
def test_prefer_settles_a_conflict(manager: Manager, site: FakeSite, wanted: str) -> None:
    """``prefer`` names the distribution that owns the name; the other is not imported."""
    rivals(site, "one", "two")
    report = manager.initialize({"names": [], "prefer": {"x": wanted}})
    assert report.conflicts == ()
    assert predicts(manager, "x") == f"of_{wanted.lower()}"
    assert len({"of_one", "of_two"} & sys.modules.keys()) == 1


def test_prefer_can_be_given_later(manager: Manager, site: FakeSite) -> None:
    """A second ``initialize`` may settle what the first found contested."""
    rivals(site, "one", "two")
    manager.initialize()
    manager.initialize({"names": [], "prefer": {"x": "two"}})
    assert predicts(manager, "x") == "of_two"


def test_excluding_a_distribution_settles_a_conflict(manager: Manager, site: FakeSite) -> None:
    """So does leaving one of them out."""
    rivals(site, "one", "two")
    manager.initialize({"names": [], "entry_points": {"exclude": ["one"]}})
    assert predicts(manager, "x") == "of_two"


def test_a_named_module_beats_an_entry_point(manager: Manager, site: FakeSite, make_module: Make) -> None:
    """What the host names in its configuration wins without a conflict."""
    rivals(site, "one")
    mine = make_module(model_source("x"))
    assert manager.initialize({"names": [mine]}).conflicts == ()
    assert predicts(manager, "x") == mine


def test_prefer_beats_a_named_module(manager: Manager, site: FakeSite, make_module: Make) -> None:
    """An explicit preference for a distribution outranks a named module."""
    rivals(site, "one")
    mine = make_module(model_source("x"))
    manager.initialize({"names": [mine], "prefer": {"x": "one"}})
    assert predicts(manager, "x") == "of_one"


def test_two_named_modules_with_one_name_are_an_error(manager: Manager, make_module: Make) -> None:
    """Of two explicit declarations, the first stands and the second fails as a whole."""
    one, two = make_module(model_source("x")), make_module(model_source("x", "z"))
    with pytest.raises(PluginLoadError, match="'x' is already declared by plugin"):
        manager.initialize({"names": [one, two]})
    assert predicts(manager, "x") == one
    with pytest.raises(PluginNotFoundError):
        manager.exec_fit("z", None)


def test_the_same_object_reached_twice_is_one(manager: Manager, site: FakeSite) -> None:
    """An entry point and a configuration line for one module are no conflict."""
    site.add("d", entry_points={"aimm.models": {"x": "same_mod"}}, modules={"same_mod": model_source("x")})
    report = manager.initialize({"names": ["same_mod"]})
    assert report.conflicts == ()
    assert predicts(manager, "x") == "same_mod"
    assert manager.report.failed == ()


def test_one_class_under_two_names_of_two_entry_points(manager: Manager, site: FakeSite) -> None:
    """Two names for one class are two model types, and its canonical name is not contested by itself."""
    points = {"aimm.models": {"a": "twice_mod:Forest", "b": "twice_mod:Forest"}}
    site.add("d", entry_points=points, modules={"twice_mod": class_source(decorated=True)})
    assert manager.initialize().conflicts == ()
    instances = [manager.exec_instantiate(name) for name in ("a", "b", "twice_mod.Forest")]
    assert len({type(instance) for instance in instances}) == 1


def test_functions_of_two_hook_plugins_for_one_type_conflict(manager: Manager, site: FakeSite) -> None:
    """Decorated functions in two eager plugins of equal rank: an error for those names, until settled."""
    for name in ("one", "two"):
        site.add(name, entry_points={"aimm.plugins": {name: f"of_{name}"}}, modules={f"of_{name}": model_source("x")})
    assert {conflict.name for conflict in manager.initialize().conflicts} == {"x"}
    assert {conflict.name for conflict in manager.initialize().conflicts} == {"x"}
    with pytest.raises(PluginConflictError, match=r"prefer: \{x: one\}"):
        manager.exec_predict("x", None)
    assert manager.initialize({"names": [], "prefer": {"x": "two"}}).conflicts == ()
    assert predicts(manager, "x") == "of_two"


def test_two_plugins_of_one_plugin_name_conflict(manager: Manager, site: FakeSite) -> None:
    """Hook plugins are contested by name as well: neither loads until one is preferred."""
    source = "from aimm.plugins import hookimpl\n@hookimpl\ndef plugin_failed(): pass\n"
    for name in ("one", "two"):
        site.add(name, entry_points={"aimm.plugins": {"same": f"of_{name}"}}, modules={f"of_{name}": source})
    report = manager.initialize()
    assert (names(report.loaded), [c.name for c in report.conflicts]) == ([], ["same"])
    report = manager.initialize({"names": [], "prefer": {"same": "two"}})
    assert [c.distribution for c in report.loaded] == ["two"]


def test_a_conflict_does_not_collect_tracebacks(manager: Manager, site: FakeSite) -> None:
    """Each use of a contested name raises an error of its own."""
    for name in ("one", "two"):
        site.add(name, entry_points={"aimm.plugins": {name: f"of_{name}"}}, modules={f"of_{name}": model_source("x")})
    manager.initialize()
    raised = [_attempt(lambda: manager.exec_predict("x", None)) for _ in range(2)]
    assert raised[0] is not raised[1]


# Again, and back


def test_initialize_sees_modules_made_a_moment_ago(manager: Manager, tmp_path: Path) -> None:
    """A module, or a whole folder of ``sys.path``, that came after a failed import is found."""
    sys.path.insert(0, str(tmp_path / "later"))
    for _ in range(2):
        with pytest.raises(PluginLoadError):
            manager.initialize({"names": ["made_late"]})
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "made_late.py").write_text(model_source("a"))
    manager.initialize()
    assert predicts(manager, "a") == "made_late"


def test_a_second_initialize_adds(manager: Manager, make_module: Make) -> None:
    """What the first call loaded stays, and is not imported again."""
    one, two = make_module(model_source("a")), make_module(model_source("b"))
    manager.initialize({"names": [one]})
    first = sys.modules[one]
    report = manager.initialize({"names": [two]})
    assert names(report.loaded) == [one, two]
    assert sys.modules[one] is first
    assert manager.initialize() == report


def test_unload_all_and_initialize_register_again(manager: Manager, make_module: Make) -> None:
    """Modules stay imported, yet everything they declare is registered anew."""
    name = make_module(model_source("a") + class_source(decorated=True).partition("\n")[2])
    for _ in range(2):
        manager.initialize({"names": [name]})
        assert predicts(manager, "a") == name
        assert manager.exec_instantiate(f"{name}.Forest", None, 2).n == 2
        manager.unload_all()
        with pytest.raises(PluginNotFoundError, match=r"initialize\(\) has not run"):
            manager.exec_predict("a", None)


def test_unload_all_takes_wrappers_out(manager: Manager, make_module: Make) -> None:
    """After ``unload_all`` nothing is observed, and no configuration remains."""
    name = make_module(model_source("a"))
    manager.initialize({"names": [name], "strict": False})
    manager.register(_Recorder(seen := []))
    manager.unload_all()
    assert manager.report == plugins.Report()
    manager.initialize({"names": [name]})
    manager.exec_predict("a", None)
    assert seen == []


class _Recorder:
    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    @hookimpl(wrapper=True)
    def predict(self, model_type: str) -> Any:
        self.seen.append(model_type)
        return (yield)


def test_managers_are_independent(site: FakeSite, make_module: Make) -> None:
    """Each manager has its own plugins, owners and wrappers, also for one and the same module."""
    name = make_module(model_source("a"))
    one, two = Manager({"names": [name]}), Manager({"names": [name]})
    empty = Manager()
    one.register(_Recorder(seen := []))
    assert predicts(one, "a") == predicts(two, "a") == name
    assert seen == ["a"]
    one.unload_all()
    assert predicts(two, "a") == name
    for stranger in (one, empty, plugins.default_manager):
        with pytest.raises(PluginNotFoundError):
            stranger.exec_predict("a", None)


def test_a_plain_import_registers_in_the_default_manager(make_module: Make) -> None:
    """A module imported by hand works without ``initialize``, in the default manager alone."""
    name = make_module(model_source("a"))
    __import__(name)
    assert predicts(plugins.default_manager, "a") == name
    assert Manager().owners() == []


def test_the_functions_of_the_package_are_the_default_manager_s() -> None:
    """``aimm.plugins`` has every method of its default manager that it lists."""
    for name in plugins.__all__:
        method = getattr(Manager, name, None)
        if method is not None:
            assert getattr(plugins, name) == getattr(plugins.default_manager, name)


def test_a_duplicate_declaration_changes_nothing() -> None:
    """Declaring a taken name by decorator raises, and none of its list is registered."""
    plugins.fit(["b"])(lambda instance: "first")
    with pytest.raises(DuplicateError, match="fit for 'b' is already declared by module"):
        plugins.fit(["a", "b", "c"])(lambda instance: "second")
    assert plugins.exec_fit("b", None) == "first"
    assert [owner.name for owner in plugins.owners()] == ["b"]


# Hints


def test_the_default_manager_uninitialised() -> None:
    """Before ``aimm.plugins.initialize`` an unknown name says that it has not run."""
    with pytest.raises(PluginNotFoundError, match=r"initialize\(\) has not run: call aimm.plugins.initialize\(\), or"):
        plugins.exec_fit("x", None)


def test_uninitialised(manager: Manager) -> None:
    """Before ``initialize`` of a manager an unknown name says that its own has not run."""
    hint = r"initialize\(\) has not run for this PluginManager: call its own initialize\(\), for"
    plugins.initialize()
    with pytest.raises(PluginNotFoundError, match=hint):
        manager.exec_fit("x", None)
    manager.initialize()
    with pytest.raises(PluginNotFoundError) as caught:
        manager.exec_fit("x", None)
    assert str(caught.value) == "no plugin for fit of 'x' (known: none); 'aimm plugins list' shows what is installed"
    assert isinstance(caught.value, ValueError)


def test_a_near_miss_is_suggested_without_an_import(manager: Manager, site: FakeSite) -> None:
    """A misspelt name lists what is known and the nearest, and imports nothing."""
    site.add("d", entry_points={"aimm.models": {"forest": "not_there", "tree": "not_there"}})
    manager.initialize()
    with pytest.raises(PluginNotFoundError, match=r"\(known: 'forest', 'tree'\); did you mean 'forest'\?"):
        manager.exec_fit("forrest", None)


def test_excluded_distributions_are_named(manager: Manager, site: FakeSite) -> None:
    """A name that only an excluded distribution declares says so, and the distribution is never imported."""
    broken_site(site)
    report = manager.initialize({"names": [], "entry_points": {"exclude": ["b*"]}})
    assert names(report.lazy) == ["y"]
    with pytest.raises(PluginNotFoundError, match="distribution bad declares it, but the configuration excludes it"):
        manager.exec_fit("x", None)
    assert "bad_mod" not in sys.modules


def test_safe_mode(
    manager: Manager, site: FakeSite, make_module: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``AIMM_SAFE_MODE`` no entry point, named module or directory is loaded, and errors say why."""
    broken_site(site)
    FakeSite(tmp_path / "folder").module("in_folder", model_source("f"))
    conf = {"names": [make_module(model_source("n"))], "directories": [str(tmp_path / "folder")]}
    monkeypatch.setenv("AIMM_SAFE_MODE", "1")
    assert manager.initialize({**conf, "settings": {"gone": {}}}) == plugins.Report()
    for name in "xynf":
        with pytest.raises(PluginNotFoundError, match="AIMM_SAFE_MODE is on, so no third-party plugin is loaded"):
            manager.exec_fit(name, None)


# Owners and parameters


def test_owner_loads_and_names_the_owner(manager: Manager, site: FakeSite) -> None:
    """Who owns one action: plugin, distribution and version."""
    broken_site(site)
    manager.initialize()
    assert manager.owner("y", "fit") == plugins.Owner("y", "y", "good", "1.0", ("fit",))
    with pytest.raises(PluginUnavailableError):
        manager.owner("x", "fit")


def test_parameters_of_a_lazy_plugin(manager: Manager, site: FakeSite) -> None:
    """The arguments of an action come from the signature of its owner, which is loaded for it."""
    site.add("d", entry_points={"aimm.models": {"f": "sig_mod:Forest"}}, modules={"sig_mod": class_source()})
    manager.initialize()
    assert manager.parameters("f", "fit") == ["X", "y", "epochs"]
    with pytest.raises(PluginNotFoundError):
        manager.parameters("nobody", "fit")


def test_side_effects_of_an_import_are_reported(manager: Manager, make_module: Make, tmp_path: Path) -> None:
    """What a plugin's import changes in the process is in the report, and put back."""
    name = make_module("import os\nos.chdir('/')\n")
    report = manager.initialize({"names": [name]})
    assert report.side_effects == (f"{name}: changed the working directory (put back)",)
    assert Path.cwd() == tmp_path


def test_a_failure_has_no_secrets(manager: Manager, site: FakeSite) -> None:
    """A failure is plain text in every field, so that it can be pickled and shown."""
    broken_site(site)
    manager.initialize()
    _attempt(lambda: manager.exec_fit("x", None))
    (failure,) = manager.report.failed
    assert isinstance(failure, PluginFailure)
    assert all(value is None or isinstance(value, str) for value in failure)
    assert "OSError: no disk" in failure.traceback


def test_a_module_that_declares_another_type_is_refused(manager: Manager, site: FakeSite) -> None:
    """A module-valued entry point has to declare the model type that it is named after."""
    site.add("d", entry_points={"aimm.models": {"x": "other_mod"}}, modules={"other_mod": model_source("y")})
    manager.initialize()
    with pytest.raises(PluginUnavailableError, match="to declare the model type 'x' by decorators, but declares 'y'"):
        manager.exec_fit("x", None)


def test_a_declaration_error_is_shown_with_its_stage(manager: Manager, site: FakeSite) -> None:
    """A hook plugin with neither hooks nor declarations fails its check."""
    site.add("d", entry_points={"aimm.plugins": {"empty": "empty_mod"}}, modules={"empty_mod": ""})
    (failure,) = manager.initialize().failed
    assert failure.stage == "check"
    assert failure.cause.startswith(f"{DeclarationError.__name__}: empty_mod has neither hook implementations")


# Many threads


class _Listed:
    """A plugin that owns two model types and wraps everybody's predictions."""

    def __init__(self, number: int) -> None:
        self.number = number

    @hookimpl
    def model_types(self) -> list[str]:
        return [f"left{self.number}", f"right{self.number}"]

    @hookimpl(specname="predict")
    def answer(self, instance: int) -> int:
        return instance

    @hookimpl
    def fit(self, instance: int) -> int:
        return instance

    @hookimpl(wrapper=True)
    def predict(self) -> Any:
        return (yield) + 0


@pytest.mark.timeout(60)
def test_calls_while_plugins_come_and_go(manager: Manager, make_module: Make) -> None:
    """32 threads resolve, call, register and remove at once: each call has one whole answer, and nothing is lost."""
    steady = (
        HEAD
        + "@plugins.predict(['steady'])\ndef predict(i): return i\n@plugins.fit(['steady'])\ndef fit(i): return i\n"
    )
    manager.initialize({"names": [make_module(steady)]})
    route, barrier = manager.route("steady"), threading.Barrier(32)

    def work(number: int) -> None:
        barrier.wait()
        for turn in range(2):
            unregister = manager.register(_Listed(number))
            for model_type in (f"left{number}", f"right{number}", "steady"):
                assert manager.exec_predict(model_type, turn) == (turn, turn)
                assert manager.route(model_type).fit(turn) == turn
            assert route.predict(turn) == (turn, turn)
            listed = {owner.name for owner in manager.owners()}
            assert all((f"left{n}" in listed) == (f"right{n}" in listed) for n in range(32))
            unregister()
            with pytest.raises(PluginNotFoundError):
                manager.exec_fit(f"left{number}", turn)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(work, range(32)))
    finally:
        sys.setswitchinterval(interval)
    assert [owner.name for owner in manager.owners()] == ["steady"]


@pytest.mark.timeout(60)
def test_wrappers_registered_by_many_threads_are_all_there(manager: Manager) -> None:
    """No registration is lost when many threads register at the same time."""
    seen: list[str] = []
    plugins_ = [_Recorder(seen) for _ in range(32)]
    with ThreadPoolExecutor(32) as pool:
        removers = list(pool.map(manager.register, plugins_))
    manager.register(_Listed(0))
    manager.exec_predict("left0", 0)
    assert seen == ["left0"] * 32
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda remove: remove(), removers))
    manager.exec_predict("left0", 0)
    assert len(seen) == 32


@pytest.mark.timeout(60)
def test_a_first_call_does_not_miss_a_change(manager: Manager) -> None:
    """A name that is looked up first just while its owner leaves is not remembered."""
    for number in range(200):
        unregister = manager.register(_Listed(number))
        name, barrier = f"left{number}", threading.Barrier(2)
        caller = threading.Thread(target=lambda: (barrier.wait(), _attempt(lambda: manager.exec_fit(name, 0))))  # noqa: B023
        caller.start()
        barrier.wait()
        unregister()
        caller.join()
        with pytest.raises(PluginNotFoundError):
            manager.exec_fit(name, 0)


def test_logging_is_quiet_when_all_is_well(
    manager: Manager, make_module: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Sound plugins cause no log record at warning level or above."""
    with caplog.at_level(logging.WARNING):
        manager.initialize({"names": [make_module(model_source("a"))]})
    assert caplog.records == []
