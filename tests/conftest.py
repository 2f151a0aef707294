"""Each test starts in an empty folder without plugins, declarations or ``AIMM_*`` variables, and leaves none behind."""

import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aimm import plugins
from aimm.plugins import _index
from aimm.plugins._directories import directories
from support import FakeSite, unique_name

with suppress(ModuleNotFoundError):  # benchmarks do without it
    from hypothesis import settings

    settings.register_profile("untimed", settings.default, deadline=None)  # no test depends on how busy the machine is
    settings.load_profile("untimed")

_OUTER_PATH = frozenset(sys.path) | {os.path.realpath(folder) for folder in sys.path if folder}


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in [name for name in os.environ if name.startswith("AIMM_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    # A module rewritten within a second and at the same size would be read from its old bytecode.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(directories, "_folders", {})
    search_path = _index.search_path
    monkeypatch.setattr(_index, "search_path", lambda: [f for f in search_path() if f not in _OUTER_PATH])
    root = logging.getLogger()
    level, handlers, modules = root.level, root.handlers[:], dict(sys.modules)
    plugins.unload_all()
    yield
    plugins.unload_all()
    root.setLevel(level)
    root.handlers[:] = handlers
    for name in [name for name in sys.modules if name not in modules and _is_made_here(name, tmp_path)]:
        del sys.modules[name]
    sys.modules.update({name: module for name, module in modules.items() if sys.modules.get(name) is not module})
    importlib.invalidate_caches()


def _is_made_here(name: str, folder: Path) -> bool:
    # Looked up without getattr: a module under test may answer that with anything.
    namespace = getattr(sys.modules[name], "__dict__", None)
    if not isinstance(namespace, dict) or "__name__" not in namespace:
        return True
    places = [namespace.get("__file__"), *namespace.get("__path__", ())]
    return any(str(place).startswith(str(folder)) for place in places)


@pytest.fixture
def manager() -> plugins.PluginManager:
    """A manager of its own that knows no plugin."""
    return plugins.PluginManager()


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    """An empty ``site-packages`` on ``sys.path``."""
    made = FakeSite(tmp_path / "site")
    sys.path.insert(0, str(made.path))
    return made


@pytest.fixture
def make_module(tmp_path: Path) -> Callable[..., str]:
    """Write a module into a folder on ``sys.path``: ``make_module(source, name=None)`` returns its name."""
    folder = FakeSite(tmp_path / "modules")

    def make(source: str, name: str | None = None) -> str:
        if str(folder.path) not in sys.path:
            sys.path.insert(0, str(folder.path))
        name = name or unique_name()
        folder.module(name, source)
        return name

    return make
