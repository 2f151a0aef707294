"""Names for people: completing them, and saying which ones come near. Nothing here imports a plugin."""

from collections.abc import Callable

import click

from aimm import plugins
from aimm.errors import AimmError


def names_in(*groups: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """A completion callback for the names declared in entry-point groups."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        try:
            found = plugins.default_manager.discover(ctx.find_root().params.get("config"))
        except AimmError:
            return []  # a shell that completes is no place for messages
        return sorted(name for group, name in found.claims if group in groups and name.startswith(incomplete))

    return complete


def near(name: str, known: list[str]) -> str:
    """A half sentence that names the closest known name, if one is close or ends in what was given."""
    from difflib import get_close_matches

    match = get_close_matches(name, known, n=1) or [one for one in known if one.endswith(f".{name}")]
    return f"; did you mean {match[0]!r}?" if match else ""
