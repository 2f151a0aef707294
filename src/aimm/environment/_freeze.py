"""Writing down which plugins are installed, and reading it back."""

import platform
from collections.abc import Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from aimm.environment._install import InstallRequest, host_versions
from aimm.environment._installed import HOST, Installed, Packages, read_installed
from aimm.environment._installers import Sources
from aimm.environment._ledger import Ledger, read_ledger
from aimm.environment._needs import closure, extras_in_use
from aimm.environment._place import ledger_path
from aimm.environment._removal import with_recorded_needs
from aimm.environment._targets import with_extras
from aimm.errors import RequirementsFileError

_HEAD = "# plugins of aimm, version 1"
_PIN, _NEED = "#: pin ", "#: need "


def freeze() -> str:
    """The plugins of this environment with their versions, as the text of a file for :func:`restore_request`.

    It is a requirements file, which ``pip install -r`` understands too; in comments stand the versions of what the
    plugins need, and of the plugins in the layout with requirements files what these say. What the host runs on is
    left out: it belongs to the host of the environment where the plugins come back.
    """
    packages, ledger = read_installed(), read_ledger(ledger_path())
    recorded = {name: entry.requirements for name, entry in ledger.plugins.items() if entry.requirements}
    roots = _roots(packages, ledger)
    reached = closure(with_recorded_needs(packages, recorded), roots)
    host = host_versions(packages)
    version = packages[HOST].version if HOST in packages else "?"
    lines = [
        f"{_HEAD} (aimm-plugins {version}, Python {platform.python_version()}); for 'aimm plugins restore'",
        *(_line(packages[name], extras, ledger) for name, extras in sorted(roots.items())),
        *(f"{_NEED}{name} {text}" for name in sorted(recorded.keys() & roots.keys()) for text in recorded[name]),
        *(
            f"{_PIN}{packages[n].name}=={packages[n].version}"
            for n in sorted(reached.keys() - roots.keys() - host.keys())
        ),
    ]
    return "\n".join(lines) + "\n"


def restore_request(path: str, sources: Sources = Sources(), installer: str = "auto") -> InstallRequest:  # noqa: B008
    """What to install so that the plugins in a file that :func:`freeze` wrote are back.

    Args:
        path: The file.
        sources: Where packages come from.
        installer: ``pip``, ``uv`` or ``auto``.

    Raises:
        RequirementsFileError: It is not such a file.
    """
    specs: list[str] = []
    pins: dict[str, str] = {}
    needs: dict[str, list[str]] = {}
    for number, line in enumerate(_read(path), 1):
        if line.startswith(_PIN):
            name, _, version = line.removeprefix(_PIN).partition("==")
            pins[canonicalize_name(name)] = version.strip()
        elif line.startswith(_NEED):
            name, _, text = line.removeprefix(_NEED).partition(" ")
            needs.setdefault(name, []).append(text)
        elif line and not line.startswith("#"):
            text = line.partition("  #")[0].strip()
            try:
                specs.append(str(Requirement(text)))
            except InvalidRequirement as error:
                raise RequirementsFileError(path, number, f"{text!r} is no requirement such as 'name==1.0'") from error
    request = {name: tuple(lines) for name, lines in needs.items()}
    return InstallRequest(tuple(specs), sources=sources, pins=pins, installer=installer, requirements=request)


def _read(path: str) -> Sequence[str]:
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RequirementsFileError(path, 0, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not lines or not lines[0].startswith(_HEAD):
        raise RequirementsFileError(
            path, 0, f"was not written by 'aimm plugins freeze': its first line does not begin with {_HEAD!r}"
        )
    return lines


def _roots(packages: Packages, ledger: Ledger) -> dict[str, frozenset[str]]:
    needed = {
        other
        for name, package in packages.items()
        if package.is_plugin
        for other in closure(packages, {name: package.extras})
        if other != name
    }
    found: dict[str, frozenset[str]] = {}
    for name, package in packages.items():
        asked = name in ledger.plugins or (package.is_plugin and (package.is_requested or name not in needed))
        if asked and name != HOST:
            entry = ledger.plugins.get(name)
            found[name] = frozenset(entry.extras) if entry else extras_in_use(package, packages, ledger.added)
    return found


def _line(package: Installed, extras: frozenset[str], ledger: Ledger) -> str:
    named = with_extras(package.name, extras)
    entry = ledger.plugins.get(package.name)
    # What aimm installed from a folder or URL, it built first: the installer saw no more than a temporary wheel.
    source = (entry.source if entry else "") or package.url
    remote = source if "://" in source and not source.startswith("file:") else ""
    if remote:
        return f"{named} @ {remote}"
    return f"{named}=={package.version}{f'  # was installed from {source}' if source else ''}"
