"""Installing and removing plugins in real environments, and what is left when that is interrupted."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from environments import Environment, clean_environment, make_wheel
from terminal import Run


def plugin(name: str) -> dict[str, dict[str, str]]:
    """The entry points of a plugin with one model type."""
    return {"aimm.models": {name: f"{name.replace('-', '_')}:Model"}, "console_scripts": {name: "json.tool:main"}}


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """A folder of wheels: plugins, libraries in several versions, one that would change the host."""
    folder = tmp_path / "links"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        make_wheel(folder, "lib-one", version, modules={"lib_one": f"version = {version!r}"}, requires=["lib-two"])
    make_wheel(folder, "lib-two", modules={"lib_two.core": "", "lib_two": ""}, requires=["lib-one"])
    make_wheel(folder, "lib-gpu", modules={"lib_gpu": ""})
    make_wheel(folder, "click", "99.0", modules={"click": ""})
    gpu = ["Provides-Extra: gpu"]
    make_wheel(
        folder,
        "acme-a",
        entry_points=plugin("acme-a"),
        modules={"acme_a": "class Model: pass"},
        requires=["lib-one>=2", 'lib-gpu; extra == "gpu"', 'nothing; python_version < "3"'],
        metadata=[*gpu, "Requires-External: no-such-program-at-all (>=3)"],
    )
    make_wheel(folder, "acme-b", entry_points=plugin("acme-b"), modules={"acme_b": ""}, requires=["lib-one"])
    make_wheel(folder, "acme-bad", entry_points=plugin("acme-bad"), modules={"acme_bad": ""}, requires=["click>=99"])
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


def test_from_installation_to_uninstallation(plugins: Plugins) -> None:
    """Two plugins share libraries in a cycle; each uninstallation removes what is its own; nothing is left."""
    before = plugins.content()
    assert titles(plugins.json("install", "acme-a", "--gpu")["install"]) == [
        *("acme-a 1.0", "lib-gpu 1.0", "lib-one 2.0", "lib-two 1.0")
    ]
    assert titles(plugins.json("install", "acme-b")["install"]) == ["acme-b 1.0"]
    assert "no-such-program-at-all (>=3)" in plugins("verify").out
    gone = plugins.json("uninstall", "acme-a", "--yes")
    assert titles(gone["remove"]) == ["acme-a 1.0", "lib-gpu 1.0"]
    assert {step["name"]: step["why"] for step in gone["keep"]} == {
        "lib-one": "needed by acme-b 1.0, lib-two 1.0",
        "lib-two": "needed by lib-one 2.0",
    }
    assert titles(plugins.json("uninstall", "--all", "--yes")["remove"]) == ["acme-b 1.0", "lib-one 2.0", "lib-two 1.0"]
    assert plugins.content() == before


def test_a_replaced_version_comes_back(plugins: Plugins) -> None:
    """The user's own library, which a plugin needed newer, is afterwards the one it was, byte for byte."""
    plugins.venv.pip("install", *plugins.sources, "lib-one==1.0")
    before = plugins.content()
    refused = plugins("install", "acme-a")
    assert refused.code == 2
    assert "nobody can be asked: add --yes" in refused.err
    assert plugins.content() == before
    plan = plugins.json("install", "acme-a", "--yes")
    assert [(step["name"], step["version"], step["to"]) for step in plan["change"]] == [("lib-one", "1.0", "2.0")]
    plugins.json("uninstall", "acme-a", "--yes")
    assert plugins.content() == before


def test_what_plain_pip_installed(plugins: Plugins) -> None:
    """No ledger is needed; what the user asked for stays, and without --yes nothing happens."""
    before = plugins.content()
    plugins.venv.pip("install", *plugins.sources, "acme-a")
    asked = plugins("uninstall", "acme-a")
    assert (asked.code, "--yes" in asked.err) == (2, True)
    assert titles(plugins.json("uninstall", "acme-a", "--yes")["remove"]) == [
        "acme-a 1.0",
        "lib-one 2.0",
        "lib-two 1.0",
    ]
    assert plugins.content() == before


def test_the_host_is_not_changed(plugins: Plugins) -> None:
    """A plugin that needs another version of what aimm runs on is refused with both versions and who wants it."""
    before = plugins.content()
    done = plugins("install", "acme-bad")
    assert done.code == 1
    assert "-> 99.0: acme-bad needs click>=99; aimm-plugins runs on" in done.err
    assert plugins.content() == before


def test_without_a_network(plugins: Plugins) -> None:
    """The index cannot be reached: nothing changes, and the message says what to do."""
    before = plugins.content()
    closed = "http://127.0.0.1:1/simple"
    done = plugins.venv.aimm("plugins", "install", "acme-a", "-i", closed, PIP_RETRIES="1", PIP_FIND_LINKS="")
    assert done.code == 1
    assert "planning the installation failed" in done.err
    assert "the package index cannot be reached" in done.err
    assert plugins.content() == before


def test_freeze_and_restore(plugins: Plugins, tmp_path: Path) -> None:
    """The plugins come back in the versions of then, extras and dependencies included."""
    plugins.json("install", "acme-a", "--gpu")
    saved = tmp_path / "plugins.txt"
    assert plugins("freeze", "-o", saved).code == 0
    plugins.json("uninstall", "--all", "--yes")
    make_wheel(Path(plugins.sources[2]), "lib-one", "3.0", modules={"lib_one": ""})
    back = plugins.json("restore", saved)
    assert titles(back["install"]) == ["acme-a 1.0", "lib-gpu 1.0", "lib-one 2.0", "lib-two 1.0"]
    pip = subprocess.run([plugins.venv.python, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert pip.returncode == 0, pip.stdout


@pytest.fixture
def big(links: Path) -> Path:
    """A plugin whose library takes a while to unpack: as many files as a real one."""
    modules = {f"lib_big.part_{number}": f"x = {number}\n" * 200 for number in range(1500)}
    make_wheel(links, "lib-big", modules={"lib_big": "", **modules})
    requires = ["lib-big", "lib-one>=2"]
    make_wheel(links, "acme-big", entry_points=plugin("acme-big"), modules={"acme_big": ""}, requires=requires)
    return links


def killed(plugins: Plugins, sign: Path, *arguments: str) -> None:
    """Kill aimm, and the installer with it, as soon as something has appeared."""
    command = [plugins.venv.path / "bin" / "aimm", "plugins", *arguments]
    environment = {**os.environ, **clean_environment()}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not sign.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    children = children_of(process.pid)
    for pid in (process.pid, *children):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    assert sign.exists(), "it ended before the sign appeared"


def children_of(parent: int) -> list[int]:
    """The processes that a process started."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in done.stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="needs ps and SIGKILL")
def test_killed_in_mid_install(plugins: Plugins, big: Path) -> None:
    """The next call says what was interrupted, and everything is as before, a replaced library included."""
    plugins.venv.pip("install", *plugins.sources, "lib-one==1.0")
    before = plugins.content()
    sign = plugins.venv.site / "lib_big" / "part_300.py"
    killed(plugins, sign, "install", "acme-big", "--yes", *plugins.sources)
    assert plugins.content() != before
    told = plugins("verify")
    assert (told.code, "install acme-big: was begun, but has not ended" in told.out) == (1, True)
    after = plugins("uninstall", "--all", "--yes")
    assert "'install acme-big' of" in after.err
    assert "was interrupted and has been undone" in after.err
    assert plugins.content() == before
    assert plugins("install", "acme-big", "--yes").code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs ps and SIGKILL")
def test_killed_in_mid_uninstall(plugins: Plugins, big: Path) -> None:
    """The same for an uninstallation: what had gone already is put back from the copies, without any index."""
    assert plugins("install", "acme-big", "--yes").code == 0
    before = plugins.content()
    killed(plugins, plugins.venv.path / "share" / "aimm" / "pending" / "journal.json", "uninstall", "acme-big", "--yes")
    after = plugins("uninstall", "acme-big", "--dry-run")
    assert "'uninstall acme-big' of" in after.err
    assert plugins.content() == before
    assert plugins("uninstall", "acme-big", "--yes").code == 0
    assert not (plugins.venv.site / "lib_big").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_file_cannot_be_written(plugins: Plugins, links: Path) -> None:
    """A full disk in the middle of installing: what was written is gone, and the message says so."""
    zeros = "x = '" + "0" * 3_000_000 + "'\n"
    make_wheel(links, "lib-zeros", modules={"lib_zeros": zeros})
    make_wheel(links, "acme-zeros", entry_points=plugin("acme-zeros"), requires=["lib-zeros", "lib-one"])
    for wheel in links.glob("lib_zeros*"):
        subprocess.run([sys.executable, "-c", COMPRESS, wheel], check=True)
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


COMPRESS = """
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old:
    files = {name: old.read(name) for name in old.namelist()}
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as new:
    for name, content in files.items():
        new.writestr(name, content)
"""


def test_requirements_files(plugins: Plugins, tmp_path: Path) -> None:
    """A folder in the layout with requirements.in: locked, installed with its lock, removed without a rest."""
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
    plan = plugins.json("install", *folder, "--lock", "--gpu")
    assert titles(plan["install"]) == ["acme-old 0.1", "lib-gpu 1.0", "lib-one 2.0", "lib-two 1.0"]
    lock = (project / "requirements-gpu.txt").read_text()
    assert "lib-one==2.0\n    # via -r requirements-gpu.in, lib-two\n" in lock
    assert plugins("verify").code == 0
    gone = plugins.json("uninstall", "acme-old", "--yes")
    assert titles(gone["remove"]) == ["acme-old 0.1", "lib-gpu 1.0", "lib-one 2.0", "lib-two 1.0"]
    assert plugins.content() == before


def test_uv(plugins: Plugins) -> None:
    """With uv it is the same; its marks, which it puts on everything, keep nothing that the ledger knows."""
    before = plugins.content()
    uv = Path(sys.executable).with_name("uv")
    plugins.venv.variables["PATH"] = f"{uv.parent}{os.pathsep}{os.environ['PATH']}"
    installed = plugins.json("install", "acme-a", "--gpu", "--installer", "uv")
    assert titles(installed["install"]) == ["acme-a 1.0", "lib-gpu 1.0", "lib-one 2.0", "lib-two 1.0"]
    refused = plugins("install", "acme-bad", "--installer", "uv")
    assert "click" in refused.err
    assert "aimm-plugins runs on" in refused.err
    gone = plugins.json("uninstall", "acme-a", "--yes", "--installer", "uv")
    assert titles(gone["remove"]) == titles(installed["install"])
    assert {name: digest for name, digest in plugins.content().items() if name != ".lock"} == before  # uv's own lock
