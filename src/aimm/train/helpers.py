"""What training plugins share: lazy imports, prompts for metadata, parameter errors, a group of plugin commands."""

from collections.abc import MutableMapping
from typing import Any, NoReturn

import click

from aimm.train._group import LazyPluginGroup
from aimm.train._lazy import lazy_import

__all__ = ["LazyPluginGroup", "fill_basic_metadata", "lazy_import", "raise_parameter_error", "user_name"]


def fill_basic_metadata(metadata: MutableMapping[str, Any], interactive: bool = True) -> None:
    """Add ``created_by`` and ``comments`` to metadata, where they are missing.

    Args:
        metadata: What is known so far; changed in place.
        interactive: Whether to ask; else it is the name of the user, and no comment.
    """
    for key, question, default in (
        ("created_by", "Who runs this training", user_name()),
        ("comments", "Comments about this training", ""),
    ):
        if not metadata.get(key):
            metadata[key] = (
                click.prompt(question, default=default, show_default=bool(default), err=True)
                if interactive
                else default
            )


def user_name() -> str:
    """The login name of the user; ``unknown`` if the system has none."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def raise_parameter_error(option: str, hint: str) -> NoReturn:
    """End the command with a usage error about one of its options.

    Args:
        option: The value that it was given.
        hint: Name of the option, and what is wrong with the value.

    Raises:
        click.BadParameter: Always.
    """
    raise click.BadParameter(repr(option), param_hint=hint)
