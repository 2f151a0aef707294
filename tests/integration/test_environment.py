"""Installing and removing plugins with pip in real environments, and what is left when that is interrupted."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from aimm.environment._installed import read_installed
from aimm.environment._needs import closure
from environments import Environment, clean_environment, make_wheel, repacked
from places import entry_points, make_links
from terminal import Run


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """A folder of wheels."""
    folder = tmp_path / "links"
    folder.mkdir()
    make_links(folder)
    return folder


@pytest.fixture
def plugins(venv: Environment, links: Path) -> "Plugins":
    return Plugins(venv, links)


class Plugins:
    """``aimm plugins`` in an environment, with the wheels of a folder."""

    def __init__(self, venv: Environment, links: Path) -> None:
        self.venv, self.sources = venv, ("--no-index", "--find-links", str(links))

    def __call__(self, *arguments: str | Path) -> Run:
        more = self.sources if arguments[0] in ("install", "restore") else ()
        return self.venv.aimm("plugins", *arguments, *more)

    def json(self, *arguments: str | Path) -> dict[str, list[dict[str, str]]]:
        done = self(*arguments, "--json")
        assert done.code == 0, done.err
        found: dict[str, list[dict[str, str]]] = json.loads(done.out)
        return found

    def content(self) -> Mapping[str, str]:
        """Every file of the environment with a digest; what Python compiled, and pip lists with it, left out."""
        found = {}
        for path in sorted(self.venv.path.rglob("*")):
            name = path.relative_to(self.venv.path).as_posix()
            if path.is_file() and "__pycache__" not in name:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found


def titles(steps: list[dict[str, str]]) -> list[str]:
    return [f"{step['name']} {step['version']}" for step in steps]


def test_from_installation_to_uninstallation_and_back(plugins: Plugins, tmp_path: Path) -> None:
    """Plugins share libraries in a cycle; what goes is what nobody needs; nothing is left; restore brings all back."""
    before = plugins.content()
    everything = ["acme-a 1.0", "lib-gpu 1.0", "lib-one 2.0", "lib-two 1.0"]
    assert titles(plugins.json("install", "acme-a", "--gpu")["install"]) == everything
    assert titles(plugins.json("install", "acme-b")["install"]) == ["acme-b 1.0"]
    assert "no-such-program-at-all (>=3)" in plugins("verify").out
    assert plugins("freeze", "-o", tmp_path / "plugins.txt").code == 0
    gone = plugins.json("uninstall", "acme-a", "--yes")
    assert titles(gone["remove"]) == ["acme-a 1.0", "lib-gpu 1.0"]
    assert {step["name"]: step["why"] for step in gone["keep"]} == {
        "lib-one": "needed by acme-b 1.0, lib-two 1.0",
        "lib-two": "needed by lib-one 2.0",
    }
    assert titles(plugins.json("uninstall", "--all", "--yes")["remove"]) == ["acme-b 1.0", "lib-one 2.0", "lib-two 1.0"]
    assert plugins.content() == before
    back = plugins.json("restore", tmp_path / "plugins.txt")
    assert titles(back["install"]) == sorted([*everything, "acme-b 1.0"])
    pip = subprocess.run([plugins.venv.python, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert pip.returncode == 0, pip.stdout


def test_real_packages(plugins: Plugins, links: Path) -> None:
    """A plugin on cookiecutter brings a dozen real packages, shares some with the host, and takes its own away."""
    here = read_installed()
    for name in closure(here, {"cookiecutter": ()}):
        repacked(links, name)
    make_wheel(links, "acme-cook", entry_points=entry_points("acme-cook"), requires=["cookiecutter"])
    before = plugins.content()
    installed = titles(plugins.json("install", "acme-cook")["install"])
    assert {"acme-cook 1.0", *(here[name].title for name in ("cookiecutter", "jinja2", "requests"))} <= {*installed}
    assert not any(title.startswith(("click ", "rich ")) for title in installed)
    used = plugins.venv.run_python("from cookiecutter.generate import generate_context; import requests, jinja2")
    assert used.code == 0, used.err
    assert titles(plugins.json("uninstall", "--all", "--yes")["remove"]) == installed
    assert plugins.content() == before


def test_what_plain_pip_installed(plugins: Plugins) -> None:
    """No ledger is needed, and nothing is left."""
    before = plugins.content()
    plugins.venv.pip("install", *plugins.sources, "acme-a")
    gone = plugins.json("uninstall", "acme-a", "--yes")
    assert titles(gone["remove"]) == ["acme-a 1.0", "lib-one 2.0", "lib-two 1.0"]
    assert plugins.content() == before


def test_what_cannot_be_done(plugins: Plugins) -> None:
    """A plugin that would change the host, and an index that cannot be reached: said why, and nothing changed."""
    before = plugins.content()
    done = plugins("install", "acme-bad")
    assert done.code == 1
    assert "-> 99.0: acme-bad needs click>=99; aimm-plugins runs on" in done.err
    closed = "http://127.0.0.1:1/simple"
    done = plugins.venv.aimm("plugins", "install", "acme-a", "-i", closed, PIP_RETRIES="1", PIP_FIND_LINKS="")
    assert done.code == 1
    assert "planning the installation failed" in done.err
    assert "the package index cannot be reached" in done.err
    assert plugins.content() == before


def start(plugins: Plugins, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start ``aimm plugins`` without waiting for it."""
    command = [plugins.venv.path / "bin" / "aimm", "plugins", *arguments]
    environment = {**os.environ, **clean_environment()}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def killed(process: "subprocess.Popen[bytes]", sign: Callable[[], bool], *, with_installer: bool) -> None:
    """Kill aimm as soon as there is a sign, with the installer or while that goes on."""
    end = time.monotonic() + 120
    while not (shown := sign()) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    for pid in (process.pid, *(children_of(process.pid) if with_installer else ())):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    assert shown, "it ended before the sign"


def children_of(parent: int) -> list[int]:
    """The processes that a process started."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in done.stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="needs ps and SIGKILL")
def test_killed(plugins: Plugins, links: Path) -> None:
    """In mid-install with pip, then in mid-uninstall while pip goes on: the next call waits, tells, and undoes it.

    The plugin's library has as many files as a real one, and another one replaces that of the user.
    """
    modules = {f"lib_big.part_{number}": f"x = {number}\n" * 200 for number in range(1500)}
    make_wheel(links, "lib-big", modules={"lib_big": "", **modules})
    requires = ["lib-big", "lib-one>=2"]
    make_wheel(links, "acme-big", entry_points=entry_points("acme-big"), modules={"acme_big": ""}, requires=requires)
    plugins.venv.pip("install", *plugins.sources, "lib-one==1.0")
    before, site = plugins.content(), plugins.venv.site

    begun = (site / "lib_big" / "part_300.py").exists
    killed(start(plugins, "install", "acme-big", "--yes", *plugins.sources), begun, with_installer=True)
    assert plugins.content() != before
    told = plugins("verify")
    assert (told.code, "install acme-big: was begun, but has not ended" in told.out) == (1, True)
    after = plugins("uninstall", "--all", "--yes")
    assert "'install acme-big' of" in after.err
    assert "was interrupted and has been undone" in after.err
    assert plugins.content() == before

    assert plugins("install", "acme-big", "--yes").code == 0
    whole = plugins.content()
    removing = start(plugins, "uninstall", "acme-big", "--yes")
    killed(removing, lambda: not (site / "acme_big.py").exists(), with_installer=False)
    after = plugins("uninstall", "acme-big", "--dry-run")
    assert "'uninstall acme-big' of" in after.err
    assert "put back: acme-big 1.0" in after.err
    assert plugins.content() == whole

    assert plugins("uninstall", "acme-big", "--yes").code == 0
    assert plugins.content() == before


def test_two_at_once(plugins: Plugins) -> None:
    """They follow each other, and what the second one planned meanwhile is either right still, or refused."""
    before = plugins.content()
    both = [start(plugins, "install", name, *plugins.sources) for name in ("acme-a", "acme-b")]
    codes = [process.wait() for process in both]
    assert 0 in codes
    for name, code in zip(("acme-a", "acme-b"), codes, strict=True):
        assert code in (0, 1)
        assert (plugins.venv.site / f"{name.replace('-', '_')}.py").exists() == (code == 0)
    assert plugins("uninstall", "--all", "--yes").code == 0
    assert plugins.content() == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_file_cannot_be_written(plugins: Plugins, links: Path) -> None:
    """A full disk in the middle of installing: what was written is gone, and the message says so."""
    zeros = "x = '" + "0" * 3_000_000 + "'\n"
    make_wheel(links, "lib-zeros", modules={"lib_zeros": zeros}, compressed=True)
    make_wheel(links, "acme-zeros", entry_points=entry_points("acme-zeros"), requires=["lib-zeros", "lib-one"])
    before = plugins.content()
    command = (
        f"ulimit -f 1500; exec {plugins.venv.path}/bin/aimm plugins install acme-zeros {' '.join(plugins.sources)}"
    )
    environment = {**os.environ, **clean_environment()}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert "installing failed: pip ended with" in done.stderr
    assert "the environment was put back as it was before" in done.stderr
    assert plugins.content() == before


def test_requirements_files(plugins: Plugins, tmp_path: Path) -> None:
    """A folder in the layout with requirements.in: locked, installed with its lock or by pip, removed with all."""
    project = tmp_path / "projects" / "acme_old"
    project.mkdir(parents=True)
    (project / "acme_old.py").write_text("class Model: pass\n")
    (project / "setup.py").write_text(
        "from setuptools import setup\n"
        "setup(name='acme_old', version='0.1', py_modules=['acme_old'],\n"
        "      entry_points='''\n[aimm.models]\nold=acme_old:Model\n''')\n"
    )
    (project / "requirements.in").write_text("lib-one\n")
    (project / "requirements-gpu.in").write_text("lib-one\nlib-gpu\n")
    before = plugins.content()
    folder = ("--from", str(project.parent), "--no-build-isolation")
    installed = titles(plugins.json("install", *folder, "--lock", "--gpu")["install"])
    assert installed == ["acme-old 0.1", "lib-gpu 1.0", "lib-one 2.0", "lib-two 1.0"]
    lock = project / "requirements-gpu.txt"
    assert "lib-one==2.0\n    # via -r requirements-gpu.in, lib-two\n" in lock.read_text()
    assert plugins("verify").code == 0
    assert titles(plugins.json("uninstall", "acme-old", "--yes")["remove"]) == installed
    assert plugins.content() == before

    plugins.venv.pip("install", *plugins.sources, "-r", lock)
    plugins.venv.install_project(project)
    gone = plugins.json("uninstall", "--all", "--yes", "--gpu", *folder[:2])
    assert titles(gone["remove"]) == installed
    assert plugins.content() == before

    lock.write_text(lock.read_text().replace("lib-gpu==1.0", f"lib-gpu==1.0 --hash=sha256:{'0' * 64}"))
    refused = plugins("install", *folder, "--gpu")
    assert "lib-gpu 1.0 is to be had, but with another digest" in refused.err
    assert f"{lock.name}, line " in refused.err
    assert plugins.content() == before
