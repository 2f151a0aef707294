"""The cached index in real environments: whatever pip or an editor does, the next process knows it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from environments import Environment, make_environment, make_wheel
from support import EntryPoints, entry_points_text

FIND = """
    import sys
    from aimm import plugins
    report = plugins.initialize()
    found = plugins.default_manager.discover().contenders("aimm.models", sys.argv[1])
    print(*(f"{c.distribution} {c.version} {c.value}" for c in found), "aimm.plugins._scan" in sys.modules, sep="\\n")
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, base: Path, aimm_wheel: Path) -> Environment:
    """An environment for all tests here, each with a distribution of its own."""
    folder = tmp_path_factory.mktemp("index")
    made = make_environment(folder / "venv", base, aimm_wheel)
    made.variables["XDG_CACHE_HOME"] = str(folder / "cache")
    return made


@pytest.fixture
def wheel(tmp_path: Path) -> Callable[..., Path]:
    """Makes a wheel that declares one model type: ``wheel(name, version, value)``."""

    def make(name: str, version: str = "1.0", value: str = "one") -> Path:
        folder = tmp_path / f"{version}-{value}"
        folder.mkdir(exist_ok=True)
        return make_wheel(folder, name, version, points(name, value))

    return make


def points(name: str, value: str) -> EntryPoints:
    return {"aimm.models": {f"type.{name}": value}}


def found(environment: Environment, name: str) -> list[str]:
    """Who declares ``type.<name>``; looked up by name, listed by Python and by the command line: all must agree."""
    done = environment.run_python(FIND, f"type.{name}")
    assert (done.code, done.err) == (0, "")
    *lines, _ = done.out.splitlines()
    listed = environment.aimm("plugins", "list", "--json")
    rows = [row for row in json.loads(listed.out) if row["name"] == f"type.{name}"]
    assert [f"{row['distribution']} {row['version']} {row['value']}" for row in rows] == lines
    return lines


def warm(environment: Environment, name: str) -> None:
    """Wait until the index can be kept, and see that it is: another process finds a name and reads no distribution."""
    time.sleep(2.1)
    environment.aimm("plugins", "list")  # another search path than that of run_python, so another file
    scanning = [environment.run_python(FIND, f"type.{name}").out.splitlines()[-1] for _ in range(2)]
    assert scanning[-1] == "False"


def test_install_upgrade_reinstall_uninstall(shared: Environment, wheel: Callable[..., Path]) -> None:
    """Each is known to the next process, be the index warm or not; two upgrades in one second as well."""
    shared.install(wheel("other"))
    warm(shared, "other")
    assert found(shared, "life") == []
    shared.install(wheel("life"))
    assert found(shared, "life") == ["life 1.0 one"]
    warm(shared, "life")
    for version in ("2.0", "3.0"):
        shared.pip("install", "--no-deps", "--no-index", "--upgrade", wheel("life", version))
        assert found(shared, "life") == [f"life {version} one"]
    warm(shared, "life")
    shared.pip("install", "--no-deps", "--no-index", "--force-reinstall", wheel("life", "3.0", "two"))
    assert found(shared, "life") == ["life 3.0 two"]
    warm(shared, "life")
    shared.uninstall("life")
    assert found(shared, "life") == []


def test_an_entry_point_edited_by_hand(shared: Environment, wheel: Callable[..., Path]) -> None:
    """The folder on the search path does not change by that, only the file."""
    shared.install(wheel("edited"))
    warm(shared, "edited")
    file = shared.site / "edited-1.0.dist-info" / "entry_points.txt"
    file.write_text(entry_points_text(points("edited", "two")))
    assert found(shared, "edited") == ["edited 1.0 two"]
    file.write_text(entry_points_text(points("renamed", "two")))
    assert found(shared, "edited") == []
    assert found(shared, "renamed") == ["edited 1.0 two"]


def test_an_editable_install(shared: Environment, wheel: Callable[..., Path], tmp_path: Path) -> None:
    """Installed, and installed again after its ``pyproject.toml`` changed."""
    project = tmp_path / "live"
    project.mkdir()
    (project / "live_mod.py").touch()
    for value in ("live_mod", "live_mod:other"):
        (project / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
            '[project]\nname = "live"\nversion = "1.0"\n[tool.setuptools]\npy-modules = ["live_mod"]\n'
            f'[project.entry-points."aimm.models"]\n"type.live" = "{value}"\n'
        )
        shared.install_editable(project)
        assert found(shared, "live") == [f"live 1.0 {value}"]
        warm(shared, "live")
    shared.uninstall("live")
    assert found(shared, "live") == []


def test_archives_and_pythonpath(shared: Environment, wheel: Callable[..., Path], tmp_path: Path) -> None:
    """A wheel on ``PYTHONPATH`` counts as long as it is there."""
    shared.install(wheel("here"))
    warm(shared, "here")
    shared.variables["PYTHONPATH"] = str(wheel("path"))
    try:
        assert found(shared, "path") == ["path 1.0 one"]
        warm(shared, "path")
        shared.variables["PYTHONPATH"] = str(wheel("path", "2.0"))
        assert found(shared, "path") == ["path 2.0 one"]
    finally:
        del shared.variables["PYTHONPATH"]
    assert found(shared, "path") == []


def test_two_environments_share_a_home(
    shared: Environment, venv: Environment, wheel: Callable[..., Path], tmp_path: Path
) -> None:
    """Each knows its own plugins, also where both have written their index."""
    venv.variables["XDG_CACHE_HOME"] = shared.variables["XDG_CACHE_HOME"]
    shared.install(wheel("twin", "1.0"))
    venv.install(wheel("twin", "2.0"))
    for _ in range(2):
        warm(shared, "twin")
        warm(venv, "twin")
        assert found(shared, "twin") == ["twin 1.0 one"]
        assert found(venv, "twin") == ["twin 2.0 one"]
    venv.uninstall("twin")
    assert (found(shared, "twin"), found(venv, "twin")) == (["twin 1.0 one"], [])
