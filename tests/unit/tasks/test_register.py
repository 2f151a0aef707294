"""Declaring tasks, and finding them again: names, plugins, failures."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aimm import plugins, tasks
from aimm.errors import (
    DeclarationError,
    DuplicateError,
    PluginLoadError,
    PluginUnavailableError,
    TaskConflictError,
    TaskNotFoundError,
)
from support import FakeSite

Make = Callable[..., str]

SEED = '''
"""Says hello."""

from aimm import tasks as pyplugs


@pyplugs.register
def hello(name: str) -> str:
    """Say hello.

    With an exclamation
    mark.
    """
    return f"Hello, {name}!"


@pyplugs.register(sort_value=-10)
def keywords(plugin: int, func: int = 2, *, name: int = 3, self: int = 4, args: int = 5, kwargs: int = 6) -> list[int]:
    return [plugin, func, name, self, args, kwargs]


@pyplugs.register()
async def later(value):
    return value
'''


@pytest.fixture
def hello(make_module: Make) -> str:
    """The name of an imported module with three tasks."""
    return importlib.import_module(make_module(SEED)).__name__


def directory(tmp_path: Path, name: str, **files: str) -> str:
    """Write a plugin directory."""
    folder = tmp_path / name
    folder.mkdir(parents=True)
    for stem, source in files.items():
        (folder / f"{stem}.py").write_text(source)
    return str(folder)


def test_register_returns_the_very_function() -> None:
    """Bare or called, nothing is wrapped."""

    def task() -> None: ...

    def other() -> None: ...

    assert tasks.register(task) is task
    assert tasks.register(sort_value=3)(other) is other


def test_a_class_can_be_a_task(hello: str) -> None:
    """Calling it makes an instance, whose type is the output."""

    @tasks.register
    class Scaler:
        def __init__(self, factor: float = 1.0) -> None:
            self.factor = factor

    found = tasks.find_task("Scaler")
    assert [parameter.name for parameter in found.parameters] == ["factor"]
    assert tasks.call("Scaler", 2.0).factor == 2.0


def test_call_by_full_name_and_by_its_end(hello: str) -> None:
    """The plugin, module and function; or as much of it as fits one task only."""
    assert tasks.call(f"{hello}.hello", "Ann") == "Hello, Ann!"
    assert tasks.call("hello", name="Bob") == "Hello, Bob!"


def test_a_parameter_may_have_any_name(hello: str) -> None:
    """Also those of the functions that hand it on."""
    given = {"plugin": 1, "func": 9, "name": 8, "self": 7, "args": 6, "kwargs": 5}
    assert tasks.call(f"{hello}.keywords", **given) == [1, 9, 8, 7, 6, 5]
    assert tasks.call_task(tasks.find_task("keywords"), (1,), {"name": 0}) == [1, 2, 0, 4, 5, 6]


def test_an_async_task_is_run_to_completion(hello: str) -> None:
    """The caller gets its result."""
    assert tasks.call("later", 4) == 4


def test_an_async_task_inside_a_loop_says_what_to_do(hello: str) -> None:
    """A second loop cannot run in the same thread."""
    import asyncio

    from aimm.errors import AsyncCallError

    async def main() -> None:
        with pytest.raises(AsyncCallError, match=r"task '.*later' is an 'async def' .*to_thread\(tasks\.call"):
            tasks.call("later", 4)
        assert await asyncio.to_thread(tasks.call, "later", 5) == 5

    asyncio.run(main())


def test_info_tells_everything(hello: str) -> None:
    """Coordinates, docstring, place in the file; a module stands for its first task."""
    found = tasks.info(hello)
    assert (found.name, found.description, found.doc) == (f"{hello}.hello", "Say hello.", "With an exclamation\nmark.")
    assert (found.file, found.line, found.sort_value) == (sys.modules[hello].__file__, 7, 0)
    assert tasks.info(hello, "keywords").sort_value == -10
    assert tasks.get(hello, "hello") is sys.modules[hello].hello  # type: ignore[attr-defined]


def test_exists_and_funcs(hello: str) -> None:
    """What there is, in the order of registration."""
    assert tasks.exists(hello)
    assert tasks.exists(hello, "later")
    assert tasks.exists(f"{hello}.later")
    assert not tasks.exists(hello, "never")
    assert not tasks.exists("never")
    assert tasks.funcs(hello) == ["hello", "keywords", "later"]


def test_funcs_of_a_module_without_tasks(hello: str) -> None:
    """The error knows the modules that have some."""
    with pytest.raises(TaskNotFoundError, match=rf"no module with tasks is called 'x{hello}' .*mean '{hello}'"):
        tasks.funcs(f"x{hello}")


def test_modules_are_sorted_by_the_first_task(tmp_path: Path) -> None:
    """By its sort value, then in the order of registration."""
    head = "from aimm.tasks import register\n"
    files = {
        "a": head + "@register\ndef f(): ...\n",
        "b": head + "@register(sort_value=-10)\ndef f(): ...\n",
        "c": head + "@register(sort_value=10)\ndef f(): ...\n@register(sort_value=-99)\ndef g(): ...\n",
        "d": "x = 1\n",
    }
    plugins.initialize({"names": [], "directories": [directory(tmp_path, "sorted_plugin", **files)]})
    assert tasks.names("sorted_plugin") == ["b", "a", "c"]
    assert tasks.names() == ["sorted_plugin.b", "sorted_plugin.a", "sorted_plugin.c"]


def test_a_duplicate_is_refused(make_module: Make) -> None:
    """The first one stays; the module does not import."""
    name = make_module(SEED + "\n@pyplugs.register\ndef hello(): ...\n")
    with pytest.raises(DuplicateError, match=rf"the task '{name}\.hello' is already declared by module '{name}'"):
        importlib.import_module(name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sort_value": "first"}, "sort_value must be a whole number, not 'first'"),
        ({"outputs": 3}, "outputs must be a name or a list of different names, not 3"),
        ({"outputs": ["a", "a"]}, "outputs must be a name or a list of different names"),
        ({"state_cb_arg_name": "no name"}, "state_cb_arg_name must name an argument, not 'no name'"),
    ],
)
def test_wrong_arguments_of_register(arguments: dict[str, Any], message: str) -> None:
    """They are refused before anything is decorated."""
    with pytest.raises(DeclarationError, match=message):
        tasks.register(**arguments)


@pytest.mark.parametrize("thing", [3, "name", lambda: None])
def test_what_has_no_name_is_no_task(thing: Any) -> None:
    """A task is addressed by the name of its function."""
    with pytest.raises(DeclarationError, match=r"@register expects a function"):
        tasks.register(thing)


def test_an_unknown_task_lists_what_there_is(hello: str) -> None:
    """With the nearest name, and what to do when nothing was initialised."""
    with pytest.raises(TaskNotFoundError) as caught:
        tasks.call("helo")
    assert f"did you mean '{hello}.hello'?" in str(caught.value)
    assert "'aimm tasks list' shows what there is" in str(caught.value)
    assert "plugins are found by aimm.plugins.initialize()" in str(caught.value)


def test_an_unknown_task_of_a_manager_that_found_nothing(manager: plugins.PluginManager) -> None:
    """The message says which initialize finds plugins for it."""
    plugins.initialize()
    with pytest.raises(TaskNotFoundError, match=r"plugins are found by the initialize\(\) of this PluginManager, not"):
        tasks.find_task("hello", manager=manager)


def test_a_name_that_is_no_string(hello: str) -> None:
    """The message says what a name looks like."""
    with pytest.raises(TaskNotFoundError, match=r"a name is a string such as 'plugin\.module\.function', not int"):
        tasks.find_task(3)  # type: ignore[arg-type]


def test_the_end_of_two_names_is_a_conflict(make_module: Make) -> None:
    """The full name settles it."""
    first, second = (importlib.import_module(make_module(SEED)).__name__ for _ in range(2))
    with pytest.raises(TaskConflictError, match=rf"'hello' may be '{first}\.hello' or '{second}\.hello': write the fu"):
        tasks.call("hello", "x")
    assert tasks.call(f"{second}.hello", "x") == "Hello, x!"


def test_entry_points_load_when_one_of_their_tasks_is_used(site: FakeSite) -> None:
    """By module name, or by that of the entry point; the modules of a package load with it."""
    site.add("dist-hello", "2.1", {"aimm.tasks": {"greet": "hello_pack"}}, {"hello_pack.steps": SEED})
    plugins.initialize()
    assert "hello_pack.steps" not in sys.modules
    assert tasks.call("hello_pack.steps.hello", "x") == "Hello, x!"
    assert tasks.call("greet.steps.hello", "x") == "Hello, x!"
    source = tasks.find_task("hello").source
    assert (source.plugin, source.distribution, source.version) == ("greet", "dist-hello", "2.1")


def test_a_task_is_that_of_the_plugin_that_has_its_module(site: FakeSite) -> None:
    """Also if another plugin imported it first: artifacts and resuming go by the version."""
    importing = "from hello_own import hello\nfrom aimm.tasks import register\n@register\ndef again(): ...\n"
    site.add("dist-own", "1.1", {"aimm.tasks": {"own": "hello_own"}}, {"hello_own": SEED})
    site.add("dist-again", "2.2", {"aimm.tasks": {"again": "hello_again"}}, {"hello_again": importing})
    plugins.initialize()
    tasks.find_task("hello_again.again")
    versions = {name: tasks.find_task(f"hello_{name}").source.version for name in ("again.again", "own.hello")}
    assert versions == {"again.again": "2.2", "own.hello": "1.1"}


def test_the_end_of_a_name_loads_every_plugin_with_tasks(site: FakeSite) -> None:
    """Nobody could know otherwise that it fits one task only."""
    site.add("dist-hello", "1", {"aimm.tasks": {"greet": "hello_one"}}, {"hello_one": SEED})
    plugins.initialize()
    assert tasks.call("hello", "x") == "Hello, x!"


def test_tasks_come_back_after_unload_all(site: FakeSite) -> None:
    """Python executes a module once; its declarations are replayed."""
    site.add("dist-hello", "1", {"aimm.tasks": {"greet": "hello_two"}}, {"hello_two": SEED})
    plugins.initialize()
    tasks.call("hello_two.hello", "x")
    plugins.unload_all()
    assert not tasks.exists("hello_two.hello")
    plugins.initialize()
    assert tasks.call("hello_two.hello", "x") == "Hello, x!"


def test_managers_are_independent(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Each knows the tasks of its own plugins."""
    site.add("dist-hello", "1", {"aimm.tasks": {"greet": "hello_three"}}, {"hello_three": SEED})
    manager.initialize()
    found = tasks.find_task("hello_three.hello", manager=manager)
    assert tasks.call_task(found, ("x",), manager=manager) == "Hello, x!"
    assert f"{found.name}" in tasks.tasks(manager=manager)
    assert "aimm.JsonArtifactTask" in tasks.handlers(manager=manager)


def test_a_broken_plugin_is_reported_with_its_cause(site: FakeSite) -> None:
    """Asking for one of its tasks gives the original error; the others go on."""
    site.add("dist-bad", "3", {"aimm.tasks": {"bad": "bad_tasks"}}, {"bad_tasks": "import no_such_library\n" + SEED})
    site.add("dist-good", "1", {"aimm.tasks": {"good": "good_tasks"}}, {"good_tasks": SEED})
    plugins.initialize()
    with pytest.raises(PluginUnavailableError) as caught:
        tasks.call("bad_tasks.hello", "x")
    assert "plugin 'bad' (distribution dist-bad 3) failed" in str(caught.value)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    assert tasks.call("hello", "x") == "Hello, x!"
    with pytest.raises(TaskNotFoundError, match=r"plugin 'bad' .* may have declared it: ModuleNotFoundError"):
        tasks.call("never")
    assert tasks.names() == ["good_tasks"]
    with pytest.raises(PluginUnavailableError):
        tasks.exists("bad_tasks")


def test_a_broken_directory_is_loud_and_explained(tmp_path: Path) -> None:
    """The configuration names it, so initialize raises; and so does each use of its names."""
    folder = directory(tmp_path, "broken_plugin", good=SEED, bad="1 / 0\n")
    with pytest.raises(PluginLoadError, match="ZeroDivisionError"):
        plugins.initialize({"names": [], "directories": [folder]})
    with pytest.raises(PluginUnavailableError, match="ZeroDivisionError") as caught:
        tasks.call("broken_plugin.good.hello", "x")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_directories_with_equal_files_do_not_collide(tmp_path: Path) -> None:
    """Each is a package of its own; the module search path stays as it was."""
    before = list(sys.path)
    body = "from aimm.tasks import register\n@register\ndef who() -> str:\n    return __name__\n"
    conf = [directory(tmp_path / f"in_{name}", name, steps=body) for name in ("plugin_a", "plugin_b")]
    plugins.initialize({"names": [], "directories": conf})
    assert tasks.call("plugin_a.steps.who") == "plugin_a.steps"
    assert tasks.call("plugin_b.steps.who") == "plugin_b.steps"
    assert sys.path == before


@pytest.mark.parametrize("name", ["class", "a-b", "1a"])
def test_the_name_of_a_directory_is_a_module_name(tmp_path: Path, name: str) -> None:
    """A keyword, a hyphen and a leading digit cannot be imported."""
    with pytest.raises(PluginLoadError, match="must be named like a Python module"):
        plugins.initialize({"names": [], "directories": [directory(tmp_path, name, steps=SEED)]})


def test_the_name_of_a_directory_is_its_own(tmp_path: Path) -> None:
    """Two folders of one name cannot both be imported; the error names both."""
    conf = [directory(tmp_path / parent, "twin_plugin", steps=SEED) for parent in ("one", "two")]
    with pytest.raises(PluginLoadError, match="two plugin directories are named 'twin_plugin'"):
        plugins.initialize({"names": [], "directories": conf})


def test_a_directory_leaves_a_module_of_its_name_alone(tmp_path: Path) -> None:
    """What can be imported already is not hidden by a plugin."""
    with pytest.raises(PluginLoadError, match=r"a module named 'json' exists already; rename the plugin directory"):
        plugins.initialize({"names": [], "directories": [directory(tmp_path, "json", steps=SEED)]})


def test_a_module_named_in_the_configuration(make_module: Make) -> None:
    """Its tasks are there after initialize."""
    name = make_module(SEED)
    plugins.initialize({"names": [name]})
    assert tasks.call(f"{name}.hello", "x") == "Hello, x!"


def test_safe_mode_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without third-party plugins, an unknown name is explained by that."""
    monkeypatch.setenv("AIMM_SAFE_MODE", "1")
    plugins.initialize()
    with pytest.raises(TaskNotFoundError, match="AIMM_SAFE_MODE is on"):
        tasks.call("any.task.here")
