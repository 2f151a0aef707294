"""What goes wrong in other frameworks, tried with installed packages on this one."""

from pathlib import Path

import pytest

from environments import PROJECTS, Environment, make_wheel
from support import model_source

HOOK_OWNER = """
from aimm.plugins import hookimpl

class Owner:
    def __init__(self, name, fitted):
        self.name, self.fitted = name, fitted

    @hookimpl
    def model_types(self): return [self.name]
    @hookimpl
    def instantiate(self, args, kwargs): return [args, kwargs]
    @hookimpl
    def fit(self, instance, args, kwargs):
        instance.append((self.name, args, kwargs))
        return self.fitted

one = Owner("one", None)
two = Owner("two", "two was fitted")
"""


def test_a_hook_gets_every_argument_and_may_return_none(venv: Environment, tmp_path: Path) -> None:
    """Neither defaults nor None make another plugin's fit run, and no argument is lost on the way."""
    points = {"aimm.plugins": {"one": "owners:one", "two": "owners:two"}}
    venv.install(make_wheel(tmp_path, "owners", entry_points=points, modules={"owners": HOOK_OWNER}))
    done = venv.run_python("""
        from aimm import plugins
        plugins.initialize()
        model = plugins.exec_instantiate("one", None, 1, epochs=99)
        assert model == [(1,), {"epochs": 99}]
        assert plugins.exec_fit("one", model, None, 2, rate=0.5) is None
        assert model[-1] == ("one", (2,), {"rate": 0.5}) and len(model) == 3
        assert plugins.exec_fit("two", [], None) == "two was fitted"
    """)
    assert done == (0, "", "")


def test_forgotten_state_callback(venv: Environment) -> None:
    """Data in the place of the callback is an error that says so."""
    venv.install(PROJECTS / "acme-nearest")
    done = venv.run_python("""
        from aimm import plugins
        plugins.initialize()
        model = plugins.exec_instantiate("acme.nearest")
        try:
            plugins.exec_fit("acme.nearest", model, [[1.0]], [0])
        except TypeError as error:
            print(error)
    """)
    assert "state_cb, the third argument, must be callable or None" in done.out


def test_unload_and_initialize_again(venv: Environment) -> None:
    """Everything that was installed is there again, though Python keeps the modules."""
    venv.install(PROJECTS / "acme-nearest", PROJECTS / "acme-counter", PROJECTS / "acme-constant")
    done = venv.run_python("""
        from aimm import plugins
        for _ in range(3):
            plugins.initialize()
            assert plugins.exec_instantiate("acme.nearest").power == 2.0
            assert plugins.exec_instantiate("acme.majority") == {}
            assert plugins.exec_instantiate("acme.constant.7") == 7
            plugins.unload_all()
            try:
                plugins.exec_instantiate("acme.nearest")
            except ValueError as error:
                assert "initialize() has not run" in str(error)
            else:
                raise AssertionError
    """)
    assert done == (0, "", "")


def test_one_bad_name_does_not_stop_the_others(venv: Environment, tmp_path: Path) -> None:
    """A module named in the configuration that fails is loud, after everything else was loaded."""
    modules = {"fine_one": model_source("one"), "wrong": "1 / 0", "fine_two": model_source("two")}
    venv.install(make_wheel(tmp_path, "modules", modules=modules), PROJECTS / "acme-nearest")
    done = venv.run_python("""
        from aimm import errors, plugins
        try:
            plugins.initialize({"names": ["fine_one", "wrong", "nowhere", "fine_two"]})
        except errors.PluginLoadError as error:
            assert [failure.plugin for failure in error.failures] == ["wrong", "nowhere"]
        else:
            raise AssertionError
        for name in ("one", "two", "acme.nearest"):
            plugins.exec_instantiate(name)
    """)
    assert (done.code, done.out) == (0, "")


def test_asking_whether_a_name_exists_imports_nothing(venv: Environment, tmp_path: Path) -> None:
    """Owners are listed from metadata: a plugin that would end the process is there all the same."""
    points = {"aimm.models": {"bomb": "bomb:B"}}
    venv.install(make_wheel(tmp_path, "bomb", entry_points=points, modules={"bomb": "import os\nos._exit(9)"}))
    done = venv.run_python("""
        import sys
        from aimm import plugins
        plugins.initialize()
        assert [owner.name for owner in plugins.owners()] == ["bomb"]
        assert [c.name for c in plugins.discover().candidates] == ["bomb"]
        assert "bomb" not in sys.modules and "pluggy" not in sys.modules
    """)
    assert done == (0, "", "")


def test_the_original_exception_arrives(venv: Environment, tmp_path: Path) -> None:
    """An exception whose constructor wants more than a text is reported as itself."""
    source = "class Odd(Exception):\n    def __init__(self, a, b): super().__init__(a)\nraise Odd('the reason', 2)"
    points = {"aimm.models": {"odd": "odd:Model"}}
    venv.install(make_wheel(tmp_path, "odd", entry_points=points, modules={"odd": source}))
    done = venv.run_python("""
        import pickle
        from aimm import errors, plugins
        plugins.initialize()
        try:
            plugins.exec_instantiate("odd")
        except errors.PluginUnavailableError as error:
            assert type(error.__cause__).__name__ == "Odd" and str(error.__cause__) == "the reason"
            assert "Odd: the reason" in str(pickle.loads(pickle.dumps(error)))
        else:
            raise AssertionError
    """)
    assert (done.code, done.out) == (0, "")


@pytest.mark.parametrize("group", ["aimm.plugins", "aimm.models"])
def test_an_excluded_plugin_is_not_imported_first(venv: Environment, tmp_path: Path, group: str) -> None:
    """Leaving out a plugin that ends the process at import helps."""
    points = {group: {"bomb": "bomb:B"}}
    venv.install(make_wheel(tmp_path, "bomb", entry_points=points, modules={"bomb": "import os\nos._exit(9)"}))
    done = venv.run_python("""
        from aimm import plugins
        report = plugins.initialize({"names": [], "entry_points": {"exclude": ["bomb"]}})
        assert report == plugins.Report(), report
    """)
    assert done == (0, "", "")


def test_private_managers_do_not_leak(venv: Environment) -> None:
    """What one manager loads, neither another nor the default one has."""
    venv.install(PROJECTS / "acme-nearest")
    done = venv.run_python("""
        from aimm import plugins
        mine = plugins.PluginManager({"names": []})
        mine.exec_instantiate("acme.nearest")
        assert plugins.owners() == []
        assert plugins.PluginManager().owners() == []
    """)
    assert done == (0, "", "")
