"""What the template asks for, with its defaults and checks."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from aimm.errors import ScaffoldError
from aimm.scaffold._names import check_distribution, check_line, check_package, default_package

TEMPLATE = Path(__file__).parent / "template"
"""The cookiecutter template."""

_CONTEXT: dict[str, Any] = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
KINDS: tuple[str, ...] = tuple(_CONTEXT["kind"])
"""What a plugin may contribute; the first is the default."""

LICENSES: tuple[str, ...] = tuple(_CONTEXT["license"])
"""SPDX identifiers of the licences that the template has the text of; the first is the default."""

_CHECKS: dict[str, Callable[[str], None] | None] = {
    "package": check_package,
    "description": partial(check_line, "description"),
    "author": partial(check_line, "author"),
    "license": None,
}
QUESTIONS = {field: (str(_CONTEXT["__prompts__"][field]), check) for field, check in _CHECKS.items()}
"""What to ask somebody who gave name and kind, and the check of each answer; the licence is a choice."""


class Answers(NamedTuple):
    """What the template asks for.

    Attributes:
        name: Name of the distribution.
        kind: What the plugin contributes, one of :data:`KINDS`.
        package: Name of the Python package.
        description: One line that says what it is for.
        author: Who holds the copyright.
        license: One of :data:`LICENSES`.
    """

    name: str
    kind: str
    package: str
    description: str
    author: str
    license: str

    @classmethod
    def default(cls, name: str, kind: str = KINDS[0]) -> "Answers":
        """The answers that follow from name and kind.

        Raises:
            ScaffoldError: Name or kind cannot be used.
        """
        check_distribution(name)
        _check_choice("kind", kind, KINDS)
        return cls(name, kind, default_package(name), _CONTEXT["description"], f"The {name} authors", LICENSES[0])

    def check(self) -> None:
        """Refuse answers that make a package which cannot be built or imported.

        Raises:
            ScaffoldError: One of them cannot be used; the message has one that can.
        """
        check_distribution(self.name)
        _check_choice("kind", self.kind, KINDS)
        check_package(self.package)
        check_line("description", self.description)
        check_line("author", self.author)
        _check_choice("license", self.license, LICENSES)


def _check_choice(field: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ScaffoldError(field, value, f"it is none of {', '.join(choices)}", choices[0])
