import pytest

from aimm import plugins


@pytest.fixture(scope="session")
def manager() -> plugins.PluginManager:
    """A manager that found this plugin where pip installed it."""
    return plugins.PluginManager({"names": [], "entry_points": {"include": ["aimm-sklearn"]}})
