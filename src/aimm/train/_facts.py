"""What ``metadata.json`` says about the machine, the packages, and the plugin that ran."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import aimm
from aimm import plugins


def plugin_facts(candidate: plugins.Candidate) -> dict[str, Any]:
    """Who ran: entry point, distribution, version; and the commit of a plugin that is installed from a checkout."""
    facts: dict[str, Any] = {
        "name": candidate.name,
        "entry_point": candidate.declaration,
        "distribution": candidate.distribution,
        "version": candidate.version,
    }
    origin = _origin(candidate.distribution or "")
    folder = origin.get("dir_info", {}).get("editable") and _folder(origin.get("url", ""))
    facts["editable"] = bool(folder)
    if folder:
        facts["git"] = git_facts(folder)
    elif commit := origin.get("vcs_info", {}).get("commit_id"):
        facts["git"] = {"commit": commit, "dirty": False}
    return facts


def _origin(distribution: str) -> dict[str, Any]:
    """Where pip installed a distribution from (PEP 610); empty if it does not say."""
    try:
        found = json.loads(next(_distributions(name=distribution)).read_text("direct_url.json") or "{}")
    except (StopIteration, ValueError, OSError):
        return {}
    return found if isinstance(found, dict) else {}


def _folder(url: str) -> str | None:
    parts = urlsplit(url)
    return url2pathname(unquote(parts.path)) if parts.scheme == "file" else None


def git_facts(folder: str) -> dict[str, Any] | None:
    """Commit and dirty state of the checkout around a folder; None if there is none, or no git."""
    commit, status = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain", "--", ".")
    return None if commit is None else {"commit": commit.strip(), "dirty": bool(status is None or status.strip())}


def _git(folder: str, *arguments: str) -> str | None:
    # Hooks and prompts of the user's git must not take part in a training.
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-C", folder, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def system_facts() -> dict[str, Any]:
    """Python, platform, ``aimm``, and every installed package with its version."""
    return {
        "aimm": aimm.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _packages(),
    }


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in _distributions():
        try:
            name, version = distribution.metadata["Name"], distribution.version
        except Exception:  # noqa: BLE001 - one unreadable package must not cost the run
            continue
        if name and version:
            found.setdefault(str(name), str(version))  # the first on sys.path is the one that is imported
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _distributions(**wanted: str) -> Iterator[Any]:
    # Asked directly, not through sys.meta_path, which whoever embeds us may have rearranged.
    from importlib_metadata import DistributionFinder, MetadataPathFinder

    context = DistributionFinder.Context(**wanted)  # type: ignore[no-untyped-call]
    return iter(MetadataPathFinder().find_distributions(context))
