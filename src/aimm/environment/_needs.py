"""Who needs what: requirements with their extras and markers evaluated. Pure functions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from aimm.environment._installed import Installed, Packages

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class Need(NamedTuple):
    """A requirement that holds here.

    Attributes:
        name: The distribution that is needed.
        extras: The extras of it that are needed.
        text: The requirement as it is written, without its marker.
        is_readable: Whether it follows the standard; one that does not counts as met by any version.
    """

    name: str
    extras: frozenset[str]
    text: str
    is_readable: bool = True

    def accepts(self, version: str) -> bool:
        """Whether a version meets it."""
        if not self.is_readable:
            return True
        specifier = Requirement(self.text).specifier
        try:
            return specifier.contains(version, prereleases=True)
        except InvalidVersion:
            return not specifier


def needs(package: Installed, extras: Iterable[str] = ()) -> Iterator[Need]:
    """The requirements of a distribution that hold on this machine, with some of its extras.

    Args:
        package: The distribution.
        extras: The extras that were asked for.
    """
    wanted = ["", *extras]
    for text in package.requires:
        need, marker = _parse(text)
        if need and (marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted)):
            yield need


@cache
def _parse(text: str) -> tuple[Need | None, Marker | None]:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        match = _NAME.match(text)
        return (Need(canonicalize_name(match[1]), frozenset(), text, False) if match else None), None
    marker, requirement.marker = requirement.marker, None
    extras = frozenset(map(canonicalize_name, requirement.extras))
    return Need(canonicalize_name(requirement.name), extras, str(requirement)), marker


def closure(packages: Packages, roots: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Everything installed that some distributions need, directly or not, themselves included.

    Args:
        packages: What is installed.
        roots: Names of distributions, with the extras that were asked for.

    Returns:
        Names, with the extras of each that are in use.
    """
    reached: dict[str, frozenset[str]] = {}
    waiting = [(name, frozenset(extras)) for name, extras in roots.items()]
    while waiting:
        name, extras = waiting.pop()
        known = reached.get(name)
        if name not in packages or (known is not None and extras <= known):
            continue
        reached[name] = extras | (known or frozenset())
        waiting += [(need.name, need.extras) for need in needs(packages[name], reached[name])]
    return reached


def needed_by(packages: Packages, reached: Mapping[str, Iterable[str]]) -> dict[str, list[tuple[str, Need]]]:
    """For each distribution, who of a closure needs it, and how."""
    found: dict[str, list[tuple[str, Need]]] = {}
    for name, extras in reached.items():
        for need in needs(packages[name], extras):
            if need.name != name:
                found.setdefault(need.name, []).append((name, need))
    return found


def extras_in_use(package: Installed, packages: Packages, not_counting: Iterable[str] = ()) -> frozenset[str]:
    """The extras that whoever installed a distribution may have asked for: pip keeps no note of that.

    Args:
        package: A distribution that was asked for by name.
        packages: What is installed.
        not_counting: Distributions that are known to be there for another reason.

    Returns:
        The extras that add requirements, all of which are installed.
    """
    ignored = set(not_counting)
    present = {name: other for name, other in packages.items() if name not in ignored}
    return frozenset(
        extra for extra in package.extras if _added(package, extra) and _is_met(package, extra, present, frozenset())
    )


def _added(package: Installed, extra: str) -> set[Need]:
    """What an extra requires beside what is required anyway."""
    return set(needs(package, [extra])) - set(needs(package))


def _is_met(package: Installed, extra: str, present: Packages, seen: frozenset[tuple[str, str]]) -> bool:
    if (package.name, extra) in seen:
        return True
    seen |= {(package.name, extra)}
    for need in _added(package, extra):
        # Of itself too: all = ["self[a,b]"].
        other = package if need.name == package.name else present.get(need.name)
        if other is None or not all(_is_met(other, inner, present, seen) for inner in need.extras):
            return False
    return True
