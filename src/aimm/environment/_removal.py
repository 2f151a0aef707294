"""What can go with a plugin: what nothing else needs. Pure functions, so that they can be tested on any graph."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from packaging.utils import canonicalize_name

from aimm.environment._installed import HOST, TOOLS, Installed, Packages
from aimm.environment._ledger import Change, Ledger
from aimm.environment._needs import Need, closure, extras_in_use, needed_by
from aimm.errors import StillNeededError


class Step(NamedTuple):
    """What happens to one distribution.

    Attributes:
        name: The distribution.
        version: Its version.
        why: The reason, in words.
        to: The version that comes back, if one does.
    """

    name: str
    version: str
    why: str
    to: str = ""


class Removal(NamedTuple):
    """What an uninstallation does.

    Attributes:
        remove: What goes.
        restore: What a plugin had replaced by another version, and comes back as it was.
        keep: What the plugins need and stays, and why; without what the host itself runs on.
    """

    remove: tuple[Step, ...]
    restore: tuple[Step, ...]
    keep: tuple[Step, ...]


def with_recorded_needs(packages: Packages, recorded: Mapping[str, Iterable[str]]) -> dict[str, Installed]:
    """What is installed, where some distributions also need what stands in their requirements files.

    Args:
        packages: What is installed.
        recorded: Names of distributions to further requirements of theirs.
    """
    more = {name: tuple(lines) for name, lines in recorded.items() if name in packages}
    changed = {name: packages[name]._replace(requires=(*packages[name].requires, *more[name])) for name in more}
    return {**packages, **changed}


def plan_removal(
    packages: Packages,
    targets: Sequence[str],
    ledger: Ledger,
    *,
    extras: Mapping[str, Iterable[str]] | None = None,
    pinned: Mapping[str, str] | None = None,
) -> Removal:
    """Find out what goes with some plugins.

    Everything that is not a dependency of theirs stays, and so does what that needs. Of their dependencies go those
    that the ledger says were added, or, without a ledger entry, those that nobody asked for by name.

    Args:
        packages: What is installed, with the needs that stand in requirements files.
        targets: Normalised names of what is to go; those that are only in the ledger may be gone already.
        ledger: What installations added.
        extras: Extras of the targets that are known to be in use.
        pinned: Versions in lock files of plugins: an installer's mark on one of them is not the user's wish.

    Raises:
        StillNeededError: Something that stays needs a target.
    """
    chosen = [name for name in targets if name in packages]
    used = {name: _extras_of(packages[name], packages, ledger, extras or {}) for name in chosen}
    reached = closure(packages, used)
    wished = {name: why for name in packages if (why := _wish(packages[name], ledger, pinned or {}))}
    candidates = {name for name in _brought(chosen, packages, ledger) if name in reached}
    candidates |= {name for name, a in ledger.added.items() if a.plugin in targets and name in packages}
    candidates = (candidates - wished.keys()) | set(chosen)
    staying = {
        name: extras_in_use(package, packages, ledger.added) if name in wished else frozenset[str]()
        for name, package in packages.items()
        if name not in candidates
    }
    staying |= {name: frozenset(ledger.plugins[name].extras) for name in staying.keys() & ledger.plugins.keys()}
    needed = closure(packages, staying)
    host = closure(packages, {HOST: staying[HOST]}) if HOST in staying else {}
    wanting = needed_by(packages, needed)
    for name in chosen:
        if name in needed:
            raise StillNeededError(name, [f"{packages[who].title} ({need.text})" for who, need in wanting[name]])
    users = {plugin: closure(packages, {plugin: packages[plugin].extras}) for plugin in chosen}
    remove = [Step(name, packages[name].version, _why_gone(name, users)) for name in candidates]
    keep = [
        Step(name, packages[name].version, _why_kept(name, wished, wanting, packages))
        for name in reached
        if name in needed and name not in chosen and name not in host
    ]
    goes = tuple(sorted(step for step in remove if step.name not in needed))
    restore = _restorations(ledger.changed, set(targets) | {step.name for step in goes}, packages, needed)
    return Removal(goes, restore, tuple(sorted(keep)))


def _extras_of(
    package: Installed, packages: Packages, ledger: Ledger, known: Mapping[str, Iterable[str]]
) -> frozenset[str]:
    if package.name in ledger.plugins:
        return frozenset(ledger.plugins[package.name].extras) | frozenset(known.get(package.name, ()))
    return extras_in_use(package, packages) | frozenset(known.get(package.name, ()))


def _brought(chosen: Iterable[str], packages: Packages, ledger: Ledger) -> set[str]:
    # Of a plugin that stands in the ledger, only what the ledger lists was brought. Plain pip, which installed or
    # upgraded the others, keeps no list: of them all counts that nobody asked for by name.
    listed = {plugin: entry.version for plugin, entry in ledger.plugins.items() if entry.is_whole}
    unlisted = [plugin for plugin in chosen if listed.get(plugin) != packages[plugin].version]
    return {*ledger.added, *closure(packages, {plugin: packages[plugin].extras for plugin in unlisted})}


def _wish(package: Installed, ledger: Ledger, pinned: Mapping[str, str]) -> str:
    """Why a distribution is there for its own sake; empty if it is not."""
    name, added = package.name, ledger.added.get(package.name)
    if name == HOST:
        return "the host itself"
    if name in ledger.plugins:
        return "installed by name"
    if not package.is_own:
        return "not part of this environment"
    if package.installer not in ("pip", "uv"):
        return f"installed by {package.installer or 'another program'}"
    if name in TOOLS and added is None:
        return "installs packages"
    if not package.is_requested or pinned.get(name) == package.version:
        return ""
    if added is not None and added.is_marked and added.version == package.version:
        return ""
    return f"installed by name{', or uv marks everything so' if package.installer == 'uv' else ''}"


def _why_gone(name: str, reached: Mapping[str, Iterable[str]]) -> str:
    if name in reached:
        return "asked for"
    users = [plugin for plugin, needed in reached.items() if name in needed]
    return f"only needed by {', '.join(users)}" if users else "was installed for what is gone"


def _why_kept(
    name: str, wished: Mapping[str, str], wanting: Mapping[str, list[tuple[str, Need]]], packages: Packages
) -> str:
    if users := sorted({packages[who].title for who, _ in wanting.get(name, [])}):
        return f"needed by {', '.join(users[:3])}{f' and {len(users) - 3} more' if len(users) > 3 else ''}"
    return wished.get(name, "was there before")


def _restorations(
    changes: Sequence[Change], gone: set[str], packages: Packages, needed: Mapping[str, Iterable[str]]
) -> tuple[Step, ...]:
    wanting = needed_by(packages, needed)
    found: dict[str, Step] = {}
    for change in reversed(changes):
        name = change.name
        current = found[name].to if name in found else packages[name].version if name in packages else ""
        if change.plugin not in gone or name in gone or current != change.after:
            continue
        if all(need.accepts(change.before) for _, need in wanting.get(name, [])):
            why = f"{change.plugin} had replaced it"
            found[name] = Step(name, packages[name].version, why, change.before)
    return tuple(sorted(found.values()))


def normalised(names: Iterable[str]) -> list[str]:
    """Names as the standard compares them, each once."""
    return list(dict.fromkeys(canonicalize_name(name) for name in names))
