"""What is installed, as plain records; the only file that reads it."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

import importlib_metadata
from packaging.utils import canonicalize_name

from aimm._types import READ_AS

HOST = "aimm-plugins"
TOOLS = frozenset({"pip", "setuptools", "wheel", "uv"})
"""What installs the rest; it is there without anybody needing it."""


class Installed(NamedTuple):
    """One installed distribution.

    Attributes:
        name: Its name, normalised.
        version: Its version.
        requires: Its requirements, as they are written.
        extras: The extras that it offers, normalised.
        externals: What it requires that is no Python distribution.
        is_requested: Whether pip marked it as asked for by name.
        installer: Who installed it: ``pip``, ``uv``, ``conda``; empty if nobody signed.
        is_own: Whether it lies in this environment, and is not merely visible from it.
        is_plugin: Whether it declares an entry point of ours.
        url: Where it came from, if not from an index; of a repository, with the commit.
        info: Its metadata folder.
        offers: The names of its plugins, normalised as names of distributions are.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    externals: tuple[str, ...] = ()
    is_requested: bool = False
    installer: str = "pip"
    is_own: bool = True
    is_plugin: bool = False
    url: str = ""
    info: str = ""
    offers: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    @property
    def folder(self) -> str:
        """The local folder that it was installed from, or nothing."""
        parts = urlsplit(self.url)
        return unquote(parts.path) if parts.scheme == "file" and os.path.isdir(unquote(parts.path)) else ""


Packages: TypeAlias = Mapping[str, Installed]
"""Normalised name to what is installed."""


def read_installed(path: Sequence[str] | None = None) -> dict[str, Installed]:
    """Read what is installed.

    Args:
        path: The folders to look in; those of ``sys.path`` if not given.
    """
    found: dict[str, Installed] = {}
    for distribution in importlib_metadata.distributions(path=list(sys.path if path is None else path)):
        try:
            package = _read(distribution)
        except Exception:  # noqa: BLE001 - metadata that cannot be read names nobody; doctor reports it
            continue
        # The first on the path is the one that is imported; "~" is what pip leaves behind when it is killed.
        if not os.path.basename(package.info).startswith("~"):
            found.setdefault(package.name, package)
    return dict(sorted(found.items()))


def recorded_files(package: Installed) -> Iterator[str]:
    """The absolute paths of the files of a distribution, as its RECORD lists them; none without one."""
    import csv

    try:
        with open(os.path.join(package.info, "RECORD"), encoding="utf-8", newline="") as file:
            rows = [row[0] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error):
        return
    root = os.path.dirname(package.info)
    for row in rows:
        yield os.path.normpath(os.path.join(root, row))


def _read(distribution: Any) -> Installed:
    metadata: Any = distribution.metadata  # parsed anew each time that it is asked for
    requires = metadata.get_all("Requires-Dist")
    info = str(getattr(distribution, "_path", ""))
    offers = sorted({canonicalize_name(p.name) for p in _entry_points(distribution) if p.group in READ_AS})
    direct = json.loads(distribution.read_text("direct_url.json") or "{}")
    return Installed(
        canonicalize_name(metadata["Name"]),
        str(metadata["Version"]),
        tuple(distribution.requires or () if requires is None else requires),
        tuple(sorted(canonicalize_name(extra) for extra in metadata.get_all("Provides-Extra") or ())),
        tuple(metadata.get_all("Requires-External") or ()),
        distribution.read_text("REQUESTED") is not None,
        (distribution.read_text("INSTALLER") or "").strip(),
        is_inside(info, sys.prefix),
        bool(offers),
        direct_url(direct),
        info,
        tuple(offers),
    )


def direct_url(info: Mapping[str, Any]) -> str:
    """The URL in a ``direct_url.json`` (PEP 610), as installers take it; empty if there is none."""
    url = str(info.get("url", ""))
    if vcs := info.get("vcs_info"):
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    return f"{url}#subdirectory={info['subdirectory']}" if info.get("subdirectory") else url


def _entry_points(distribution: Any) -> Sequence[Any]:
    try:
        return tuple(distribution.entry_points)
    except Exception:  # noqa: BLE001 - malformed ones are the doctor's business
        return ()


def is_inside(path: str, folder: str) -> bool:
    """Whether a path lies in a folder."""
    folder = os.path.realpath(folder)
    return os.path.realpath(path).startswith(folder.rstrip(os.sep) + os.sep)
