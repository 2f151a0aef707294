"""Lock files: ``requirements.txt`` made from ``requirements.in``, in the form of pip-compile."""

import os
import platform
from collections.abc import Iterable, Mapping

from aimm.environment._folders import VARIANTS, Project
from aimm.environment._installed import Installed
from aimm.environment._installers import Installer, OnLine, Planned, Sources
from aimm.environment._needs import closure, needed_by
from aimm.environment._requirements import read_requirements
from aimm.errors import RequirementsFileError
from aimm.store._atomic import write_atomically


def compile_lock(
    project: Project, variant: str, installer: Installer, sources: Sources, pins: Mapping[str, str], on_line: OnLine
) -> Project:
    """Write the lock file of a project anew.

    Args:
        project: The project.
        variant: ``cpu`` or ``gpu``.
        installer: Resolves.
        sources: Where packages come from.
        pins: Versions to keep to, as those of the host.
        on_line: Called with each line that the installer writes.

    Returns:
        The project with the lock file.

    Raises:
        RequirementsFileError: There is nothing to compile.
    """
    if variant not in project.inputs:
        missing = os.path.join(project.path, f"{VARIANTS[variant]}.in")
        raise RequirementsFileError(missing, 0, "is not there; --lock makes the lock file from it")
    lines = [line.text for line in read_requirements(project.inputs[variant])]
    planned = installer.resolve(lines, sources, pins, upgrade=True, on_line=on_line, afresh=True) if lines else []
    path = os.path.join(project.path, f"{VARIANTS[variant]}.txt")
    write_atomically(path, [_text(planned, lines, variant).encode()])
    return project._replace(locks={**project.locks, variant: path})


def _text(planned: Iterable[Planned], lines: Iterable[str], variant: str) -> str:
    # The input as a distribution that needs its lines: then who needs what is one question.
    name = f"-r {VARIANTS[variant]}.in"
    packages = {p.name: Installed(p.name, p.version, p.requires or ()) for p in planned}
    packages[name] = Installed(name, "", tuple(lines))
    wanting = needed_by(packages, closure(packages, {name: ()}))
    text = ["#", f"# made from {VARIANTS[variant]}.in for Python {'.'.join(platform.python_version_tuple()[:2])}", "#"]
    for planned_name in sorted(packages.keys() - {name}):
        text.append(f"{planned_name}=={packages[planned_name].version}")
        if users := sorted({user for user, _ in wanting.get(planned_name, [])}):
            text.append(f"    # via {', '.join(users)}")
    return "\n".join(text) + "\n"
