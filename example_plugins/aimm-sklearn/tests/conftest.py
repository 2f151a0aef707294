from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from aimm import plugins


@pytest.fixture(scope="session")
def manager() -> plugins.PluginManager:
    """A manager that found this plugin where pip installed it."""
    return plugins.PluginManager({"names": [], "entry_points": {"include": ["aimm-sklearn"]}})


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """On data this small, threads cost more than they give, most of all on a busy machine."""
    with threadpool_limits(limits=1):
        yield
