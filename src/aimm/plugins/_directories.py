"""Plugin directories: a flat folder of ``.py`` files is importable as ``<folder>.<file>``, beside ``sys.path``."""

import keyword
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType

from aimm.errors import DeclarationError


class _PackageLoader(SourceFileLoader):
    """Loads the package of a directory that has no ``__init__.py``: an empty module."""

    def get_source(self, fullname: str) -> str:
        """Nothing: the directory has no code of its own."""
        return ""

    def get_code(self, fullname: str) -> CodeType:
        """The code of an empty file."""
        return compile("", f"<plugin directory {self.path}>", "exec")


class DirectoryFinder:
    """The one meta-path finder for every plugin directory in use."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def add(self, folder: str) -> str:
        """Make a folder importable and return its package name.

        Raises:
            DeclarationError: The folder does not exist, or its name cannot be imported or is taken.
        """
        name = check_folder(folder)
        folder = os.path.realpath(folder)
        if self._folders.get(name, folder) != folder:
            raise DeclarationError(f"two plugin directories are named {name!r}: {self._folders[name]} and {folder}")
        if name not in self._folders and _means_something_else(name, folder):
            raise DeclarationError(f"a module named {name!r} exists already; rename the plugin directory {folder}")
        self._folders[name] = folder
        if self not in sys.meta_path:
            sys.meta_path.append(self)
        return name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the package of a directory, or one of its files."""
        name, _, file = fullname.partition(".")
        folder = self._folders.get(name)
        if folder is None or "." in file:
            return None
        if not file:
            init = os.path.join(folder, "__init__.py")
            loader = SourceFileLoader(name, init) if os.path.isfile(init) else _PackageLoader(name, folder)
            return spec_from_file_location(name, init, loader=loader, submodule_search_locations=[folder])
        source = os.path.join(folder, f"{file}.py")
        return spec_from_file_location(fullname, source) if os.path.isfile(source) else None


def check_folder(folder: str) -> str:
    """The package name of a plugin directory.

    Raises:
        DeclarationError: There is no such folder, or its name is not a valid module name.
    """
    name = os.path.basename(os.path.normpath(folder))
    if not os.path.isdir(folder):
        raise DeclarationError(f"the plugin directory {folder} does not exist or is no folder")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise DeclarationError(
            f"the plugin directory {folder} must be named like a Python module (letters, digits, _; no keyword), "
            f"not {name!r}"
        )
    return name


def module_names(folder: str, package: str) -> list[str]:
    """The modules of a plugin directory, sorted; files that start with an underscore are not plugins themselves."""
    stems = sorted(os.path.splitext(file)[0] for file in os.listdir(folder) if file.endswith(".py"))
    return [f"{package}.{stem}" for stem in stems if stem.isidentifier() and not stem.startswith("_")]


def _means_something_else(name: str, folder: str) -> bool:
    from importlib.util import find_spec

    try:
        spec = find_spec(name)
    except ValueError:  # a module without a specification, such as __main__
        return True
    # Beside the program that uses it, the directory itself is found already, as a namespace package.
    found = [os.path.realpath(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return spec is not None and found != [folder]


directories = DirectoryFinder()
"""Shared by all managers, because ``sys.modules`` is."""
