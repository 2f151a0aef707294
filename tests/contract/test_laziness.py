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

from aimm.cli._app import root
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


def cli(*names: str) -> set[str]:
    """Modules of the command line that look into the index, these among them."""
    return PACKAGE | CLI | {f"aimm.cli._{name}" for name in names}


LIST = cli("names", "options", "plugins")
TYPES = cli("names", "options", "types")
LOADED = {*LOADING, "aimm.plugins._signature"}
ENVIRONMENT = LIST | cli("environment", "progress")
STORE = {"aimm.store", "aimm.errors._store"}
WRITING = {"aimm.store._atomic", "aimm.store._disk"}
MODELS = cli("arguments", "executors", "models", "names", "progress", "references", "results") | STORE
KEPT = cli("arguments", "options", "progress", "references", "store") | STORE | WRITING
KEPT |= {"aimm.store._objects"}
TASKS = CLI | {"aimm.cli._options", "aimm.cli._tasks"}
TRAIN = cli("options", "train") | {"aimm.train", "aimm.train._group", "aimm.errors._train"}
NEW = LIST | {"aimm.cli._new", "aimm.scaffold.*", "aimm.errors._extras", "aimm.errors._scaffold"}
EXAMINED = {
    "importlib_metadata",
    "lazy_importer",
    "logging",
    "packaging",
    "pathlib",
    "subprocess",
    "tempfile",
    "traceback",
    "zipp",
}
EXAMINE = ENVIRONMENT | STORE | WRITING | {"aimm.cli._doctor", "aimm.environment.*", "aimm.errors._environment"}

HELP: dict[str, tuple[set[str], set[str]]] = {
    "": (CLI, set()),
    "completion": (CLI | {"aimm.cli._completion"}, set()),
    "fit": (MODELS, {"json"}),
    "graph": (cli("executors", "graph", "options"), {"pathlib"}),
    "models": (KEPT, {"json"}),
    "plugins": (LIST, set()),
    "plugins check": (LIST | cli("check", "progress"), set()),
    "plugins freeze": (ENVIRONMENT, set()),
    "plugins install": (ENVIRONMENT, set()),
    "plugins new": (NEW, {"json", "pathlib", "tempfile"}),
    "plugins restore": (ENVIRONMENT, set()),
    "plugins uninstall": (ENVIRONMENT, set()),
    "plugins verify": (ENVIRONMENT, set()),
    "predict": (MODELS, {"json"}),
    "runs": (CLI | {"aimm.cli._options", "aimm.cli._runs"}, set()),
    "tasks": (TASKS, {"pathlib"}),
    "train": (TRAIN, set()),
    "types": (TYPES, set()),
}
"""What the help of a command may load, and of those below it that have no line of their own: modules of ours (``.*``
stands for all of a package), and what else beyond click and what click needs, of the heavy modules above and of
libraries. A new command gets a line here."""

COMMANDS: dict[str, tuple[set[str], set[str]]] = {
    "--version": (CLI, set()),
    "plugins list": (LIST, set()),
    "plugins list --json": (LIST, {"json"}),
    "plugins show a": (LIST, set()),
    "plugins doctor": (EXAMINE, EXAMINED | {"dataclasses", "hashlib", "json", "tomllib"}),
    "plugins schema": (LIST | {"aimm.plugins._document"}, {"json"}),
    "types list": (TYPES, set()),
    "types show a": (TYPES | LOADED, {"lazy_a"}),
    "models list": (KEPT | {"aimm.store.*"}, {"dataclasses", "hashlib", "json", "sqlite3"}),
    "train list": (TRAIN | {"aimm.train.*", "aimm.errors._extras"}, {"dataclasses", "hashlib", "pathlib"}),
    "completion bash": (CLI | {"aimm.cli._completion"}, {"subprocess"}),
}
"""The same for commands that run."""

COMPLETED: dict[str, tuple[set[str], set[str]]] = {
    "aimm plugins show ": (LIST, set()),
    "aimm types show ": (TYPES, set()),
    "aimm fit ": (MODELS, {"json"}),
    "aimm fit a --data ": (MODELS, {"json"}),
    "aimm train ": (TRAIN, set()),
}
"""The same for names that a shell completes: what declares them is read from the index, and no plugin is imported."""


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
    return make_site(tmp_path)


def make_site(folder: Path) -> FakeSite:
    made = FakeSite(folder / "site")
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


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> FakeSite:
    """The same site, with its index in a cache beside it."""
    made = make_site(tmp_path_factory.mktemp("settled"))
    time.sleep(2.1)  # what changed just now is not kept
    commands_import(made, ["plugins", "list"])
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_these_modules_only(settled: FakeSite, command: str) -> None:
    """Of plugins and libraries only what the command cannot do without."""
    assert_within(settled_import(settled, command.split()), *COMMANDS[command])


@pytest.mark.parametrize("family", HELP)
def test_help_imports_these_modules_only(settled: FakeSite, family: str) -> None:
    """No plugin, no library, and of ours what the options need; every command stands in the table."""
    words = [each for each in _command_words(root) if _family(each) == family] if family else [[]]
    assert words, f"no command {family!r}: remove its line"
    assert_within(commands_import(settled, *([*each, "--help"] for each in words)), *HELP[family])


def test_every_command_has_a_line() -> None:
    """A new one is pinned from its first day."""
    assert [" ".join(words) for words in _command_words(root) if not _family(words)] == []


@pytest.mark.parametrize("words", COMPLETED)
def test_completing_names_reads_the_index_only(settled: FakeSite, words: str) -> None:
    """Names are completed at the price of the index, whatever is installed."""
    variables = {"_AIMM_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    assert_within(settled_import(settled, [], **variables), *COMPLETED[words])


def assert_within(modules: set[str], ours: set[str], others: set[str]) -> None:
    """Nothing beyond these was imported."""
    packages = tuple(name[:-1] for name in ours if name.endswith(".*"))
    loaded = {name for name in modules if name.partition(".")[0] == "aimm" and not f"{name}.".startswith(packages)}
    assert (loaded - ours, notable(modules) - others) == (set(), set())


def settled_import(site: FakeSite, *commands: list[str], **variables: str) -> set[str]:
    """The same once the index is kept: it is read anew for two seconds after the path, or the clock, has changed."""
    found = commands_import(site, *commands, **variables)
    for _ in range(2):
        if "aimm.plugins._scan" in found:
            time.sleep(2.1)
            found = commands_import(site, *commands, **variables)
    return found


def commands_import(site: FakeSite, *commands: list[str], **variables: str) -> set[str]:
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
    # A module that leaves bytecode beside itself changes the site, whose index would be read anew for two seconds.
    quiet = {"XDG_CACHE_HOME": str(site.path.parent / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **quiet, **variables}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
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


def _family(words: list[str]) -> str:
    """The longest line of the table that a command stands under."""
    return next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in HELP), "")


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
