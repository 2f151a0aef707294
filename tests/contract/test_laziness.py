"""What is not used is not imported: neither heavy libraries nor plugins. Each check runs in a fresh interpreter."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pluggy
import pytest

from support import FakeSite, class_source, model_source

HEAVY = {
    *("pluggy", "jsonschema", "importlib_metadata", "importlib.metadata", "click", "rich", "yaml", "logging"),
    *("dataclasses", "inspect", "json", "asyncio", "hashlib", "tomllib", "traceback", "numpy"),
}


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


def test_importing_the_package_imports_nothing_heavy() -> None:
    """``import aimm.plugins`` loads none of the libraries that only some calls need."""
    assert not imported("import aimm.plugins") & HEAVY


def test_importing_the_package_imports_no_sister() -> None:
    """Nor does it load the store or the command line."""
    assert not {name for name in imported("import aimm.plugins") if name.startswith(("aimm.store", "aimm.cli"))}


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


def test_hookimpl_brings_pluggy() -> None:
    """Pluggy comes with ``hookimpl``, for whoever writes or uses hooks."""
    assert "pluggy" in imported("from aimm.plugins import hookimpl", Path(pluggy.__file__).parents[1])
