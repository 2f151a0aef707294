"""pip and uv: finding out what an installation would do, fetching it, doing it, removing."""

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

from packaging.utils import canonicalize_name

from aimm.environment._installed import direct_url, read_installed
from aimm.environment._process import run_installer
from aimm.environment._wheels import Wheel, read_wheel, unpacked_wheel, wheels_in
from aimm.errors import PluginEnvironmentError

OnLine = Callable[[str], None]


class Sources(NamedTuple):
    """Where packages come from; the names are those of the options of pip and uv.

    Attributes:
        index_url: The package index.
        extra_index_url: Further indexes.
        find_links: Folders, or pages with links.
        no_index: Whether to look nowhere else than in ``find_links``.
        constraint: Files with versions to keep to.
        pre: Whether pre-releases are welcome.
        no_build_isolation: Whether to build with the tools of this environment.
    """

    index_url: str | None = None
    extra_index_url: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    constraint: tuple[str, ...] = ()
    pre: bool = False
    no_build_isolation: bool = False

    def arguments(self) -> list[str]:
        """As arguments of pip and uv alike, without ``pre``."""
        found = ["--index-url", self.index_url] if self.index_url else []
        for option, values in (("--extra-index-url", self.extra_index_url), ("--find-links", self.find_links)):
            found += [part for value in values for part in (option, value)]
        found += ["--no-index"] if self.no_index else []
        return [*found, *(["--no-build-isolation"] if self.no_build_isolation else [])]


class Planned(NamedTuple):
    """One distribution that an installation would install.

    Attributes:
        name: Its name, normalised.
        version: Its version.
        url: The direct reference it comes from, if it does not come from an index or folder of links.
        requires: Its requirements; None if the installer does not tell.
        extras: The extras that it offers; None if the installer does not tell.
        externals: What it requires that is no Python distribution.
        hashes: Digests of the file, such as ``sha256:...``.
        is_again: Whether the same version is there and is installed again.
    """

    name: str
    version: str
    url: str = ""
    requires: tuple[str, ...] | None = None
    extras: tuple[str, ...] | None = None
    externals: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    is_again: bool = False


class Installer(Protocol):
    """What pip and uv have in common here."""

    name: str

    def resolve(
        self,
        specs: Sequence[str],
        sources: Sources,
        pins: Mapping[str, str],
        *,
        upgrade: bool,
        on_line: OnLine,
        afresh: bool = False,
    ) -> list[Planned]:
        """What would be installed, or with ``afresh`` if nothing were installed yet; nothing is changed."""

    def build(self, source: str, folder: str, sources: Sources, on_line: OnLine) -> str:
        """Make a wheel of a project, or get that of a URL, and return its path."""

    def fetch(
        self, planned: Sequence[Planned], folder: str, sources: Sources, on_line: OnLine, lock: int
    ) -> list[Wheel]:
        """Get what will be installed, so that all that can be missing is missed before anything changes."""

    def install(
        self,
        specs: Sequence[str],
        planned: Sequence[Planned],
        folder: str,
        sources: Sources,
        on_line: OnLine,
        lock: int,
    ) -> None:
        """Install what was planned and fetched."""

    def uninstall(self, names: Sequence[str], on_line: OnLine, lock: int) -> None:
        """Remove distributions."""


def find_installer(name: str = "auto") -> Installer:
    """The installer to use.

    Args:
        name: ``pip``, ``uv``, or ``auto``: pip if this environment has it, else uv.

    Raises:
        PluginEnvironmentError: It is not there.
    """
    if name in ("auto", "pip") and importlib.util.find_spec("pip"):
        return Pip()
    if name in ("auto", "uv") and (uv := shutil.which("uv")):
        return Uv(uv)
    missing = "neither pip nor uv is" if name == "auto" else f"{name} is not"
    raise PluginEnvironmentError(f"{missing} there for {sys.prefix}: '{sys.executable} -m ensurepip' installs pip")


class Pip:
    """pip of this environment."""

    name = "pip"

    def resolve(
        self,
        specs: Sequence[str],
        sources: Sources,
        pins: Mapping[str, str],
        *,
        upgrade: bool,
        on_line: OnLine,
        afresh: bool = False,
    ) -> list[Planned]:
        """What would be installed, from ``pip install --dry-run --report``."""
        with TemporaryDirectory(prefix="aimm-plan-") as folder:
            report = os.path.join(folder, "report.json")
            arguments = [*_constraints(sources, pins, folder), *(["--upgrade"] if upgrade else []), *specs]
            options = ["--dry-run", "--report", report, *_pip_options(sources)]
            options += ["--ignore-installed"] if afresh else []
            run_installer([*self._pip("install"), *options, *arguments], "planning the installation", "pip", on_line)
            with open(report, encoding="utf-8") as file:
                return [_planned(item) for item in json.load(file)["install"]]

    def build(self, source: str, folder: str, sources: Sources, on_line: OnLine) -> str:
        """Make a wheel of a project, or get that of a URL, with ``pip wheel``."""
        with TemporaryDirectory(prefix="aimm-build-") as own:
            command = [*self._pip("wheel"), "--no-deps", "--wheel-dir", own, *_pip_options(sources), source]
            run_installer(command, f"building {source}", "pip", on_line)
            (wheel,) = wheels_in(own)
            return shutil.move(wheel, folder)

    def fetch(
        self, planned: Sequence[Planned], folder: str, sources: Sources, on_line: OnLine, lock: int
    ) -> list[Wheel]:
        """Download, and build where there is no wheel."""
        if planned:
            what = [f"{p.name} @ {p.url}" if p.url else f"{p.name}=={p.version}" for p in planned]
            command = [*self._pip("wheel"), "--no-deps", "--wheel-dir", folder, *_pip_options(sources), *what]
            run_installer(command, "fetching the packages", "pip", on_line, lock)
        return [read_wheel(path) for path in wheels_in(folder)]

    def install(
        self,
        specs: Sequence[str],
        planned: Sequence[Planned],
        folder: str,
        sources: Sources,
        on_line: OnLine,
        lock: int,
    ) -> None:
        """Install without an index; only what is named gets pip's mark of what was asked for."""
        with TemporaryDirectory(prefix="aimm-pins-") as pins:
            constraints = _constraints(Sources(), {p.name: p.version for p in planned}, pins)
            command = [*self._pip("install"), "--no-index", "--find-links", folder, "--no-warn-script-location"]
            if again := [f"{p.name}=={p.version}" for p in planned if p.is_again]:
                run_installer([*command, "--no-deps", "--force-reinstall", *again], "installing", "pip", on_line, lock)
            run_installer([*command, *constraints, *specs], "installing", "pip", on_line, lock)

    def uninstall(self, names: Sequence[str], on_line: OnLine, lock: int) -> None:
        """Remove distributions."""
        run_installer([*self._pip("uninstall"), "--yes", *names], "uninstalling", "pip", on_line, lock)

    def _pip(self, command: str) -> list[str]:
        # With -P: a file pip.py where the user stands is not pip.
        return [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", command]


class Uv:
    """uv, on this environment.

    Args:
        program: Where it is.
    """

    name = "uv"

    def __init__(self, program: str) -> None:
        self._program = program

    def resolve(
        self,
        specs: Sequence[str],
        sources: Sources,
        pins: Mapping[str, str],
        *,
        upgrade: bool,
        on_line: OnLine,
        afresh: bool = False,
    ) -> list[Planned]:
        """What would be installed, from ``uv pip install --dry-run``."""
        with TemporaryDirectory(prefix="aimm-plan-") as folder:
            arguments = [*_constraints(sources, pins, folder), *(["--upgrade"] if upgrade else []), *specs]
            options = ["--dry-run", "--output-format", "json", *_uv_options(sources)]
            options += ["--target", os.path.join(folder, "empty")] if afresh else []
            command = [*self._uv("install"), *options, *arguments]
            text = run_installer(command, "planning the installation", "uv", on_line)
        start = 0 if text.startswith("{") else text.find("\n{") + 1  # messages for people stand before and behind
        document, _ = json.JSONDecoder().raw_decode(text, start)
        kinds = ("installed", "reinstalled")
        changes = [change for change in document["changes"] if change["action"] in kinds]
        return [Planned(canonicalize_name(change["name"]), change["version"]) for change in changes]

    def build(self, source: str, folder: str, sources: Sources, on_line: OnLine) -> str:
        """Make a wheel of a project with ``uv build``."""
        if not os.path.exists(source):
            raise PluginEnvironmentError(
                f"uv makes no wheel of {source!r}: use --installer pip, or get the project and name its folder"
            )
        with TemporaryDirectory(prefix="aimm-build-") as own:
            command = [self._program, "build", "--wheel", "--out-dir", own, "--python", sys.executable]
            run_installer([*command, *sources.arguments(), source], f"building {source}", "uv", on_line)
            (wheel,) = wheels_in(own)
            return shutil.move(wheel, folder)

    def fetch(
        self, planned: Sequence[Planned], folder: str, sources: Sources, on_line: OnLine, lock: int
    ) -> list[Wheel]:
        """Install to a folder beside: uv, which downloads no wheels, then has everything in its cache."""
        found = [read_wheel(path) for path in wheels_in(folder)]
        if planned:
            tree = os.path.join(folder, "tree")
            what = [f"{p.name}=={p.version}" for p in planned]
            command = self._uv("install", "--target", tree, "--no-deps", *_uv_options(sources), *what)
            run_installer(command, "fetching the packages", "uv", on_line, lock)
            found += [unpacked_wheel(package, tree) for package in read_installed([tree]).values()]
        return found

    def install(
        self,
        specs: Sequence[str],
        planned: Sequence[Planned],
        folder: str,
        sources: Sources,
        on_line: OnLine,
        lock: int,
    ) -> None:
        """Install: first, and from nowhere else, what was built here."""
        with TemporaryDirectory(prefix="aimm-pins-") as pins:
            constraints = _constraints(Sources(), {p.name: p.version for p in planned}, pins)
            again = [part for p in planned if p.is_again for part in ("--reinstall-package", p.name)]
            if built := [read_wheel(path).package for path in wheels_in(folder)]:
                local = ["--no-index", "--find-links", folder, "--no-deps", *again]
                command = self._uv("install", *local, *(f"{p.name}=={p.version}" for p in built))
                run_installer(command, "installing", "uv", on_line, lock)
            options = [*_uv_options(sources), "--find-links", folder]
            run_installer(self._uv("install", *options, *constraints, *specs), "installing", "uv", on_line, lock)

    def uninstall(self, names: Sequence[str], on_line: OnLine, lock: int) -> None:
        """Remove distributions."""
        run_installer(self._uv("uninstall", *names), "uninstalling", "uv", on_line, lock)

    def _uv(self, command: str, *arguments: str) -> list[str]:
        return [
            self._program,
            "pip",
            command,
            "--no-progress",
            "--color",
            "never",
            "--python",
            sys.executable,
            *arguments,
        ]


def _pip_options(sources: Sources) -> list[str]:
    return [*sources.arguments(), *(["--pre"] if sources.pre else [])]


def _uv_options(sources: Sources) -> list[str]:
    return [*sources.arguments(), *(["--prerelease", "allow"] if sources.pre else [])]


def _constraints(sources: Sources, pins: Mapping[str, str], folder: str) -> list[str]:
    files: Iterable[str] = sources.constraint
    if pins:
        path = os.path.join(folder, "pins.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{name}=={version}\n" for name, version in pins.items())
        files = [*files, path]
    return [part for path in files for part in ("--constraint", path)]


def _planned(item: dict[str, Any]) -> Planned:
    metadata, info = item["metadata"], item["download_info"]
    hashes = info.get("archive_info", {}).get("hashes", {})
    return Planned(
        canonicalize_name(metadata["name"]),
        metadata["version"],
        direct_url(info) if item["is_direct"] else "",
        tuple(metadata.get("requires_dist", ())),
        tuple(canonicalize_name(extra) for extra in metadata.get("provides_extra", ())),
        tuple(metadata.get("requires_external", ())),
        tuple(f"{kind}:{digest}" for kind, digest in hashes.items()),
    )
