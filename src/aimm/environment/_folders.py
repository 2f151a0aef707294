"""Folders with plugin projects, also in the layout whose dependencies stand in ``requirements.in``."""

import os
import re
import tomllib
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name

from aimm.environment._requirements import Line, read_requirements
from aimm.errors import PluginEnvironmentError, RequirementsFileError

VARIANTS = {"cpu": "requirements", "gpu": "requirements-gpu"}
_DECLARES = re.compile(r"\baimm\.(?:plugins|models|data_access|tasks|train|executors)\b")


class Project(NamedTuple):
    """A folder that a plugin can be built from.

    Attributes:
        path: The folder.
        inputs: Variant to the file that its author wrote: ``requirements.in``, ``requirements-gpu.in``.
        locks: Variant to the file that was compiled from it.
    """

    path: str
    inputs: dict[str, str]
    locks: dict[str, str]

    @property
    def name(self) -> str:
        """The name of its distribution, normalised; empty if only a build would tell."""
        document = _read_toml(os.path.join(self.path, "pyproject.toml"))
        if name := document.get("project", {}).get("name"):
            return canonicalize_name(name)
        for file in ("setup.cfg", "setup.py"):
            if match := re.search(r"""\bname\s*=\s*["']?([\w.-]+)""", _read_text(os.path.join(self.path, file))):
                return canonicalize_name(match[1])
        return ""

    def requirements(self, variant: str) -> list[Line]:
        """What it needs beside its metadata: the lock file if there is one; nothing in the layout of today.

        Args:
            variant: ``cpu`` or ``gpu``.

        Raises:
            RequirementsFileError: A file cannot be used, or this variant is missing.
        """
        if not self.inputs:
            return []
        if variant not in self.inputs:
            missing = os.path.join(self.path, f"{VARIANTS[variant]}.in")
            raise RequirementsFileError(missing, 0, "is not there; --gpu and its absence choose between the two files")
        return read_requirements(self.locks.get(variant) or self.inputs[variant])

    def every_line(self, variants: tuple[str, ...] = ("cpu", "gpu")) -> list[Line]:
        """What any of some variants needs, locks included."""
        files = [file for v in variants for file in (self.inputs.get(v), self.locks.get(v)) if file and self.inputs]
        return [line for file in files for line in read_requirements(file)]


def read_project(path: str) -> Project:
    """Look what kind of project a folder holds."""
    path = os.path.abspath(path)
    inputs = {v: os.path.join(path, f"{stem}.in") for v, stem in VARIANTS.items()}
    locks = {v: os.path.join(path, f"{stem}.txt") for v, stem in VARIANTS.items()}
    return Project(
        path,
        {v: file for v, file in inputs.items() if os.path.isfile(file)},
        {v: file for v, file in locks.items() if os.path.isfile(file)},
    )


def is_project(path: str) -> bool:
    """Whether something can be built from a folder."""
    return any(os.path.isfile(os.path.join(path, name)) for name in ("pyproject.toml", "setup.py"))


def find_projects(folder: str) -> list[Project]:
    """The plugin projects in a folder: itself, or those directly below it that declare a plugin.

    Raises:
        PluginEnvironmentError: There is none.
    """
    if not os.path.isdir(folder):
        raise PluginEnvironmentError(f"{folder}: there is no such folder")
    below = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    candidates = [folder] if is_project(folder) else [path for path in below if is_project(path)]
    found = [read_project(path) for path in candidates if _declares_plugin(path)]
    if not found:
        seen = f"; {', '.join(candidates)} declare no entry point of aimm" if candidates else ""
        raise PluginEnvironmentError(
            f"{folder}: no plugin project in it or directly below it: a folder with pyproject.toml or setup.py{seen}"
        )
    return found


def _declares_plugin(path: str) -> bool:
    # Before anything is built: the declaration is looked for in the files that authors write it in.
    groups = _read_toml(os.path.join(path, "pyproject.toml")).get("project", {}).get("entry-points", {})
    files = [os.path.join(path, name) for name in ("setup.py", "setup.cfg", "pyproject.toml")]
    return any(map(_DECLARES.match, groups)) or any(_DECLARES.search(_read_text(file)) for file in files)


def _read_toml(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_read_text(path))
    except ValueError:
        return {}


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
