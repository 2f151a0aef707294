"""Whether what is installed fits together, and fits what a file asks for."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from aimm.environment import _journal
from aimm.environment._conda import read_environment
from aimm.environment._external import missing_externals
from aimm.environment._installed import HOST, Installed, Packages, read_installed
from aimm.environment._ledger import read_ledger
from aimm.environment._needs import closure, extras_in_use, needs
from aimm.environment._place import ledger_path
from aimm.environment._removal import with_recorded_needs
from aimm.environment._requirements import read_requirements
from aimm.errors import LedgerError


class Deviation(NamedTuple):
    """Something that is not as it should be.

    Attributes:
        name: What it is about.
        wanted: What is required of it, by whom.
        found: What is there.
    """

    name: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.name}: {self.wanted}, {self.found}"


def verify(environment: str | None = None, constraints: str | None = None) -> list[Deviation]:
    """Compare what is installed with what it needs, and with files.

    Args:
        environment: A conda ``environment.yml``; its parts for conda and for pip count.
        constraints: A constraints or requirements file.

    Returns:
        All deviations, in order of name; an empty list if there is none.

    Raises:
        RequirementsFileError: A file cannot be used.
    """
    packages = read_installed()
    found = [*_unmet(packages), *_externals(packages), *_interrupted()]
    if constraints:
        found += _against_constraints(packages, constraints)
    if environment:
        found += read_environment(environment).deviations(packages)
    return sorted(Deviation(*deviation) for deviation in found)


def _unmet(packages: Packages) -> Iterator[tuple[str, str, str]]:
    try:
        ledger = read_ledger(ledger_path())
    except LedgerError as error:
        yield "ledger", "should be readable", str(error)
        return
    packages = with_recorded_needs(packages, {name: entry.requirements for name, entry in ledger.plugins.items()})
    roots = {name: frozenset[str]() for name in packages}
    roots |= {name: frozenset(entry.extras) for name, entry in ledger.plugins.items()}
    if HOST in packages:
        roots[HOST] = extras_in_use(packages[HOST], packages)
    for name, extras in closure(packages, roots).items():
        for need in needs(packages[name], extras):
            title = packages[name].title
            if not need.is_readable:
                yield need.name, f"{title} needs {need.text!r}", "which is no valid requirement"
            elif need.name not in packages:
                yield need.name, f"{title} needs {need.text}", "but it is not installed"
            elif not need.accepts(packages[need.name].version):
                yield need.name, f"{title} needs {need.text}", f"but {packages[need.name].version} is installed"


def _externals(packages: Packages) -> Iterator[tuple[str, str, str]]:
    for name, missing in external_remarks(packages).items():
        title = packages[name].title
        for what in missing:
            yield what.split()[0], f"{title} needs {what}", "but no such program or library is on this machine"


def _interrupted() -> Iterator[tuple[str, str, str]]:
    if os.path.exists(_journal.pending()) and (action := _journal.interrupted()):
        yield action, "was begun", "but has not ended; the next install or uninstall undoes it"


def _against_constraints(packages: Packages, path: str) -> Iterator[tuple[str, str, str]]:
    for line in read_requirements(path):
        package: Installed | None = packages.get(line.name)
        if package and line.applies and not line.requirement.specifier.contains(package.version, prereleases=True):
            place = f"{os.path.basename(line.path)} line {line.number}"
            yield line.name, f"{place} wants {line.text}", f"but {package.version} is installed"


def external_remarks(packages: Packages | None = None) -> dict[str, list[str]]:
    """For each distribution, the programs and libraries that it requires and that are missing on this machine."""
    found = {name: missing_externals(p.externals) for name, p in (packages or read_installed()).items() if p.externals}
    return {name: missing for name, missing in found.items() if missing}
