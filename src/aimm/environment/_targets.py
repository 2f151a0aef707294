"""What an installation is asked for: names, files, URLs and folders, made into targets with a name each."""

import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from aimm.environment._folders import Project, find_projects, is_project, read_project
from aimm.environment._installers import Installer, OnLine, Sources
from aimm.environment._lock import compile_lock
from aimm.environment._requirements import Line
from aimm.environment._wheels import Wheel, read_wheel
from aimm.errors import PluginEnvironmentError

_EXTRAS = re.compile(r"(.+?)(?:\[([\w.,\s-]*)\])?")


class Target(NamedTuple):
    """One thing that was asked for.

    Attributes:
        name: The distribution, normalised.
        spec: It for the installer.
        extras: Its extras.
        lines: Its requirements files, if it keeps its needs there.
        source: Where it comes from, if not from an index.
        wheel: What was built of it, if it was.
        variant: ``gpu`` or ``cpu``.
    """

    name: str
    spec: str
    extras: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    source: str = ""
    wheel: Wheel | None = None
    variant: str = "cpu"

    def exact(self, version: str) -> str:
        """It with its extras, in one version."""
        return f"{with_extras(self.name, self.extras)}=={version}"


class Workshop(NamedTuple):
    """What turns a specification into a target.

    Attributes:
        installer: Builds.
        folder: Where wheels go.
        sources: Where packages come from.
        gpu: Whether the GPU variant is wanted.
        lock: Whether lock files are to be made anew.
        pins: Versions that lock files keep to.
        on_line: Called with each line that the installer writes.
    """

    installer: Installer
    folder: str
    sources: Sources
    gpu: bool
    lock: bool
    pins: Mapping[str, str]
    on_line: OnLine

    def targets(self, specs: tuple[str, ...], folder: str) -> Iterator[Target]:
        """The targets of some specifications, and of the projects in a folder.

        Raises:
            PluginEnvironmentError: One of them cannot be understood.
            RequirementsFileError: A requirements file of a project cannot be used.
        """
        for spec in specs:
            yield self._target(spec)
        for project in find_projects(folder) if folder else ():
            yield self._built(project.path, (), project)

    def _target(self, spec: str) -> Target:
        path, extras = _split(spec)
        if os.path.isdir(path) and (os.sep in path or path == "." or not _is_name(path)):
            if not is_project(path):
                raise PluginEnvironmentError(
                    f"{path}: neither pyproject.toml nor setup.py is in this folder; --from {path} looks below it"
                )
            return self._built(path, extras, read_project(path))
        if os.path.isfile(path) or "://" in spec.partition("@")[0] or spec.startswith(("git+", "file:")):
            return self._built(path, extras, None)
        try:
            requirement = Requirement(spec)
        except InvalidRequirement as error:
            raise PluginEnvironmentError(
                f"{spec!r} is neither a requirement such as 'acme-forest>=1.0' nor a file, folder or URL: "
                f"{str(error).splitlines()[0]}"
            ) from error
        if requirement.url:
            return self._built(requirement.url, tuple(sorted(requirement.extras)), None)
        wanted = self._extras(tuple(requirement.extras))
        requirement.extras = set(wanted)
        return Target(canonicalize_name(requirement.name), str(requirement), wanted, variant=self._variant)

    def _built(self, path: str, extras: tuple[str, ...], project: Project | None) -> Target:
        is_local = os.path.exists(path)
        source = os.path.abspath(path) if is_local else path
        if source.endswith(".whl") and is_local:
            built = shutil.copy(source, self.folder)
        else:
            built = self.installer.build(source, self.folder, self.sources, self.on_line)
        wheel = read_wheel(built)
        if project and self.lock:
            project = compile_lock(project, self._variant, self.installer, self.sources, self.pins, self.on_line)
        lines = tuple(line for line in (project.requirements(self._variant) if project else ()) if line.applies)
        # In the layout with requirements files these are the variants; there need not be an extra.
        wanted = self._extras(extras) if not lines or "gpu" in wheel.package.extras else tuple(sorted(extras))
        named = with_extras(wheel.package.name, wanted)
        spec = f"{named} @ file://{os.path.join(self.folder, os.path.basename(built))}"
        return Target(wheel.package.name, spec, wanted, lines, source, wheel, self._variant)

    def _extras(self, extras: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({*map(canonicalize_name, extras), *(["gpu"] if self.gpu else [])}))

    @property
    def _variant(self) -> str:
        return "gpu" if self.gpu else "cpu"


def with_extras(name: str, extras: Collection[str]) -> str:
    """A distribution as requirements name it, with extras of it if there are any."""
    return f"{name}[{','.join(sorted(extras))}]" if extras else name


def _split(spec: str) -> tuple[str, tuple[str, ...]]:
    match = _EXTRAS.fullmatch(spec)
    if match is None or os.path.exists(spec):
        return spec, ()
    return match[1], tuple(part.strip() for part in (match[2] or "").split(",") if part.strip())


def _is_name(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9._-]+", text) is not None
