"""What is not used is not imported: neither heavy libraries nor plugins. Each check runs in a fresh interpreter."""

import functools
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pluggy
import pytest

from support import FakeSite, class_source, model_source

HEAVY = {
    *("pluggy", "jsonschema", "importlib_metadata", "importlib.metadata", "click", "rich", "yaml", "logging"),
    *("dataclasses", "inspect", "json", "asyncio", "hashlib", "tomllib", "traceback", "numpy", "difflib", "threading"),
    *("subprocess", "pathlib", "tempfile", "multiprocessing", "sqlite3"),
}

PACKAGE = {
    *("aimm", "aimm._types", "aimm.errors", "aimm.plugins"),
    *("aimm.plugins._cache", "aimm.plugins._calls", "aimm.plugins._config", "aimm.plugins._decorators"),
    *("aimm.plugins._discovery", "aimm.plugins._execute", "aimm.plugins._finder", "aimm.plugins._index"),
    *("aimm.plugins._manager", "aimm.plugins._model", "aimm.plugins._plugin_set", "aimm.plugins._registry"),
    *("aimm.plugins._report", "aimm.plugins._routes"),
}
"""What ``import aimm.plugins`` loads of ours; finding a name in a cached index loads nothing else."""
LOADING = {"aimm.plugins._loader", "aimm.plugins._directories", "aimm.plugins._isolation"}
"""What loading a plugin adds."""
STANDARD = {
    *("abc", "binascii", "collections", "contextlib", "contextvars", "copyreg", "enum", "functools", "genericpath"),
    *("itertools", "keyword", "operator", "os", "posixpath", "ntpath", "re", "reprlib", "stat", "types", "typing"),
    *("warnings", "weakref", "annotationlib"),
}
"""What ``import aimm.plugins`` may load of the standard library, private modules apart."""

CLI = {"aimm", "aimm.errors", "aimm.errors._plugins", "aimm.cli"} | {
    f"aimm.cli._{name}" for name in ("app", "lazy", "session")
}
LIST = PACKAGE | CLI | {"aimm.cli._names", "aimm.cli._options", "aimm.cli._plugins"}
TYPES = PACKAGE | CLI | {"aimm.cli._names", "aimm.cli._options", "aimm.cli._types"}
STORED = {f"aimm.cli._{name}" for name in ("arguments", "progress", "references")} | {"aimm.store"}
FILES = {"aimm.errors._store"} | {
    f"aimm.store._{name}" for name in ("atomic", "disk", "example", "file", "layout", "policy", "versions")
}
"""What a model file needs of the store; a store of many needs its index as well, and that a database."""
MODELS = (
    PACKAGE
    | CLI
    | STORED
    | {"aimm.errors._store"}
    | {f"aimm.cli._{name}" for name in ("executors", "models", "names", "results")}
)
STORE = PACKAGE | CLI | STORED | {"aimm.errors._store", "aimm.cli._options", "aimm.cli._store"}
STORE |= {f"aimm.store._{name}" for name in ("atomic", "disk", "objects")}
INDEX = FILES | {f"aimm.store._{name}" for name in ("index", "store")}

COMMANDS: dict[str, tuple[set[str], set[str]]] = {
    "--help": (CLI, set()),
    "--version": (CLI, set()),
    "plugins --help": (LIST, set()),
    "plugins list": (LIST, set()),
    "plugins list --json": (LIST, {"json"}),
    "plugins show a": (LIST, set()),
    "plugins doctor --help": (LIST, set()),
    "plugins schema": (LIST | {"aimm.plugins._document"}, {"json"}),
    "types list": (TYPES, set()),
    "types show a": (TYPES | LOADING | {"aimm.plugins._signature"}, {"lazy_a"}),
    "fit --help": (MODELS, {"json"}),
    "predict --help": (MODELS, {"json"}),
    "models --help": (STORE, {"json"}),
    "models save --help": (STORE, {"json"}),
    "models list --store none": (STORE | INDEX, {"dataclasses", "hashlib", "json", "sqlite3"}),
    "completion bash": (CLI | {"aimm.cli._completion"}, {"subprocess"}),
}
"""For each command every module of ours that it loads, and what else it loads beyond click and what click needs: of the
heavy modules above, of other libraries, and of plugins. A new command gets a line here."""


def run(source: str, *folders: Path) -> str:
    """What a script prints in a new interpreter that finds ``aimm`` and these folders, and nothing installed."""
    import aimm

    path = [str(Path(aimm.__file__).parents[1]), *map(str, folders)]
    head = f"import sys\nsys.path[:0] = {path!r}\nbare = set(sys.modules)\n"
    command = [sys.executable, "-I", "-S", "-c", head + textwrap.dedent(source)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AIMM_", "PYTHON", "COV_"))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(source: str, *folders: Path) -> set[str]:
    """The modules that a script imports beyond those of a bare interpreter."""
    return set(run(textwrap.dedent(source) + "\nprint(*sorted(set(sys.modules) - bare))", *folders).split())


def test_importing_the_package_imports_these_modules_only() -> None:
    """``import aimm.plugins`` loads exactly these of ours, no library, and little of the standard one."""
    modules = imported("import aimm.plugins")
    assert {name for name in modules if name.partition(".")[0] == "aimm"} == PACKAGE
    others = {name.partition(".")[0] for name in modules - PACKAGE}
    assert {name for name in others if not name.startswith("_")} <= STANDARD


def test_declaring_and_calling_imports_nothing_heavy() -> None:
    """Decorators and ``exec_*`` without wrappers need no library either."""
    source = """
        from aimm import plugins
        plugins.initialize({"names": []})
        plugins.fit(["x"])(lambda instance, y: instance)
        plugins.exec_fit("x", 1, None, 2)
        plugins.route("x").fit(1, None, 2)
    """
    assert not imported(source) & HEAVY


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    """A site with two model types and a data access."""
    made = FakeSite(tmp_path / "site")
    points = {"aimm.models": {"a": "lazy_a", "b": "lazy_b:Forest"}, "aimm.data_access": {"d": "lazy_d:fetch"}}
    modules = {"lazy_a": model_source("a"), "lazy_b": class_source(), "lazy_d": "def fetch(): return 1\n"}
    made.add("lazy", entry_points=points, modules=modules)
    return made


LISTING = """
    from aimm import plugins
    plugins.initialize()
    assert [owner.name for owner in plugins.owners()] == ["a", "b"]
    assert [owner.name for owner in plugins.owners("data access")] == ["d"]
    assert len(plugins.default_manager.candidates()) == 3
"""


def test_a_cached_index_needs_no_reader(site: FakeSite) -> None:
    """Finding names in it and listing them loads nothing beyond ``aimm.plugins``."""
    source = (
        LISTING
        + """
    assert len(plugins.discover().contenders("aimm.models", "lazy_b.Forest")) == 1
"""
    )
    time.sleep(2.1)  # what changed just now is not kept
    assert imported(source, site.path) & {"aimm.plugins._scan", *HEAVY} == {"aimm.plugins._scan"}
    assert {name for name in imported(source, site.path) if name.partition(".")[0] == "aimm"} == PACKAGE


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_these_modules_only(site: FakeSite, command: str) -> None:
    """Exactly these of ours; of plugins and libraries only what the command cannot do without."""
    time.sleep(2.1)
    ours, expected = COMMANDS[command]
    for _ in range(2):  # the first one fills the cache
        modules = commands_import([command.split()], site)
    assert {name for name in modules if name.partition(".")[0] == "aimm"} == ours
    assert notable(modules) == expected


def test_help_needs_no_library(site: FakeSite) -> None:
    """Neither that of any command nor a command that is added later."""
    from aimm.cli._app import root

    modules = commands_import([[*words, "--help"] for words in _command_words(root)], site)
    assert {name for name in notable(modules) if not _is_standard(name)} == set()


def commands_import(commands: list[list[str]], site: FakeSite) -> set[str]:
    """The modules that a process has which runs these commands."""
    source = f"""
        import sys
        sys.path.insert(0, {str(site.path)!r})
        bare = set(sys.modules)
        from aimm.cli import main
        for command in {commands!r}:
            assert main(command) == 0, command
        print("\\n@", *(set(sys.modules) - bare))
    """
    command = [sys.executable, "-P", "-c", textwrap.dedent(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("@")[2].split())


def notable(modules: set[str]) -> set[str]:
    """Heavy modules, and the libraries and plugins, without click and what it needs."""
    click = commands_of_click()
    libraries = {name.partition(".")[0] for name in modules if not _is_standard(name)} - {"aimm", "click"}
    return (modules & HEAVY | libraries) - click


@functools.cache
def commands_of_click() -> set[str]:
    source = "import click.shell_completion, sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", source], capture_output=True, text=True).stdout.split()) - {
        "subprocess"
    }


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in {*sys.stdlib_module_names, "__mp_main__"}


def _command_words(group: click.Group) -> Iterator[list[str]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield [name]
        if isinstance(command, click.Group):
            yield from ([name, *words] for words in _command_words(command))


def test_listing_imports_no_plugin(site: FakeSite) -> None:
    """``initialize`` and listing know every name without importing what is behind it, nor anything heavy."""
    modules = imported(LISTING, site.path)
    assert not modules & {"lazy_a", "lazy_b", "lazy_d"}
    assert not modules & HEAVY


def test_looking_up_a_name_imports_its_owner_alone(site: FakeSite) -> None:
    """A route or call of one model type imports the module of its owner and no other."""
    modules = imported(LISTING + "    plugins.route('a').predict(0)\n", site.path)
    assert modules & {"lazy_a", "lazy_b", "lazy_d"} == {"lazy_a"}
    assert "pluggy" not in modules


def test_an_error_about_an_unknown_name_imports_no_plugin(site: FakeSite) -> None:
    """A misspelt name is answered from what is declared."""
    source = (
        LISTING + "    try: plugins.exec_fit('c', 0)\n    except LookupError as error: assert 'known' in str(error)\n"
    )
    assert not imported(source, site.path) & {"lazy_a", "lazy_b", "lazy_d"}


def test_a_plugin_loads_only_itself(tmp_path: Path) -> None:
    """Among fifty, of which one takes its time and one raises: the same modules as where it is alone."""
    crowd, alone = FakeSite(tmp_path / "crowd"), FakeSite(tmp_path / "alone")
    for number in range(50):
        body = {7: "import time\ntime.sleep(5)\n", 8: "raise ValueError\n"}.get(number, "")
        source = body + model_source(f"m{number}", before=f"import helper{number}")
        for site in (crowd, alone) if number == 9 else (crowd,):
            modules = {f"plugin{number}": source, f"helper{number}": ""}
            site.add(f"d{number}", entry_points={"aimm.models": {f"m{number}": f"plugin{number}"}}, modules=modules)
    script = """
        from aimm import plugins
        plugins.initialize()
        assert plugins.exec_predict("m9", [], None, 1)[1] == ("plugin9", (1,), {})
    """
    modules = imported(script, crowd.path)
    assert modules == imported(script, alone.path)
    assert {name for name in modules if name.startswith(("plugin", "helper"))} == {"plugin9", "helper9"}


def test_hookimpl_brings_pluggy() -> None:
    """Pluggy comes with ``hookimpl``, for whoever writes or uses hooks."""
    assert "pluggy" in imported("from aimm.plugins import hookimpl", Path(pluggy.__file__).parents[1])
