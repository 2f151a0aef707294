"""What a plugin's installation replaced, kept byte for byte until the plugin goes."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping

from aimm.environment._backup import duplicate
from aimm.environment._ledger import Change
from aimm.environment._place import home
from aimm.store._atomic import write_atomically


def keep_replaced(
    changes: Iterable[Change], versions: Mapping[str, str], copies: Mapping[str, tuple[dict[str, str], str]]
) -> None:
    """Keep the copies that were made of what the ledger will call changed.

    Args:
        changes: The changes in the ledger.
        versions: Name to the version that was replaced.
        copies: Name to its files with the names of their copies, and the folder of those.
    """
    for name, (files, folder) in copies.items():
        target = _folder(name, versions[name])
        if any((c.name, c.before) == (name, versions[name]) for c in changes) and not os.path.exists(target):
            temporary = f"{target}.new"
            shutil.rmtree(temporary, ignore_errors=True)
            os.makedirs(temporary)
            for copy in files.values():
                duplicate(os.path.join(folder, copy), os.path.join(temporary, copy))
            write_atomically(os.path.join(temporary, "files.json"), [json.dumps(files).encode()])
            os.rename(temporary, target)


def kept_files(name: str, version: str) -> tuple[dict[str, str], str] | None:
    """The files of a version that was replaced: each with the name of its copy, and the folder of the copies."""
    folder = _folder(name, version)
    try:
        with open(os.path.join(folder, "files.json"), encoding="utf-8") as file:
            return json.load(file), folder
    except (OSError, ValueError):
        return None


def forget_others(changes: Iterable[Change]) -> None:
    """Delete what no change speaks of any more."""
    root = os.path.join(home(), "kept")
    wanted = {os.path.basename(_folder(c.name, c.before)) for c in changes}
    for name in os.listdir(root) if os.path.isdir(root) else ():
        if name not in wanted:
            shutil.rmtree(os.path.join(root, name), ignore_errors=True)
    if os.path.isdir(root) and not os.listdir(root):
        os.rmdir(root)


def _folder(name: str, version: str) -> str:
    return os.path.join(home(), "kept", f"{name}-{version}")
