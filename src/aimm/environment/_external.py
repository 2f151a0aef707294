"""Requirements that are no Python distributions: programs and libraries of the machine."""

import re
import shutil
from collections.abc import Iterable
from ctypes.util import find_library

from packaging.markers import InvalidMarker, Marker

_SHAPE = re.compile(r"\s*([^\s(<>=!~;]+)\s*([^;]*?)\s*(?:;(.*))?")


def missing_externals(requirements: Iterable[str]) -> list[str]:
    """Which entries of ``Requires-External`` are not met on this machine.

    An entry is a program on the search path (``nvidia-smi``, ``ffmpeg``) or a library that the linker finds
    (``libcuda`` or ``cuda``), with a marker if need be. A version stands there for people: programs have no common way
    to tell theirs.

    Args:
        requirements: The entries.

    Returns:
        Those that are missing, without their markers.
    """
    missing = []
    for requirement in requirements:
        match = _SHAPE.fullmatch(requirement)
        if match is None or not _applies(match[3]):
            continue
        name = match[1]
        library = re.sub(r"^lib|(\.so[.\d]*|\.dylib|\.dll)$", "", name)
        if shutil.which(name) is None and find_library(library) is None and find_library(name) is None:
            missing.append(f"{name} {match[2]}".strip())
    return missing


def _applies(marker: str | None) -> bool:
    try:
        return marker is None or Marker(marker).evaluate({"extra": ""})
    except InvalidMarker:
        return True
