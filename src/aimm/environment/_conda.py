"""Conda environments: ``environment.yml``, and what ``conda-meta`` says is installed."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from aimm.environment._installed import Packages
from aimm.environment._place import prefix
from aimm.errors import RequirementsFileError

_MATCH = re.compile(r"(?:[\w./:-]+::)?([A-Za-z0-9._-]+?)\s*(?:(==?|[<>!~]=?|\s)\s*([^\s=].*?))?(?:\[(.*)\])?")
_BRACKET = re.compile(r"version\s*=\s*['\"]?([^'\",\]]+)['\"]?")


class CondaEnvironment(NamedTuple):
    """An ``environment.yml``.

    Attributes:
        path: The file.
        conda: What conda installs, as it is written.
        pip: What pip installs.
    """

    path: str
    conda: tuple[str, ...]
    pip: tuple[str, ...]

    def deviations(self, packages: Packages) -> Iterator[tuple[str, str, str]]:
        """What is not as the file says: what it is about, what is wanted, what is found."""
        known = installed_by_conda()
        file = os.path.basename(self.path)
        for spec in self.conda:
            name, wanted = _split(spec)
            version, build = known[name] if name in known else (_elsewhere(name, packages), "")
            if not version:
                yield name, f"{file} wants {spec}", "but it is not installed"
                continue
            met = _is_met(wanted, version, build)
            if met is None:
                yield name, f"{file} wants {spec}", f"which cannot be compared with {version}"
            elif not met:
                yield name, f"{file} wants {spec}", f"but {' '.join(filter(None, (version, build)))} is installed"
        yield from self._of_pip(packages, file)

    def _of_pip(self, packages: Packages, file: str) -> Iterator[tuple[str, str, str]]:
        for text in self.pip:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                yield text, f"{file} wants it from pip", "which cannot be compared with what is installed"
                continue
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            name = canonicalize_name(requirement.name)
            if name not in packages:
                yield name, f"{file} wants {text} from pip", "but it is not installed"
            elif not requirement.specifier.contains(packages[name].version, prereleases=True):
                yield name, f"{file} wants {text} from pip", f"but {packages[name].version} is installed"


def read_environment(path: str) -> CondaEnvironment:
    """Read an ``environment.yml``.

    Raises:
        RequirementsFileError: It cannot be read, or is no such file.
    """
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            document: Any = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RequirementsFileError(path, 0, f"cannot be read: {' '.join(str(error).split())}") from error
    entries = document.get("dependencies") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise RequirementsFileError(path, 0, "is no conda environment: it has no list 'dependencies'")
    conda: list[str] = []
    pip: list[str] = []
    for entry in entries:
        if isinstance(entry, str):
            conda.append(entry.strip())
        elif isinstance(entry, dict) and isinstance(entry.get("pip"), list):
            pip += [str(item).strip() for item in entry["pip"]]
        else:
            raise RequirementsFileError(path, 0, f"dependency {entry!r} is neither a package nor 'pip: [...]'")
    return CondaEnvironment(path, tuple(conda), tuple(pip))


def installed_by_conda() -> dict[str, tuple[str, str]]:
    """Name to version and build of everything that ``conda-meta`` lists; empty if this is no conda environment."""
    folder, found = os.path.join(prefix(), "conda-meta"), {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if name.endswith(".json"):
            with suppress(OSError, ValueError, KeyError), open(os.path.join(folder, name), encoding="utf-8") as file:
                record = json.load(file)
                found[str(record["name"])] = (str(record["version"]), str(record.get("build", "")))
    return found


def _elsewhere(name: str, packages: Packages) -> str:
    # Not from conda, but there: Python itself, or a distribution that pip installed.
    if name == "python":
        return ".".join(map(str, sys.version_info[:3]))
    package = packages.get(canonicalize_name(name))
    return package.version if package else ""


def _split(spec: str) -> tuple[str, str]:
    match = _MATCH.fullmatch(spec.partition("#")[0].strip())
    if match is None:
        return spec, "?"
    bracket = _BRACKET.search(match[4] or "")
    return match[1].lower(), bracket[1] if bracket else f"{(match[2] or '').strip()}{match[3] or ''}"


def _is_met(wanted: str, version: str, build: str) -> bool | None:
    """Whether a version is what a conda specification wants; None if it cannot be told."""
    if not wanted:
        return True
    exact = re.fullmatch(r"(={0,2})([^\s=<>!~,|]+)(?:[=\s]\s*([^\s=]+))?", wanted)
    if exact:
        operator, text, wanted_build = exact.groups()
        if wanted_build and not re.fullmatch(wanted_build.replace("*", ".*"), build):
            return False
        if text.endswith("*") or (operator == "=" and not wanted_build):
            stem = text.rstrip("*").rstrip(".")  # 1.2 and everything below it: 1.2, 1.2.3, not 1.20
            return version == stem or version.startswith(f"{stem}.") or not stem
        return _equal(version, text)
    try:
        Version(version)  # a specifier would merely refuse one that does not follow the standard, such as 1.1.1w
        return any(SpecifierSet(part).contains(version, prereleases=True) for part in wanted.split("|"))
    except (InvalidSpecifier, InvalidVersion):
        return None


def _equal(version: str, wanted: str) -> bool:
    try:
        return SpecifierSet(f"=={wanted}").contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return version == wanted
