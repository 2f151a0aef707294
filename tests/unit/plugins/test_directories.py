import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aimm import plugins
from aimm.errors import DeclarationError, PluginLoadError
from aimm.plugins._directories import DirectoryFinder, check_folder, directories, module_names
from support import FakeSite, model_source, unique_name

MakeFolder = Callable[..., Path]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Write a plugin directory: ``make_folder({"file": source}, name=None)``."""

    def make(files: dict[str, str], name: str | None = None) -> Path:
        folder = tmp_path / "plugin_folders" / (name or unique_name("folder"))
        for file, source in files.items():
            FakeSite(folder).module(file, source)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    return make


def initialize(manager: plugins.PluginManager, *folders: Path) -> plugins.Report:
    return manager.initialize({"names": [], "directories": [str(folder) for folder in folders]})


def test_every_module_of_a_directory_is_loaded(manager: plugins.PluginManager, make_folder: MakeFolder) -> None:
    """In the order of their names; each may declare plugins."""
    folder = make_folder({"b": model_source("mb"), "a": model_source("ma")})
    (loaded,) = initialize(manager, folder).loaded
    assert (loaded.group, loaded.name, loaded.path) == ("directories", folder.name, str(folder))
    assert manager.exec_predict("ma", [], None)[1][0] == f"{folder.name}.a"
    assert manager.exec_predict("mb", [], None)[1][0] == f"{folder.name}.b"


def test_sys_path_stays_as_it_was(manager: plugins.PluginManager, make_folder: MakeFolder) -> None:
    """The directory is importable beside it."""
    before = [*sys.path]
    initialize(manager, make_folder({"a": model_source("m")}))
    assert sys.path == before


@pytest.mark.parametrize(
    "line", ["from . import helper", "from {name} import helper", "import {name}.helper as helper"]
)
def test_siblings_may_import_each_other(manager: plugins.PluginManager, make_folder: MakeFolder, line: str) -> None:
    """Relative and absolute."""
    name = unique_name("folder")
    source = model_source("m", before=line.format(name=name), after="fit.where = helper.WHERE")
    initialize(manager, make_folder({"a": source, "helper": "WHERE = __name__"}, name))
    assert sys.modules[f"{name}.a"].fit.where == f"{name}.helper"


def test_siblings_may_be_imported_late(manager: plugins.PluginManager, make_folder: MakeFolder) -> None:
    """In the middle of a call, from anywhere."""
    source = (
        "from aimm import plugins\n@plugins.fit(['m'])\ndef fit(i):\n    from . import _late\n    return _late.VALUE\n"
    )
    initialize(manager, make_folder({"a": source, "_late": "VALUE = 5"}))
    assert manager.exec_fit("m", None) == 5


def test_modules_with_an_underscore_are_no_plugins_themselves(make_folder: MakeFolder) -> None:
    """Nor are files that no import statement could name, nor other files, nor folders."""
    folder = make_folder({"b": "", "a": "", "_private": "", "not-a-name": "", "sub.deep": ""})
    (folder / "data.txt").touch()
    assert module_names(str(folder), "p") == ["p.a", "p.b"]


def test_an_empty_directory_is_no_error(manager: plugins.PluginManager, make_folder: MakeFolder) -> None:
    """There is nothing to load."""
    assert len(initialize(manager, make_folder({})).loaded) == 1


def test_an_init_file_is_executed(manager: plugins.PluginManager, make_folder: MakeFolder) -> None:
    """The directory is a package then; what it declares counts."""
    initialize(manager, make_folder({"__init__": model_source("m"), "a": ""}))
    assert manager.exec_fit("m", [1]) == [1, ((), {})]


def test_a_directory_without_an_init_file_is_a_package_like_any_other(make_folder: MakeFolder) -> None:
    """Tools that look at packages can look at it."""
    folder = make_folder({"a": "VALUE = 1"})
    package = importlib.import_module(directories.add(str(folder)))
    assert [module.name for module in pkgutil.iter_modules(package.__path__)] == ["a"]
    assert importlib.reload(package) is package
    assert inspect.getdoc(package) is None
    assert package.__spec__.loader.get_source(folder.name) == ""


def test_errors_in_a_module_name_its_file(manager: plugins.PluginManager, make_folder: MakeFolder) -> None:
    """And none of the directory's modules is registered."""
    folder = make_folder({"a": model_source("ma"), "b": "1 / 0"})
    with pytest.raises(PluginLoadError) as caught:
        initialize(manager, folder)
    (failure,) = caught.value.failures
    assert (failure.plugin, failure.stage, failure.file) == (folder.name, "import", f"{folder / 'b.py'}:1")
    assert failure.cause == "ZeroDivisionError: division by zero"
    assert manager.owners() == []


def test_a_repaired_directory_loads_at_the_next_try(manager: plugins.PluginManager, make_folder: MakeFolder) -> None:
    """The modules that were imported by the first try are registered too."""
    folder = make_folder({"a": model_source("ma"), "b": "1 / 0"})
    with pytest.raises(PluginLoadError):
        initialize(manager, folder)
    make_folder({"b": model_source("mb")}, folder.name)
    initialize(manager, folder)
    assert {owner.name for owner in manager.owners()} == {"ma", "mb"}


def test_a_missing_directory_is_loud(manager: plugins.PluginManager, tmp_path: Path) -> None:
    """The configuration names it."""
    with pytest.raises(PluginLoadError, match=r"the plugin directory .*absent does not exist or is no folder"):
        initialize(manager, tmp_path / "absent")


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    """Same message."""
    (tmp_path / "file").touch()
    with pytest.raises(DeclarationError, match="does not exist or is no folder"):
        check_folder(str(tmp_path / "file"))


@pytest.mark.parametrize("name", ["my-plugins", "1st", "class", "a.b", "with space"])
def test_a_directory_needs_the_name_of_a_module(make_folder: MakeFolder, name: str) -> None:
    """Otherwise nothing could import from it."""
    folder = make_folder({}, name="x").rename(make_folder({}).parent / name)
    with pytest.raises(DeclarationError, match=f"must be named like a Python module .* not '{name}'"):
        check_folder(str(folder))


@pytest.mark.parametrize("imported", [False, True])
def test_a_directory_may_lie_on_the_module_search_path(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, imported: bool
) -> None:
    """Its parent is on ``sys.path`` when it lies beside the program: the module found is the directory itself."""
    folder = make_folder({"one": "X = 1"})
    monkeypatch.syspath_prepend(str(folder.parent))
    if imported:
        importlib.import_module(folder.name)
    assert directories.add(str(folder)) == folder.name
    assert importlib.import_module(f"{folder.name}.one").X == 1


@pytest.mark.parametrize("name", ["json", "aimm", "this"])
def test_a_directory_cannot_take_the_name_of_another_module(make_folder: MakeFolder, name: str) -> None:
    """Imported already or not: who imports that name means the other one."""
    with pytest.raises(DeclarationError, match=f"a module named '{name}' exists already; rename the plugin directory"):
        DirectoryFinder().add(str(make_folder({}, name)))


def test_two_directories_of_one_name_cannot_both_be_imported(make_folder: MakeFolder, tmp_path: Path) -> None:
    """The message names both."""
    folder = make_folder({})
    twin = tmp_path / "elsewhere" / folder.name
    twin.mkdir(parents=True)
    directories.add(str(folder))
    with pytest.raises(
        DeclarationError, match=f"two plugin directories are named '{folder.name}': {folder} and {twin}"
    ):
        directories.add(str(twin))


def test_one_directory_may_be_added_twice(make_folder: MakeFolder, tmp_path: Path) -> None:
    """Also under another spelling of its path; one finder serves all."""
    folder = make_folder({"a": ""})
    link = tmp_path / "link"
    link.symlink_to(folder.parent)
    names = {
        directories.add(str(path)) for path in (folder, f"{folder}/", folder / ".." / folder.name, link / folder.name)
    }
    importlib.import_module(f"{folder.name}.a")
    assert names == {directories.add(str(folder))} == {folder.name}
    assert sys.meta_path.count(directories) == 1


def test_the_finder_answers_for_nothing_else(make_folder: MakeFolder) -> None:
    """Other modules, missing files and deeper packages are none of its business."""
    folder = make_folder({"a": ""})
    directories.add(str(folder))
    names = ["json", f"{folder.name}.absent", f"{folder.name}.a.b", f"{folder.name}x"]
    assert [directories.find_spec(name) for name in names] == [None] * 4


def test_several_managers_share_a_directory(make_folder: MakeFolder) -> None:
    """Each registers what it declares."""
    folder = make_folder({"a": model_source("m")})
    for manager in (plugins.PluginManager(), plugins.PluginManager()):
        initialize(manager, folder)
        assert manager.exec_fit("m", []) == [((), {})]


def test_directories_load_again_after_unload_all(manager: plugins.PluginManager, make_folder: MakeFolder) -> None:
    """As modules do."""
    folder = make_folder({"a": model_source("m")})
    initialize(manager, folder)
    manager.unload_all()
    initialize(manager, folder)
    assert manager.exec_fit("m", []) == [((), {})]


def test_a_directory_beside_the_program_is_found_there_already(
    manager: plugins.PluginManager, make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its parent on ``sys.path`` it is a namespace package, which is no other module."""
    folder = make_folder({"a": model_source("m")})
    monkeypatch.syspath_prepend(str(folder.parent))
    initialize(manager, folder)
    assert manager.exec_fit("m", []) == [((), {})]


def test_a_module_without_a_specification_is_another_module(make_folder: MakeFolder) -> None:
    """Such as ``__main__``, which cannot be looked up."""
    with pytest.raises(DeclarationError, match="a module named '__main__' exists already"):
        DirectoryFinder().add(str(make_folder({}, "__main__")))
