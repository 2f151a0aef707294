"""Throw-away virtual environments with a real ``aimm`` in them, and real wheels to install there."""

import base64
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from support import EntryPoints, entry_points_text
from terminal import Run, run

ROOT = Path(__file__).parent.parent
PROJECTS = Path(__file__).parent / "integration" / "projects"


class Environment:
    """A virtual environment. Its own are ``aimm`` and whatever a test installs; what ``aimm`` needs is shared by all.

    Args:
        path: Where it is.
        base: The environment with pip, the build backend and the dependencies of ``aimm``.
    """

    def __init__(self, path: Path, base: Path) -> None:
        self.path, self.base = path, base
        self.python = path / "bin" / "python"
        self.variables: dict[str, str] = {}

    @property
    def site(self) -> Path:
        """Its ``site-packages``."""
        return site_packages(self.path)

    def pip(self, *arguments: str | Path) -> Run:
        """Run pip on it; a failure is a failure of the test."""
        pip = (self.base / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q")
        done = run(*pip, "--python", self.python, *arguments, env=clean_environment())
        assert done.code == 0, f"pip {arguments}: {done.err}{done.out}"
        return done

    def install(self, *what: str | Path) -> None:
        """Install wheels, or projects of ours that need nothing else."""
        self.pip("install", "--no-deps", "--no-index", *map(self._wheel, what))

    def install_project(self, project: Path) -> None:
        """Install a project from its folder, as pip notes it then."""
        self.pip("install", "--no-deps", "--no-index", "--no-build-isolation", project)

    def install_editable(self, project: Path) -> None:
        """Install a project so that changes of its code count at once."""
        self.pip("install", "--no-deps", "--no-index", "--no-build-isolation", "-e", project)

    def _wheel(self, source: str | Path) -> Path:
        """The wheel of a project, built once for all tests."""
        project = Path(source)
        if not project.is_dir():
            return project
        folder = once(self.base.parent, f"wheel-{project.name}", lambda path: build_wheel(project, path, self.base))
        return next(folder.glob("*.whl"))

    def uninstall(self, *names: str) -> None:
        """Uninstall distributions."""
        self.pip("uninstall", "-y", *names)

    def aimm(self, *arguments: str | Path, **variables: str) -> Run:
        """Run the command that pip put into it."""
        environment = {**clean_environment(), **self.variables, **variables}
        return run(self.path / "bin" / "aimm", *arguments, env=environment, cwd=self.path)

    def run_python(self, source: str, *arguments: str | Path, **variables: str) -> Run:
        """Run Python code in a process of its own."""
        environment = {**clean_environment(), **self.variables, **variables}
        return run(self.python, "-c", textwrap.dedent(source), *arguments, env=environment, cwd=self.path)


def clean_environment() -> dict[str, str]:
    """Variables that keep the environment of the tests out: empty ones count as not set."""
    names = [name for name in os.environ if name.startswith(("AIMM_", "PYTHON", "COV_"))]
    return dict.fromkeys(["PYTHONPATH", "PYTHONHOME", *names], "") | {"PYTHONDONTWRITEBYTECODE": "", "NO_COLOR": "1"}


def site_packages(environment: Path) -> Path:
    """The ``site-packages`` of a virtual environment."""
    return next(environment.glob("lib/python*/site-packages"))


def make_environment(path: Path, base: Path, wheel: Path) -> Environment:
    """Make a virtual environment and install ``aimm`` from a wheel."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    (site_packages(path) / "shared_dependencies.pth").write_text(f"{site_packages(base)}\n")
    made = Environment(path, base)
    made.install(wheel)
    return made


def once(folder: Path, name: str, make: Callable[[Path], Any]) -> Path:
    """Make something one time for all workers of a test run.

    Args:
        folder: A folder that all of them share.
        name: What it is called in there.
        make: Makes it at the path that it gets.
    """
    path, done = folder / name, folder / f"{name}.done"
    with FileLock(folder / f"{name}.lock"):
        if not done.exists():
            assert not path.exists(), f"{name} could not be made by the first test that needed it; see there"
            make(path)
            done.touch()
    return path


def build_aimm(folder: Path) -> None:
    """Build the wheel of this checkout."""
    source = folder / "source"
    source.mkdir(parents=True)
    copied(ROOT / "src", source / "src")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, source]
    subprocess.run(build, check=True, capture_output=True)


def make_base(path: Path, wheel: Path) -> None:
    """Make the environment with pip, setuptools, and what ``aimm`` depends on, but not ``aimm``."""
    subprocess.run([sys.executable, "-m", "venv", path], check=True)
    pip = [path / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q"]
    clean = {**os.environ, **clean_environment()}
    wanted = [f"aimm-plugins[environment] @ {wheel.as_uri()}", "setuptools>=77"]
    subprocess.run([*pip, "install", *wanted], check=True, env=clean)
    subprocess.run([*pip, "uninstall", "-y", "aimm-plugins"], check=True, env=clean)


def build_wheel(project: Path, folder: Path, base: Path) -> None:
    """Build the wheel of a project of ours."""
    pip = [base / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
    source = copied(project, folder / "source")
    subprocess.run([*pip, "--no-index", "--no-build-isolation", "-w", folder, source], check=True)


def copied(project: Path, target: Path) -> Path:
    """A copy of a project: building leaves files behind."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", ".*_cache", ".nox", ".venv")
    return Path(shutil.copytree(project, target, ignore=ignore))


def requirements_of_tests(project: Path) -> list[str]:
    """What the dependency group ``test`` of a project asks for."""
    groups = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    requirements: list[str] = groups["test"]
    return requirements


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    entry_points: EntryPoints | None = None,
    modules: Mapping[str, str] | None = None,
    *,
    raw_entry_points: str | bytes | None = None,
    requires: Sequence[str] = (),
    metadata: Sequence[str] = (),
    compressed: bool = False,
) -> Path:
    """Write a wheel as a build backend would; also such as no backend would let through.

    Args:
        folder: Where it goes.
        name: Name of the distribution.
        version: Its version.
        entry_points: What ``entry_points.txt`` declares.
        modules: Module name to source, which is dedented.
        raw_entry_points: Content of ``entry_points.txt`` instead.
        requires: Requirements.
        metadata: Further lines of the metadata.
        compressed: Whether it is smaller than what it unpacks to.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    declared = raw_entry_points if raw_entry_points is not None else entry_points_text(entry_points or {})
    requirements = "".join(f"{line}\n" for line in (*(f"Requires-Dist: {text}" for text in requires), *metadata))
    files = {f"{module.replace('.', '/')}.py": textwrap.dedent(source) for module, source in (modules or {}).items()}
    files |= {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents = {file: text.encode() for file, text in files.items()}
    contents[f"{info}/entry_points.txt"] = declared if isinstance(declared, bytes) else declared.encode()
    return _write_wheel(folder / f"{stem}-py3-none-any.whl", info, contents, compressed=compressed)


def repacked(folder: Path, name: str) -> Path:
    """Make a wheel of a real distribution that the environment of the tests has."""
    distribution = importlib.metadata.distribution(name)
    notes = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
    files = [f for f in distribution.files or () if not {"..", "__pycache__"} & {*f.parts} and f.name not in notes]
    info = next(file.parts[0] for file in files if file.name == "METADATA")
    tags = re.findall(r"^Tag: (.+)$", distribution.read_text("WHEEL") or "", re.MULTILINE)
    contents = {file.as_posix(): file.read_binary() for file in files}
    return _write_wheel(folder / f"{info.removesuffix('.dist-info')}-{tags[-1]}.whl", info, contents)


def _write_wheel(wheel: Path, info: str, contents: Mapping[str, bytes], *, compressed: bool = False) -> Path:
    record = "".join(f"{file},{_digest(content)},{len(content)}\n" for file, content in contents.items())
    files = {**contents, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return wheel


def _digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
