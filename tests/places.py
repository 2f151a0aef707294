"""A virtual environment that the test process itself acts on, and wheels for it."""

import hashlib
import os
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import aimm
from aimm.environment import InstallPlan, InstallRequest, Sources, UninstallPlan, UninstallRequest
from environments import make_wheel, site_packages
from support import FakeSite
from terminal import run


class Place:
    """A virtual environment without pip, which this process takes for its own; what ``aimm`` needs lies outside it.

    Args:
        folder: Where it goes.
        monkeypatch: Makes this process act on it.

    Attributes:
        path: The environment.
        links: The folder of wheels that is searched.
        aimm: The command ``aimm`` of the environment, for a process of its own; it needs the ``variables``.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.links = folder / "venv", folder / "links"
        self.links.mkdir(parents=True)
        venv.create(self.path, with_pip=False, symlinks=True)
        self.site = site_packages(self.path)
        tools = os.path.dirname(sys.executable)
        outer = (os.path.dirname(os.path.dirname(aimm.__file__)), sysconfig.get_path("purelib"))
        self.aimm = (self.path / "bin" / "python", "-P", "-m", "aimm.cli")
        self.variables = {"PYTHONPATH": os.pathsep.join(outer)}
        monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
        base = {"base": str(self.path), "platbase": str(self.path)}
        get_path = sysconfig.get_path
        monkeypatch.setattr(sysconfig, "get_path", lambda name, scheme="venv", vars=base: get_path(name, scheme, vars))
        monkeypatch.setattr(sys, "prefix", str(self.path))
        monkeypatch.setattr(sys, "executable", str(self.path / "bin" / "python"))
        sys.path.insert(0, str(self.site))

    @property
    def sources(self) -> Sources:
        """The folder of wheels, and nothing else."""
        return Sources(find_links=(str(self.links),), no_index=True)

    def plan(self, *specs: str, **options: Any) -> InstallPlan:
        """Plan an installation with uv."""
        options = {"sources": self.sources, "installer": "uv", **options}
        return InstallPlan(InstallRequest(specs, **options))

    def install(self, *specs: str, **options: Any) -> None:
        """Install with uv."""
        with self.plan(*specs, **options) as plan:
            plan.apply()

    def uninstall(self, *names: str, **options: Any) -> None:
        """Uninstall with uv."""
        UninstallPlan(UninstallRequest(names, installer="uv", **options)).apply()

    def uv(self, *arguments: str) -> None:
        """Run ``uv pip`` on it, as the user would."""
        command, *rest = arguments
        options = ["--python", sys.executable, *(self.sources.arguments() if command == "install" else [])]
        done = run("uv", "pip", command, *options, *rest)
        assert done.code == 0, done.err

    def add(self, name: str, version: str = "1.0", **fields: Any) -> Path:
        """Put a distribution there as another program would have; returns its metadata folder."""
        return FakeSite(self.site).add(name, version, **fields)

    def content(self) -> Mapping[str, str]:
        """Every file with a digest; bytecode and the lock file of uv left out."""
        return {
            path.relative_to(self.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and path.name != ".lock"
        }


def entry_points(name: str) -> dict[str, dict[str, str]]:
    """The entry points of a plugin with one model type and one script."""
    return {"aimm.models": {name: f"{name.replace('-', '_')}:Model"}, "console_scripts": {name: "json.tool:main"}}


def make_links(folder: Path) -> None:
    """Make wheels: plugins that share libraries in a cycle, some in several versions; one would change the host."""
    for version in ("1.0", "2.0"):
        make_wheel(folder, "lib-one", version, modules={"lib_one": f"version = {version!r}"}, requires=["lib-two"])
    make_wheel(folder, "lib-two", modules={"lib_two.core": "", "lib_two": ""}, requires=["lib-one"])
    make_wheel(folder, "lib-gpu", modules={"lib_gpu": ""})
    make_wheel(folder, "click", "99.0", modules={"click": ""})
    make_wheel(
        folder,
        "acme-a",
        entry_points=entry_points("acme-a"),
        modules={"acme_a": "class Model: pass"},
        requires=["lib-one>=2", 'lib-gpu; extra == "gpu"', 'nothing; python_version < "3"'],
        metadata=["Provides-Extra: gpu", "Requires-External: no-such-program-at-all (>=3)"],
    )
    make_wheel(folder, "acme-b", entry_points=entry_points("acme-b"), modules={"acme_b": ""}, requires=["lib-one"])
    make_wheel(
        folder, "acme-bad", entry_points=entry_points("acme-bad"), modules={"acme_bad": ""}, requires=["click>=99"]
    )
