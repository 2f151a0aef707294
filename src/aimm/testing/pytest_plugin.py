"""The pytest plugin: fixtures for tests of plugins. Nothing but pytest is imported before a test asks for one."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aimm.testing._distribution import Distribution, IsolatedManager


@pytest.fixture
def aimm_manager(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> "Iterator[IsolatedManager]":
    """A manager of this test's own: it sees what ``aimm_distribution`` makes, and no installed plugin unless asked.

    A configuration that has ``entry_points`` asks for others: ``{"names": [], "entry_points": {"include": ["acme"]}}``.
    ``AIMM_*`` variables count as not set; the cache is a folder of the test's own.
    """
    import os

    from aimm.testing._distribution import IsolatedManager

    for variable in [name for name in os.environ if name.startswith("AIMM_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("aimm-cache")))
    manager = IsolatedManager()
    yield manager
    manager.unload_all()


@pytest.fixture
def aimm_distribution(
    aimm_manager: "IsolatedManager", tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> "Iterator[Callable[..., Distribution]]":
    """Make a distribution that looks installed: ``aimm_distribution(files, entry_points, name=..., version=...)``.

    ``files`` maps paths to contents, ``entry_points`` groups to names and what they point at. ``aimm_manager`` sees it
    at its next ``initialize``. Its modules are forgotten after the test.
    """
    from aimm.testing._distribution import Distribution

    site = tmp_path_factory.mktemp("aimm-site")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(
        files: Mapping[str, str],
        entry_points: Mapping[str, Mapping[str, str]],
        name: str = "made-for-a-test",
        version: str = "1.0",
    ) -> Distribution:
        made = Distribution(site, name, files, entry_points, version)
        aimm_manager.distributions.append(name)
        return made

    yield make
    for module in [name for name, found in sys.modules.items() if _lies_in(found, site)]:
        del sys.modules[module]


@pytest.fixture
def aimm_states() -> "States":
    """A state callback that keeps what it gets: pass it as ``state_cb``, then look at it."""
    return States()


class States(list[dict[str, Any]]):
    """The states that were reported, in their order; call it to add one."""

    def __call__(self, state: dict[str, Any]) -> None:
        """Keep a state."""
        self.append(state)

    @property
    def progress(self) -> list[float]:
        """The ``progress`` of every state that has one."""
        return [state["progress"] for state in self if "progress" in state]


def _lies_in(module: Any, folder: Path) -> bool:
    file = getattr(module, "__dict__", {}).get("__file__")
    return isinstance(file, str) and file.startswith(f"{folder}/")
