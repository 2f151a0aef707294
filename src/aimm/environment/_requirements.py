"""Requirements files: of plugins in the layout with ``requirements.in``, constraints, and what ``freeze`` writes."""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from aimm.errors import RequirementsFileError

_OPTION = re.compile(r"\s--hash[= ](\S+)")
_INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)[= ]\s*(\S+)")


class Line(NamedTuple):
    """A requirement in a file.

    Attributes:
        text: The requirement.
        hashes: The digests of the files that are accepted, such as ``sha256:...``; any file if there are none.
        path: The file.
        number: The line in it.
    """

    text: str
    hashes: tuple[str, ...]
    path: str
    number: int

    @property
    def requirement(self) -> Requirement:
        """It, parsed."""
        return Requirement(self.text)

    @property
    def name(self) -> str:
        """The name of the distribution, normalised."""
        return canonicalize_name(self.requirement.name)

    @property
    def pin(self) -> str:
        """The version that it pins; empty if it leaves a choice."""
        specifiers = list(self.requirement.specifier)
        pinned = len(specifiers) == 1 and specifiers[0].operator == "==" and "*" not in specifiers[0].version
        return specifiers[0].version if pinned else ""

    @property
    def applies(self) -> bool:
        """Whether its marker holds on this machine."""
        marker = self.requirement.marker
        return marker is None or marker.evaluate({"extra": ""})


def read_requirements(path: str) -> list[Line]:
    """Read a requirements or constraints file, with the files that it includes.

    Args:
        path: The file.

    Raises:
        RequirementsFileError: It cannot be read, or has a line that is no requirement.
    """
    return list(_read(os.path.abspath(path), ()))


def _read(path: str, outer: tuple[str, ...]) -> Iterator[Line]:
    if path in outer:
        return
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RequirementsFileError(path, 0, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    for number, line in _logical_lines(text):
        if match := _INCLUDE.fullmatch(line):
            yield from _read(os.path.join(os.path.dirname(path), match[1]), (*outer, path))
        elif line.startswith("-"):
            raise RequirementsFileError(
                path, number, f"{line.split()[0]!r} is not supported here: give it as an option of the command"
            )
        else:
            bare = _OPTION.split(line)[0].strip()
            try:
                Requirement(bare)
            except InvalidRequirement as error:
                raise RequirementsFileError(
                    path, number, f"{bare!r} is no requirement such as 'name>=1.0': {str(error).splitlines()[0]}"
                ) from error
            yield Line(bare, tuple(_OPTION.findall(line)), path, number)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    waiting, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start or number
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        if line.endswith("\\"):
            waiting += line[:-1] + " "
            continue
        if whole := (waiting + line).strip():
            yield start, whole
        waiting, start = "", 0
    if waiting.strip():
        yield start, waiting.strip()
