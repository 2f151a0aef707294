"""From answers to files."""

import os
import shutil
import tempfile
from pathlib import Path

from aimm.errors import MissingExtraError, TargetExistsError
from aimm.scaffold._answers import TEMPLATE, Answers


def create(answers: Answers, folder: str | os.PathLike[str] = ".") -> Path:
    """Make a new plugin package in a folder of its name.

    Args:
        answers: What to make; ``Answers.default(name)`` will do.
        folder: Where its folder goes; made if it is missing.

    Returns:
        The new folder.

    Raises:
        ScaffoldError: One of the answers cannot be used; nothing was written.
        TargetExistsError: The folder exists; it was left as it is.
        MissingExtraError: cookiecutter is not installed.
    """
    answers.check()
    target = check_target(answers.name, folder)
    try:
        # Not cookiecutter.main: that reads and writes files in the user's home.
        from cookiecutter.generate import generate_files
    except ImportError as error:
        raise MissingExtraError("cookiecutter", "template", "making a new package") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that it gets there in one step: nobody ever sees half a package.
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as draft:
        generate_files(str(TEMPLATE), {"cookiecutter": answers._asdict()}, draft, accept_hooks=False)
        # pip compiles the template's modules that are Python as they stand.
        for compiled in [*Path(draft).rglob("__pycache__")]:
            shutil.rmtree(compiled)
        Path(draft, answers.name).rename(target)
    return target


def check_target(name: str, folder: str | os.PathLike[str] = ".") -> Path:
    """Refuse a target that exists.

    Args:
        name: Name of the distribution.
        folder: Where its folder goes.

    Returns:
        The folder to make.

    Raises:
        TargetExistsError: Something of that name is there.
    """
    target = Path(folder).absolute() / name
    if os.path.lexists(target):
        raise TargetExistsError(str(target))
    return target
