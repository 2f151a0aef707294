"""Projects are built and installed with what they need, also in the layout with requirements files."""

import subprocess
from pathlib import Path

import pytest

from aimm.environment import UninstallPlan, UninstallRequest, freeze, restore_request, verify
from environments import make_wheel
from places import Place, entry_points

BACKEND = """
import glob, shutil

def build_wheel(folder, config_settings=None, metadata_directory=None):
    (name,) = glob.glob("*.whl")
    shutil.copy(name, folder)
    return name
"""


def make_project(folder: Path, name: str, version: str = "1.0", *, is_plugin: bool = True, source: str = "") -> Path:
    """A project with a build backend of its own, which needs no build tools."""
    folder.mkdir(parents=True, exist_ok=True)
    points = entry_points(name) if is_plugin else {}
    for old in folder.glob("*.whl"):
        old.unlink()
    make_wheel(folder, name, version, points, {name.replace("-", "_"): source}, requires=["lib-one"])
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        f"[project]\nname = '{name}'\nversion = '{version}'\n"
        + (f"[project.entry-points.'aimm.models']\n{name} = '{name.replace('-', '_')}:Model'\n" if is_plugin else "")
    )
    return folder


@pytest.mark.usefixtures("links")
class TestFolder:
    """``--from`` installs every plugin project under a folder."""

    def test_every_plugin_and_nothing_else(self, place: Place) -> None:
        """What declares no plugin is left out; uninstalling all of them leaves nothing."""
        before = place.content()
        for name, is_plugin in (("acme-x", True), ("acme-y", True), ("tools", False)):
            make_project(Path("projects", name), name, is_plugin=is_plugin)
        with place.plan(folder="projects") as plan:
            assert [step.name for step in plan.add] == ["acme-x", "acme-y", "lib-one", "lib-two"]
            plan.apply()
        assert verify() == [] or all(deviation.name not in {"acme-x", "acme-y"} for deviation in verify())
        assert f"acme-x==1.0  # was installed from {Path('projects/acme-x').resolve()}\n" in freeze()
        UninstallPlan(UninstallRequest(every=True, installer="uv")).apply()
        assert place.content() == before

    def test_a_repository_is_frozen_with_its_commit(self, place: Place, tmp_path: Path) -> None:
        """In the form in which ``restore`` hands it to the installer again."""
        project = make_project(tmp_path / "acme-x", "acme-x")
        git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", project)
        for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "all")):
            subprocess.run([*git, *arguments], check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        place.uv("install", f"git+file://{project}")
        Path("plugins.txt").write_text(freeze())
        assert restore_request("plugins.txt").specs == (f"acme-x @ git+file://{project}@{head}",)

    def test_the_same_version_again(self, place: Place) -> None:
        """A project that changed without a new version is installed again, and the plan says so."""
        project = make_project(Path("acme-x"), "acme-x", source="x = 1")
        place.install(f"./{project}")
        make_project(project, "acme-x", source="x = 2")
        with place.plan(f"./{project}") as plan:
            assert [(step.name, step.version, step.to) for step in plan.change] == [("acme-x", "1.0", "1.0")]
            plan.apply()
        assert (place.site / "acme_x.py").read_text() == "x = 2"

    def test_requirements_files(self, place: Place) -> None:
        """The variant is locked from its .in file, installed with its lock, and goes with the plugin."""
        before = place.content()
        project = make_project(Path("projects", "acme-x"), "acme-x")
        (project / "requirements.in").write_text("lib-one<2\n")
        (project / "requirements-gpu.in").write_text("lib-one<2\nlib-gpu\n")
        with place.plan(folder="projects", gpu=True, lock=True) as plan:
            lock = (project / "requirements-gpu.txt").read_text()
            assert [line for line in lock.splitlines() if line[0] not in "# "] == [
                "lib-gpu==1.0",
                "lib-one==1.0",
                "lib-two==1.0",
            ]
            plan.apply()
        assert not (project / "requirements.txt").exists()
        assert (place.site / "lib_gpu.py").exists()
        place.uninstall("acme-x")
        assert place.content() == before


@pytest.mark.usefixtures("links")
def test_a_replaced_version_comes_back(place: Place) -> None:
    """The user's own library, which a plugin needed newer, is afterwards the one it was, byte for byte."""
    place.uv("install", "lib-one==1.0")
    before = place.content()
    with place.plan("acme-a") as plan:
        assert [(step.name, step.version, step.to) for step in plan.change] == [("lib-one", "1.0", "2.0")]
        plan.apply()
    assert (place.site / "lib_one.py").read_text() == "version = '2.0'"
    place.uninstall("acme-a")
    assert place.content() == before


@pytest.mark.usefixtures("links")
def test_what_should_be_known(place: Place) -> None:
    """An extra that is not offered, and a project that is no plugin, are remarks of the plan."""
    project = make_project(Path("tools"), "tools", is_plugin=False)
    with place.plan(f"./{project}", gpu=True) as plan:
        assert plan.remarks == ("tools offers no extra 'gpu'", "tools declares no plugin of aimm")
