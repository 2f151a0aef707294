"""A change of the environment as a transaction: written down before it begins, undone if it did not end.

In ``pending/`` lie the wheels to install, copies of what will be replaced or removed, and, from the moment when all of
that is complete, ``journal.json``. As long as that file is there, the change has not ended: whoever finds it and gets
the lock puts everything back, without installer and network.
"""

import json
import os
import shutil
import sysconfig
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from aimm.environment._backup import back_up, delete, files_of, put_back
from aimm.environment._installed import Installed, Packages, read_installed, recorded_files
from aimm.environment._kept import forget_others, keep_replaced
from aimm.environment._ledger import Ledger, parse_ledger
from aimm.environment._place import check_writable, home, ledger_path, locked, prefix
from aimm.environment._wheels import Wheel
from aimm.errors import LedgerError, PluginEnvironmentError
from aimm.store._atomic import write_atomically

JOURNAL_VERSION = 1


class Recovery(NamedTuple):
    """What was found and done about a change that did not end.

    Attributes:
        action: What it was, as in ``install acme-forest``.
        started: When it began, in seconds since 1970.
        removed: What it had installed, at least in part, and is gone again: names with versions.
        restored: What it had replaced or removed, and is back: names with versions.
        left: What somebody else changed since, and was left alone: names with versions.
    """

    action: str
    started: float
    removed: tuple[str, ...]
    restored: tuple[str, ...]
    left: tuple[str, ...] = ()

    def describe(self) -> str:
        """It in words."""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.started))
        parts = [f"removed again: {', '.join(self.removed)}"] if self.removed else []
        parts += [f"put back: {', '.join(self.restored)}"] if self.restored else []
        parts += [f"left alone, because somebody changed it since: {', '.join(self.left)}"] if self.left else []
        done = "; ".join(parts) or "it had not changed anything"
        return (
            f"'{self.action}' of {when} was interrupted and has been undone ({done}); say it again if you still want it"
        )

    def describe_failure(self) -> str:
        """It in words, for whoever was told just now that the change failed."""
        left = f", except {', '.join(self.left)}, which somebody else changed meanwhile" if self.left else ""
        return f"the environment was put back as it was before{left}"


def pending() -> str:
    """The folder of the change that is going on."""
    return os.path.join(home(), "pending")


def wheel_folder() -> str:
    """The folder of the wheels to install."""
    return os.path.join(pending(), "wheels")


def interrupted() -> str:
    """The change that did not end, in words; nothing if there is none. Changes that are going on count too."""
    if not os.path.exists(_journal_path()):
        return ""
    return str(_read()["action"])


@contextmanager
def acting_on(packages: Packages) -> Iterator[int]:
    """Have the environment for oneself, as it was when a plan was made; what was interrupted is undone first.

    Args:
        packages: What was installed then.

    Yields:
        The descriptor of the lock, to hand to child processes.

    Raises:
        EnvironmentBusyError: Another process changes the environment.
        PluginEnvironmentError: It is not as it was any more, or cannot be written.
    """
    check_writable()
    with locked() as lock:
        if undo() or read_installed() != packages:
            raise PluginEnvironmentError(
                "the environment was changed since the plan was made; nothing was done: make the plan again"
            )
        yield lock


@contextmanager
def preparing() -> Iterator[None]:
    """What comes before a change: if it fails, on a full disk say, nothing of it stays, and the error says so."""
    try:
        yield
    except BaseException as error:
        clean_up()
        error.add_note("nothing was changed")
        raise


@contextmanager
def changing() -> Iterator[None]:
    """The change itself, once it has begun: if it fails, it is undone, and the error says so."""
    try:
        yield
    except BaseException as error:
        if recovery := undo():
            error.add_note(recovery.describe_failure())
        raise


def begin(action: str, replaced: Iterable[Installed], wheels: Iterable[Wheel]) -> None:
    """Write down what will change.

    Args:
        action: What is done, in words.
        replaced: What is installed and will be replaced or removed.
        wheels: What will be installed.
    """
    before = [
        {
            "name": p.name,
            "version": p.version,
            "copies": back_up(files_of(p), os.path.join(pending(), "before", p.name)),
        }
        for p in replaced
    ]
    document = {
        "version": JOURNAL_VERSION,
        "action": action,
        "started": time.time(),
        "before": before,
        "after": [{"name": w.package.name, "version": w.package.version, "files": w.files} for w in wheels],
        "leftovers": sorted(_leftovers()),
        "ledger": _ledger_text(),
    }
    write_atomically(_journal_path(), [json.dumps(document).encode()])


def copies() -> dict[str, tuple[dict[str, str], str]]:
    """Of what the change under way replaces or removes: name to its files with their copies, and where those are."""
    return {i["name"]: (i["copies"], os.path.join(pending(), "before", i["name"])) for i in _read()["before"]}


def commit(ledger: Ledger) -> None:
    """End the change: from here on it has happened."""
    versions = {item["name"]: item["version"] for item in _read()["before"]}
    keep_replaced(ledger.changed, versions, copies())
    write_ledger(ledger)
    os.unlink(_journal_path())
    forget_others(ledger.changed)
    clean_up()


def clean_up() -> None:
    """Remove what a change needed; an environment without plugins keeps nothing of it."""
    shutil.rmtree(pending(), ignore_errors=True)
    with suppress(OSError):  # they are not empty as long as there is a ledger, or something of others
        os.rmdir(home())
        os.rmdir(os.path.dirname(home()))


def write_ledger(ledger: Ledger) -> None:
    """Write the ledger, or remove it if there is nothing to say."""
    _write_ledger_text("" if ledger.is_empty else ledger.as_text())


def _write_ledger_text(text: str) -> None:
    if text == _ledger_text():
        return  # above all not where the disk is full
    if text:
        os.makedirs(home(), exist_ok=True)
        write_atomically(ledger_path(), [text.encode()])
    else:
        os.unlink(ledger_path())


def recover() -> Recovery | None:
    """Undo the change that did not end, if there is one.

    Returns:
        What was done; None if every change had ended.

    Raises:
        EnvironmentBusyError: It has not ended because it is going on.
        LedgerError: What was written down cannot be read.
    """
    if not os.path.exists(pending()):
        return None
    with locked():
        return undo()


def undo() -> Recovery | None:
    """What :func:`recover` does, for who has the lock."""
    if not os.path.exists(_journal_path()):
        clean_up()
        return None
    journal = _read()
    before: Mapping[str, Any] = {item["name"]: item for item in journal["before"]}
    after: Mapping[str, Any] = {item["name"]: item for item in journal["after"]}
    _remove_leftovers(set(journal["leftovers"]))
    packages = read_installed()
    # Installed by hand since, in a version that neither was there nor was to be: not ours to touch.
    left = {
        name
        for name in before.keys() | after.keys()
        if name in packages and packages[name].version not in _versions(name, before, after)
    }
    whole = {name for name in before if name in packages and _is_complete(packages[name], before[name])}
    staying = (package for name, package in packages.items() if package.is_own and name not in after.keys() - left)
    shared = {os.path.relpath(path, prefix()) for package in staying for path in recorded_files(package)}
    kept = {name: before[name]["copies"] if name in before else {} for name in after.keys() - left}
    removed = [name for name in kept if _take_away(after[name], packages.get(name), kept[name], shared)]
    for name in before.keys() - left:
        put_back(before[name]["copies"], os.path.join(pending(), "before", name))
    restored = [f"{name} {before[name]['version']}" for name in before.keys() - left if name not in whole - {*removed}]
    _write_ledger_text(journal["ledger"])
    os.unlink(_journal_path())
    forget_others(parse_ledger(journal["ledger"]).changed if journal["ledger"] else ())
    clean_up()
    gone = [name for name in sorted(removed) if name not in before or _differs(name, before, after)]
    return Recovery(
        journal["action"],
        journal["started"],
        tuple(f"{name} {after[name]['version']}" for name in gone),
        tuple(sorted(restored)),
        tuple(packages[name].title for name in sorted(left)),
    )


def _versions(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {item[name]["version"] for item in (before, after) if name in item}


def _differs(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(before[name]["version"] != after[name]["version"])


def _take_away(
    planned: Mapping[str, Any], present: Installed | None, kept: Collection[str], shared: Collection[str]
) -> bool:
    """Delete what was installed of a distribution, however much that is; whether there was anything new.

    Args:
        planned: What was to be installed.
        present: What is there of it, if its metadata can be read.
        kept: Files of its older version, which come back.
        shared: Files of others.
    """
    own = set(planned["files"])
    if present is not None and present.version == planned["version"]:
        own |= {os.path.relpath(path, prefix()) for path in recorded_files(present)}
    for folder in [path for path in own if path.endswith(os.sep)]:
        full = os.path.join(prefix(), folder)
        own |= {os.path.join(folder, file) for file in (os.listdir(full) if os.path.isdir(full) else ())}
    files = [path for path in own.difference(shared) if not path.endswith(os.sep)]
    found = any(os.path.lexists(os.path.join(prefix(), path)) for path in files if path not in kept)
    delete(files)
    return found


def _is_complete(package: Installed, item: Mapping[str, Any]) -> bool:
    files = item["copies"]
    return package.version == item["version"] and all(os.path.lexists(os.path.join(prefix(), file)) for file in files)


def _leftovers() -> set[str]:
    """What installers set aside while they replace or remove: names that begin with a tilde."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), sysconfig.get_path("scripts")}
    return {
        os.path.relpath(os.path.join(folder, name), prefix())
        for folder in folders
        if os.path.isdir(folder)
        for name in os.listdir(folder)
        if name.startswith("~")
    }


def _remove_leftovers(earlier: set[str]) -> None:
    for name in _leftovers() - earlier:
        path = os.path.join(prefix(), name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def _journal_path() -> str:
    return os.path.join(pending(), "journal.json")


def _ledger_text() -> str:
    if not os.path.exists(ledger_path()):
        return ""
    with open(ledger_path(), encoding="utf-8") as file:
        return file.read()


def _read() -> dict[str, Any]:
    try:
        with open(_journal_path(), encoding="utf-8") as file:
            journal: dict[str, Any] = json.load(file)
        if journal["version"] != JOURNAL_VERSION:
            raise ValueError(f"it has version {journal['version']}, this aimm reads version {JOURNAL_VERSION}")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LedgerError(
            f"{_journal_path()}: the record of an interrupted change cannot be read ({type(error).__name__}: {error}); "
            "see 'pip list' and 'aimm plugins verify', then remove that folder"
        ) from error
    return journal
