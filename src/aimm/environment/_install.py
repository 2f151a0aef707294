"""Installing plugins: a plan that says what would happen, and the transaction that makes it happen."""

import os
import shutil
from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import NamedTuple

from aimm._types import StateCallback
from aimm.environment import _journal
from aimm.environment._external import missing_externals
from aimm.environment._installed import HOST, Installed, Packages, read_installed
from aimm.environment._installers import Planned, Sources, find_installer
from aimm.environment._ledger import Addition, Change, Entry, Ledger, read_ledger
from aimm.environment._needs import Need, closure, extras_in_use, needed_by
from aimm.environment._place import ledger_path
from aimm.environment._progress import Progress
from aimm.environment._removal import Step, with_recorded_needs
from aimm.environment._targets import Target, Workshop
from aimm.environment._wheels import Wheel
from aimm.errors import HostConflictError, InstallerError, PluginEnvironmentError, RequirementsFileError


class InstallRequest(NamedTuple):
    """What to install.

    Attributes:
        specs: Requirements, wheels, folders or URLs.
        folder: A folder with plugin projects, all of which are wanted.
        gpu: Whether the GPU variants are wanted: the extra ``gpu``, or ``requirements-gpu``.
        upgrade: Whether the newest version is wanted where one is installed.
        lock: Whether the lock files of projects with ``requirements.in`` are to be made anew first.
        sources: Where packages come from.
        pins: Versions to keep to.
        installer: ``pip``, ``uv`` or ``auto``.
        requirements: What some targets need beside their metadata.
    """

    specs: tuple[str, ...] = ()
    folder: str = ""
    gpu: bool = False
    upgrade: bool = False
    lock: bool = False
    sources: Sources = Sources()
    pins: Mapping[str, str] = {}
    installer: str = "auto"
    requirements: Mapping[str, tuple[str, ...]] = {}


class InstallPlan:
    """What an installation would do. A context manager: at its end what was built for it is deleted.

    Args:
        request: What to install.
        state_cb: Called with the progress of making the plan.

    Attributes:
        add: What is not there yet.
        change: What is there in another version, or will be installed again.
        remarks: What should be known beside that.

    Raises:
        HostConflictError: It would change a dependency of the host.
        InstallerError: The installer found no way to do it.
        PluginEnvironmentError: The request cannot be understood.
        RequirementsFileError: A requirements file cannot be used.
    """

    add: tuple[Step, ...]
    change: tuple[Step, ...]
    remarks: tuple[str, ...]

    def __init__(self, request: InstallRequest, state_cb: StateCallback | None = None) -> None:
        self._request = request
        self._progress = Progress(state_cb)
        self._installer = find_installer(request.installer)
        self._packages = read_installed()
        self._folder = TemporaryDirectory(prefix="aimm-install-")
        try:
            self._make()
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> "InstallPlan":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def is_empty(self) -> bool:
        """Whether everything is there already."""
        return not (self.add or self.change)

    @property
    def names(self) -> list[str]:
        """The names of what was asked for."""
        return [target.name for target in self._targets]

    def apply(self, state_cb: StateCallback | None = None) -> None:
        """Install what was planned, all of it or nothing; ``remarks`` then has what only became known by that.

        Args:
            state_cb: Called with the progress.

        Raises:
            EnvironmentBusyError: Another process changes the environment.
            InstallerError: The installer failed; the environment is as before.
            PluginEnvironmentError: The environment is not the one that was planned for, or cannot be written.
        """
        progress = Progress(state_cb, total=4 * len(self._planned) + 2)
        with _journal.acting_on(self._packages) as lock:
            if self.is_empty:
                _journal.write_ledger(self._ledger_after())
                return
            with _journal.preparing():
                wheels = self._fetch(progress, lock)
                replaced = [self._packages[step.name] for step in self.change]
                _journal.begin(f"install {' '.join(self.names)}", replaced, wheels)
            with _journal.changing():
                specs = [*self._exact_specs(), *self._line_specs()]
                folder = _journal.wheel_folder()
                self._installer.install(specs, self._planned, folder, self._request.sources, progress, lock)
                _journal.commit(self._ledger_after())

    def _make(self) -> None:
        request = self._request
        self._host = host_versions(self._packages)
        workshop = Workshop(
            self._installer,
            self._folder.name,
            request.sources,
            request.gpu,
            request.lock,
            self._host,
            self._progress,
        )
        self._targets = list(workshop.targets(request.specs, request.folder))
        if not self._targets:
            raise PluginEnvironmentError("nothing to install: name a plugin, or a folder of plugins with --from")
        self._needs = {t.name: tuple(line.text for line in t.lines) for t in self._targets if t.lines}
        self._needs |= request.requirements
        self._planned = self._resolve()
        self._check_hashes()
        before = self._packages
        new = {p.name: _as_installed(p, self._targets) for p in self._planned}
        reasons = _Reasons({**before, **with_recorded_needs(new, self._needs)}, self._targets)
        steps = [Step(p.name, p.version, reasons.why(p.name)) for p in self._planned]
        self.add = tuple(sorted(step for step in steps if step.name not in before))
        changed = [s._replace(version=before[s.name].version, to=s.version) for s in steps if s.name in before]
        self.change = tuple(sorted(changed))
        self.remarks = tuple(self._remarks())
        self._owners = {p.name: reasons.owner(p.name) for p in self._planned}

    def _resolve(self) -> list[Planned]:
        request, host = self._request, self._host
        lines = [line for lines in self._needs.values() for line in lines]
        specs = [t.spec for t in self._targets] + lines

        def resolve(pins: Mapping[str, str]) -> list[Planned]:
            return self._installer.resolve(
                specs, request.sources, pins, upgrade=request.upgrade, on_line=self._progress
            )

        try:
            planned = resolve({**request.pins, **host})
        except InstallerError as error:
            try:
                free = resolve(request.pins)
            except InstallerError:
                raise error from None
            new = {p.name: _as_installed(p, self._targets) for p in free}
            reasons = _Reasons({**self._packages, **with_recorded_needs(new, self._needs)}, self._targets)
            changes = [
                f"{p.name} {host[p.name]} -> {p.version}: {reasons.why(p.name)}; aimm-plugins runs on {host[p.name]}"
                for p in free
                if host.get(p.name, p.version) != p.version
            ]
            if not changes:
                raise
            raise HostConflictError(changes) from error
        return self._with_same_version(planned)

    def _with_same_version(self, planned: list[Planned]) -> list[Planned]:
        """Mark, and add where the installer takes it for done, what is built here and there in the same version."""
        names = {p.name for p in planned}
        built = [t.wheel.package for t in self._targets if t.wheel and t.name not in names]
        planned = [*planned, *(Planned(p.name, p.version, "", p.requires, p.extras, p.externals) for p in built)]
        here = {name: package.version for name, package in self._packages.items()}
        return [p._replace(is_again=here.get(p.name) == p.version) for p in planned]

    def _check_hashes(self) -> None:
        wanted = {line.name: line for target in self._targets for line in target.lines if line.hashes}
        for planned in self._planned:
            line = wanted.get(planned.name)
            if line and planned.hashes and not set(planned.hashes) & set(line.hashes):
                raise RequirementsFileError(
                    line.path, line.number, f"{planned.name} {planned.version} is to be had, but with another digest"
                )

    def _remarks(self) -> list[str]:
        offered = {p.name: p.extras for p in self._planned if p.extras is not None}
        offered |= {name: p.extras for name, p in self._packages.items() if name not in offered}
        offered |= {target.name: target.wheel.package.extras for target in self._targets if target.wheel}
        remarks = [
            f"{target.name} offers no extra '{extra}'"
            for target in self._targets
            for extra in target.extras
            if extra not in offered.get(target.name, target.extras)
        ]
        remarks += [
            f"{target.name} declares no plugin of aimm"
            for target in self._targets
            if target.wheel and not target.wheel.package.is_plugin
        ]
        return [*remarks, *(remark for planned in self._planned for remark in _missing(planned))]

    def _fetch(self, progress: Progress, lock: int) -> list[Wheel]:
        folder = _journal.wheel_folder()
        os.makedirs(folder)
        built = {target.name for target in self._targets if target.wheel}
        for name in os.listdir(self._folder.name):
            shutil.copy(os.path.join(self._folder.name, name), folder)
        others = [p for p in self._planned if p.name not in built]
        return self._installer.fetch(others, folder, self._request.sources, progress, lock)

    def _exact_specs(self) -> list[str]:
        versions = {name: package.version for name, package in self._packages.items()}
        versions |= {p.name: p.version for p in self._planned}
        return [target.exact(versions[target.name]) for target in self._targets]

    def _line_specs(self) -> list[str]:
        return [line for lines in self._needs.values() for line in lines]

    def _ledger_after(self) -> Ledger:
        """The ledger once everything is installed, which is checked."""
        now, ledger = read_installed(), read_ledger(ledger_path())
        for p in self._planned:
            if p.name not in now or now[p.name].version != p.version:
                found = now[p.name].version if p.name in now else "nothing"
                raise PluginEnvironmentError(f"{p.name} {p.version} should be installed now, but {found} is")
        known = (remark for p in self._planned for remark in _missing(now[p.name]))  # uv did not tell before
        self.remarks = tuple(dict.fromkeys((*self.remarks, *known)))
        names = {target.name for target in self._targets}
        fresh = [p for p in self._planned if p.name not in self._packages or p.name in ledger.added]
        added = {
            p.name: Addition(
                p.version,
                ledger.added[p.name].plugin if p.name in ledger.added else self._owners[p.name],
                now[p.name].is_requested and p.name not in names,
            )
            for p in fresh
        }
        changed = [
            Change(step.name, step.version, step.to, self._owners[step.name])
            for step in self.change
            if step.name not in ledger.added and step.name not in names and step.version != step.to
        ]
        entries = {target.name: self._entry(target, now[target.name], ledger) for target in self._targets}
        return ledger.with_installation(entries, added, changed)

    def _entry(self, target: Target, installed: Installed, ledger: Ledger) -> Entry:
        old = ledger.plugins.get(target.name)
        is_whole = old.is_whole if old else target.name not in self._packages or target.name in ledger.added
        extras = {*target.extras, *(old.extras if old and not target.wheel else ())} & set(installed.extras)
        needs = self._needs.get(target.name, old.requirements if old else ())
        return Entry(installed.version, tuple(sorted(extras)), needs, target.source, target.variant, is_whole)


class _Reasons:
    """Why something is installed."""

    def __init__(self, packages: Packages, targets: Sequence[Target]) -> None:
        self._roots = {target.name: target.extras for target in targets}
        self._packages = packages
        self._wanting: dict[str, list[tuple[str, Need]]] = needed_by(packages, closure(packages, self._roots))

    def why(self, name: str) -> str:
        """In words."""
        if name in self._roots:
            return "asked for"
        users = [f"{who} needs {need.text}" for who, need in self._wanting.get(name, [])]
        return "; ".join(users[:3]) or f"needed by {self.owner(name)}"

    def owner(self, name: str) -> str:
        """The target that it is installed for."""
        if name in self._roots:
            return name
        reaching = [root for root, extras in self._roots.items() if name in closure(self._packages, {root: extras})]
        return next(iter([*reaching, *self._roots]))


def host_versions(packages: Packages) -> dict[str, str]:
    """What the host runs on, with versions: itself and all that it needs."""
    if HOST not in packages:
        return {}
    reached = closure(packages, {HOST: extras_in_use(packages[HOST], packages)})
    return {name: packages[name].version for name in reached}


def _missing(package: Planned | Installed) -> list[str]:
    lacking = missing_externals(package.externals)
    return [f"{package.name} {package.version} needs {what}, which is not on this machine" for what in lacking]


def _as_installed(planned: Planned, targets: Sequence[Target]) -> Installed:
    built = next((t.wheel.package for t in targets if t.wheel and t.name == planned.name), None)
    requires = planned.requires if planned.requires is not None else built.requires if built else ()
    return Installed(planned.name, planned.version, requires, planned.extras or (built.extras if built else ()))
