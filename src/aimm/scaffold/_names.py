"""What a new package may be called, and what to call it instead."""

import keyword
import re
import sys

from aimm.errors import ScaffoldError

# PyPA specification "Names and normalization".
_DISTRIBUTION = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
_ODD = re.compile(r"[^a-zA-Z0-9]+")


def default_package(name: str) -> str:
    """The Python package of a distribution, as the template derives it.

    Args:
        name: Name of the distribution.
    """
    return name.lower().replace("-", "_").replace(".", "_")


def check_distribution(name: str) -> None:
    """Refuse a name that pip would not take.

    Raises:
        ScaffoldError: It is none; the message has one that is.
    """
    if _DISTRIBUTION.fullmatch(name):
        return
    reason = "it may hold letters, digits, '-', '_' and '.', and begins and ends with a letter or digit"
    raise ScaffoldError("name", name, reason, _ODD.sub("-", name).strip("-").lower() or "my-plugin")


def check_package(package: str) -> None:
    """Refuse a name that cannot be imported, or that would stand in the way of another module.

    Raises:
        ScaffoldError: It is none; the message has one that is.
    """
    usable = _ODD.sub("_", package).strip("_").lower() or "my_plugin"
    usable = f"aimm_{usable}" if not usable.isidentifier() or _is_taken(usable) else usable
    if not package.isidentifier() or not package.isascii():
        raise ScaffoldError("package", package, "it is no Python identifier", usable)
    if package.startswith("_") or package != package.lower():
        raise ScaffoldError(
            "package", package, "the name of a package is in lower case and begins with a letter", usable
        )
    if _is_taken(package):
        raise ScaffoldError("package", package, "Python or aimm has a module or a keyword of that name", usable)


def check_line(field: str, text: str) -> None:
    """Refuse what does not fit into one line of metadata.

    Raises:
        ScaffoldError: It is empty, or holds a line break or another control character.
    """
    if not text.strip() or not text.isprintable():
        usable = "".join(c if c.isprintable() else " " for c in text).strip() or f"My {field}"
        raise ScaffoldError(field, text, "it is one line of text", usable)


def _is_taken(package: str) -> bool:
    return package in sys.stdlib_module_names or keyword.iskeyword(package) or package in ("aimm", "tests")
