"""Uninstalling plugins: a plan of what goes with them, and the transaction that removes it."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aimm._types import StateCallback
from aimm.environment import _journal
from aimm.environment._backup import put_back
from aimm.environment._folders import Project, find_projects, read_project
from aimm.environment._installed import HOST, read_installed, recorded_files
from aimm.environment._installers import find_installer
from aimm.environment._kept import kept_files
from aimm.environment._ledger import read_ledger
from aimm.environment._place import ledger_path, prefix
from aimm.environment._progress import Progress
from aimm.environment._removal import Removal, Step, normalised, plan_removal, with_recorded_needs
from aimm.environment._requirements import Line
from aimm.environment._wheels import Wheel
from aimm.errors import PluginEnvironmentError, StillNeededError


class UninstallRequest(NamedTuple):
    """What to uninstall.

    Attributes:
        names: Distributions, or names of plugins that only one of them offers.
        every: Whether all plugins are meant.
        gpu: Whether plain pip installed the GPU variants.
        folder: A folder with plugin projects, whose requirements files say what plain pip installed for them.
        installer: ``pip``, ``uv`` or ``auto``.
    """

    names: tuple[str, ...] = ()
    every: bool = False
    gpu: bool = False
    folder: str = ""
    installer: str = "auto"


class UninstallPlan:
    """What an uninstallation would do.

    Args:
        request: What to uninstall.

    Attributes:
        remove: What goes.
        restore: What comes back in the version that a plugin had replaced.
        keep: What the plugins need and stays, and why; without what the host itself runs on.
        remarks: What should be known beside that.

    Raises:
        PluginEnvironmentError: A name is not that of a plugin.
        StillNeededError: Something that stays needs one of them.
    """

    remove: tuple[Step, ...]
    restore: tuple[Step, ...]
    keep: tuple[Step, ...]
    remarks: tuple[str, ...]

    def __init__(self, request: UninstallRequest) -> None:
        self._installer = find_installer(request.installer)
        self._packages = read_installed()
        self._ledger = read_ledger(ledger_path())
        self.names = self._find(request)
        lines, pinned = self._recorded(request)
        packages = with_recorded_needs(self._packages, {name: [line.text for line in of] for name, of in lines.items()})
        extras = {name: ["gpu"] for name in self.names} if request.gpu else {}
        staying: list[str] = []
        while True:
            try:
                plan: Removal = plan_removal(packages, self.names, self._ledger, extras=extras, pinned=pinned)
                break
            except StillNeededError as error:
                if not request.every or error.name in self._ledger.plugins:
                    raise
                # It came with something that is no plugin and stays; --all is about what can go.
                staying.append(f"{error.name} stays: it is needed by {', '.join(error.needed_by)}")
                self.names.remove(error.name)
        self.remove, self.keep = plan.remove, plan.keep
        self.restore = tuple(step for step in plan.restore if kept_files(step.name, step.to))
        gone = [
            f"{step.name} stays at {step.version}: the copy of {step.to}, which was there before, is gone; "
            f"'pip install {step.name}=={step.to}' brings it back"
            for step in plan.restore
            if step not in self.restore
        ]
        self.remarks = (*staying, *gone)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.remove or self.restore)

    def apply(self, state_cb: StateCallback | None = None) -> None:
        """Remove what was planned, all of it or nothing.

        Args:
            state_cb: Called with the progress.

        Raises:
            EnvironmentBusyError: Another process changes the environment.
            InstallerError: The installer failed; the environment is as before.
            PluginEnvironmentError: The environment is not the one that was planned for, or cannot be written.
        """
        removed, restored = [step.name for step in self.remove], [step.name for step in self.restore]
        gone = [*removed, *restored]
        progress = Progress(state_cb, total=2 * len(gone) + 1)
        with _journal.acting_on(self._packages) as lock:
            ledger = self._ledger.without([*self.names, *removed], restored)
            if not gone:
                _journal.write_ledger(ledger)
                return
            with _journal.preparing():
                leaving = [self._packages[name] for name in gone]
                _journal.begin(f"uninstall {' '.join(self.names)}", leaving, self._returning())
            with _journal.changing():
                self._installer.uninstall(gone, progress, lock)
                self._put_back_shared(gone)
                for step in self.restore:
                    if kept := kept_files(step.name, step.to):
                        put_back(*kept)
                self._check(gone)
                _journal.commit(ledger)

    def _find(self, request: UninstallRequest) -> list[str]:
        ours = {name for name, p in self._packages.items() if p.is_plugin and p.is_own and name != HOST}
        if request.every:
            # Plugins that merely came with another one go with it, or stay with who needs them.
            return sorted({*ours, *self._ledger.plugins})
        known = ours | self._ledger.plugins.keys()
        return [self._one(name, known) for name in normalised(request.names)]

    def _one(self, name: str, known: set[str]) -> str:
        if name in known:
            return name
        if name == HOST:
            raise PluginEnvironmentError(f"{HOST} is the host, not a plugin: 'pip uninstall {HOST}' removes it")
        if name in self._packages:
            package = self._packages[name]
            where = "is no plugin" if package.is_own else f"does not belong to {sys.prefix}"
            raise PluginEnvironmentError(f"{name} {where}: 'pip uninstall {name}' is the command for it")
        offering = [other for other in known if other in self._packages and name in self._packages[other].offers]
        if len(offering) == 1:
            return offering[0]
        from difflib import get_close_matches

        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"installed: {', '.join(sorted(known)) or 'none'}"
        raise PluginEnvironmentError(f"no plugin distribution is called {name!r}; {hint}")

    def _recorded(self, request: UninstallRequest) -> tuple[dict[str, list[Line]], dict[str, str]]:
        """What stands in requirements files, of all plugins; and the versions in their lock files."""
        recorded = {
            name: [Line(text, (), "", 0) for text in entry.requirements]
            for name, entry in self._ledger.plugins.items()
            if entry.requirements
        }
        for name, project in self._projects(request.folder):
            if name not in recorded and project.inputs:
                chosen = ("gpu",) if request.gpu and "gpu" in project.inputs else tuple(project.inputs)
                recorded[name] = [line for line in project.every_line(chosen) if line.applies]
        return recorded, {line.name: line.pin for lines in recorded.values() for line in lines if line.pin}

    def _projects(self, folder: str) -> Iterator[tuple[str, Project]]:
        for package in self._packages.values():
            if package.is_plugin and package.folder:
                yield package.name, read_project(package.folder)
        for project in find_projects(folder) if folder else ():
            if project.name in self._packages:
                yield project.name, project

    def _returning(self) -> list[Wheel]:
        return [
            Wheel(self._packages[step.name]._replace(version=step.to), tuple(kept[0]))
            for step in self.restore
            if (kept := kept_files(step.name, step.to))
        ]

    def _put_back_shared(self, gone: Sequence[str]) -> None:
        """Files that several distributions own went with the first of them; the others need them still."""
        staying = [package for name, package in self._packages.items() if name not in gone and package.is_own]
        wanted = {os.path.relpath(path, prefix()) for package in staying for path in recorded_files(package)}
        for copies, folder in _journal.copies().values():
            put_back({file: copy for file, copy in copies.items() if file in wanted}, folder)

    def _check(self, gone: Sequence[str]) -> None:
        now, back = read_installed(), {step.name: step.to for step in self.restore}
        for name in gone:
            found = now[name].version if name in now and now[name].is_own else ""
            if found != back.get(name, ""):
                raise PluginEnvironmentError(
                    f"{name} should be {back.get(name) or 'gone'} now, but {found or 'nothing'} is there"
                )
