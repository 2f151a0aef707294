"""From what a training command returned to the files that are saved, each with its name, size and digest."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from aimm.errors import OutputError
from aimm.train._digest import file_digest
from aimm.train.interfaces import TrainOutput

METADATA = "metadata.json"
"""The file that makes a folder a finished run; it is written last."""


class OutputFile(NamedTuple):
    """One file to save.

    Attributes:
        source: Where it is.
        name: What it is called in the run, with slashes.
        role: ``model`` or ``extra``.
        size: In bytes.
        sha256: Its digest, hexadecimal.
    """

    source: Path
    name: str
    role: str
    size: int
    sha256: str

    def describe(self) -> dict[str, Any]:
        """The file as it stands in ``metadata.json``."""
        return {"name": self.name, "role": self.role, "size": self.size, "sha256": self.sha256}


def collect(output: TrainOutput, work: Path | None) -> list[OutputFile]:
    """Every file of an output.

    Args:
        output: What the command returned.
        work: The folder it was to write to: what is in there keeps its place in it, other files only their name.

    Raises:
        OutputError: A file does not exist or is no file, two have one name, or one has ours.
    """
    if output.folds:
        return [
            file._replace(name=f"fold-{number}/{file.name}")
            for number, fold in enumerate(output.folds, start=1)
            for file in collect(fold, work and work / f"fold-{number}")
        ]
    given = [(path, "extra") for path in output.extra_files]
    if output.model_path is not None:
        given.insert(0, (output.model_path, "model"))
    found: dict[str, OutputFile] = {}
    for path, role in given:
        for file, name in _files(path, _name(path, work)):
            if name in found and found[name].source.samefile(file):
                continue  # a file named twice is one file
            if name in found:
                raise OutputError(
                    str(file), f"would be saved as {name!r}, as {str(found[name].source)!r} is: rename one"
                )
            if name == METADATA:
                raise OutputError(str(file), f"is called {METADATA!r}, as the description of each run is: rename it")
            found[name] = OutputFile(file, name, role, file.stat().st_size, file_digest(file))
    return list(found.values())


def _name(path: Path, work: Path | None) -> str:
    resolved = path.resolve()
    if work is not None and resolved.is_relative_to(work.resolve()) and resolved != work.resolve():
        return resolved.relative_to(work.resolve()).as_posix()
    return resolved.name


def _files(path: Path, name: str) -> Iterator[tuple[Path, str]]:
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders.sort()
            for link in filter(os.path.islink, (os.path.join(folder, inner) for inner in folders)):
                raise OutputError(
                    link, "is a link to a folder, which is not followed: copy the folder, or name it itself"
                )
            for inner in sorted(names):
                file = Path(folder, inner)
                yield from _files(file, f"{name}/{file.relative_to(path).as_posix()}")
    elif path.is_file():
        yield path, name
    elif path.exists():
        raise OutputError(str(path), "is neither a file nor a folder")
    else:
        raise OutputError(str(path), "does not exist")
