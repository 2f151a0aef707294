"""Which files a wheel puts where, and what it says about itself."""

import configparser
import os
import sysconfig
import zipfile
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import compat32
from typing import NamedTuple

from packaging.utils import canonicalize_name

from aimm.environment._installed import Installed, recorded_files
from aimm.environment._place import prefix

_GROUP = "aimm."


class Wheel(NamedTuple):
    """A wheel that is about to be installed.

    Attributes:
        package: It, as if it were installed.
        files: What it writes, as paths relative to the environment; folders end with a separator.
    """

    package: Installed
    files: tuple[str, ...]


def read_wheel(path: str) -> Wheel:
    """Read a wheel."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        info = next(name.split("/")[0] for name in names if name.split("/")[0].endswith(".dist-info"))
        metadata = BytesParser(policy=compat32).parsebytes(archive.read(f"{info}/METADATA"))
        is_pure = b"root-is-purelib: true" in archive.read(f"{info}/WHEEL").lower()
        points = _entry_points(archive, f"{info}/entry_points.txt")
    root = sysconfig.get_path("purelib" if is_pure else "platlib")
    scripts = [f"{info[:-10]}.data/scripts/{name}" for name in points["scripts"]]
    placed = {_place(name, root, str(metadata["Name"])) for name in (*names, *scripts)}
    package = Installed(
        canonicalize_name(metadata["Name"]),
        metadata["Version"],
        tuple(metadata.get_all("Requires-Dist") or ()),
        tuple(canonicalize_name(extra) for extra in metadata.get_all("Provides-Extra") or ()),
        tuple(metadata.get_all("Requires-External") or ()),
        is_plugin=bool(points["ours"]),
        info=os.path.join(root, info),
    )
    # Beside what is in the wheel, installers write notes of their own into the metadata folder.
    files = sorted(os.path.relpath(path, prefix()) for path in placed)
    return Wheel(package, (*files, os.path.relpath(package.info, prefix()) + os.sep))


def unpacked_wheel(package: Installed, tree: str) -> Wheel:
    """What a distribution that was installed to a folder of its own writes into the environment."""
    scripts, root = sysconfig.get_path("scripts"), sysconfig.get_path("purelib")
    files = []
    for path in recorded_files(package):
        name = os.path.relpath(path, tree)
        folder, _, rest = name.partition(os.sep)
        files.append(os.path.join(scripts, rest) if folder == os.path.basename(scripts) else os.path.join(root, name))
    info = os.path.join(root, os.path.basename(package.info))
    relative = sorted(os.path.relpath(path, prefix()) for path in files)
    return Wheel(package._replace(info=info), (*relative, os.path.relpath(info, prefix()) + os.sep))


def _place(name: str, root: str, distribution: str) -> str:
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return os.path.join(root, *name.split("/"))
    scheme, _, rest = rest.partition("/")
    base = sysconfig.get_path({"headers": "include"}.get(scheme, scheme))
    return os.path.join(base, *([distribution] if scheme == "headers" else []), *rest.split("/"))


def _entry_points(archive: zipfile.ZipFile, name: str) -> dict[str, list[str]]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(archive.read(name).decode())
    except (KeyError, ValueError, configparser.Error):
        return {"scripts": [], "ours": []}
    scripts = [key for group in ("console_scripts", "gui_scripts") if group in parser for key in parser[group]]
    return {"scripts": scripts, "ours": [group for group in parser.sections() if group.startswith(_GROUP)]}


def wheels_in(folder: str) -> Iterator[str]:
    """The wheels in a folder."""
    yield from sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".whl"))
