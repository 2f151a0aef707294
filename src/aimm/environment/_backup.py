"""Copies of installed files, and putting them back: a change can be undone without a network."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress

from aimm.environment._installed import Installed, is_inside, recorded_files
from aimm.environment._place import prefix


def files_of(package: Installed) -> list[str]:
    """The files of an installed distribution, with compiled ones, as paths relative to the environment."""
    listed = [*recorded_files(package), *_walk(package.info)]
    every = {path for file in listed for path in with_compiled(file) if is_inside(os.path.dirname(path), prefix())}
    return sorted(os.path.relpath(path, prefix()) for path in every if os.path.lexists(path))


def with_compiled(file: str) -> Iterator[str]:
    """A file, and what Python compiled from it."""
    yield file
    folder, name = os.path.split(file)
    stem, ending = os.path.splitext(name)
    if ending == ".py":
        with suppress(OSError):
            cache = os.path.join(folder, "__pycache__")
            yield from (os.path.join(cache, entry) for entry in os.listdir(cache) if entry.startswith(f"{stem}."))


def back_up(files: Iterable[str], folder: str) -> dict[str, str]:
    """Keep copies of files.

    Hard links where the file system has them: installers replace files and never write into them.

    Args:
        files: Paths relative to the environment.
        folder: Where the copies go.

    Returns:
        Each file, and the name of its copy.
    """
    os.makedirs(folder, exist_ok=True)
    copies = {file: str(number) for number, file in enumerate(files)}
    for file, copy in copies.items():
        duplicate(os.path.join(prefix(), file), os.path.join(folder, copy))
    return copies


def put_back(copies: dict[str, str], folder: str) -> None:
    """Put every file back where it was; what stands there now is replaced."""
    for file, copy in copies.items():
        target = os.path.join(prefix(), file)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        temporary = f"{target}.aimm-back"
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        duplicate(os.path.join(folder, copy), temporary)
        os.replace(temporary, target)
        with suppress(FileNotFoundError):  # two names of one file are left alone by replace()
            os.unlink(temporary)


def delete(files: Iterable[str]) -> None:
    """Delete files, what was compiled from them, and the folders that are empty then.

    Args:
        files: Paths relative to the environment.
    """
    folders = set()
    for file in files:
        for path in list(with_compiled(os.path.join(prefix(), file))):
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(path)
            folders.add(os.path.dirname(path))
    for folder in sorted(folders, key=len, reverse=True):
        while is_inside(folder, prefix()):
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass
            except OSError:
                break
            folder = os.path.dirname(folder)


def duplicate(source: str, target: str) -> None:
    """Make a second name of a file, or a copy where the file system has no such thing."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _walk(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)
