"""How people name a model: a file, or ``NAME``, ``NAME@VERSION``, ``NAME@ALIAS`` of a stored one."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from aimm import store
from aimm.cli._session import Session
from aimm.errors import AimmError, ModelVersionWarning


def split_reference(text: str) -> tuple[str, str] | None:
    """Name and version of a stored model; None if this is a file.

    Raises:
        click.UsageError: It is neither a file nor the form of a name.
    """
    if os.path.isfile(text):
        return None
    name, at, version = text.partition("@")
    if os.path.exists(text) or not name or os.sep in text or (at and not version):
        raise click.UsageError(f"{text!r}: expected a model file, or NAME, NAME@VERSION, NAME@ALIAS of a stored model")
    return name, version or "latest"


def open_reference(text: str, root: str | None = None) -> "store.ModelFile":
    """Read and verify a file or a stored model.

    Args:
        text: What was given.
        root: Folder of the store; that of this user if not given.

    Raises:
        click.ClickException: There is neither such a file nor such a model.
        AimmError: It cannot be used.
    """
    reference = split_reference(text)
    if reference is None:
        return store.open_model(text)
    models = store.ModelStore(root)
    if not models.list(reference[0]):
        raise click.UsageError(f"File {text!r} does not exist, and no model is stored by this name in {models.root}")
    return models.open(*reference)


def complete_models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete names, versions and aliases of stored models; files are left to the shell."""
    try:
        entries = store.ModelStore(ctx.params.get("root")).list()
    except (AimmError, OSError):
        return []  # a shell that completes is no place for messages
    known = {text for e in entries for text in (e.name, *(f"{e.name}@{one}" for one in (e.version, *e.aliases)))}
    return sorted(text for text in known if text.startswith(incomplete) and ("@" in incomplete or "@" not in text))


@contextmanager
def versions_told(session: Session) -> Iterator[None]:
    """Say warnings about versions in one line for people; other warnings are shown as ever."""
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, ModelVersionWarning):
                session.say(f"warning: {message}")
            else:
                shown(message, category, *place, **more)

        warnings.simplefilter("always", ModelVersionWarning)
        warnings.showwarning = show
        yield
