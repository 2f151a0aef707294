"""What the tests share: a manager that found the installed package, and a stream for each model type."""

from collections.abc import Iterator
from typing import Any

import pytest
from river_cases import STREAMS, quiet

from aimm import plugins


@pytest.fixture(params=sorted(STREAMS))
def model_type(request: pytest.FixtureRequest) -> str:
    """Each model type of the package in turn."""
    return str(request.param)


@pytest.fixture
def manager() -> plugins.PluginManager:
    """A manager that knows the installed plugins and nothing else."""
    return plugins.PluginManager({"names": []})


@pytest.fixture
def initialized() -> Iterator[None]:
    """The module functions of aimm.plugins, initialised, and emptied again afterwards."""
    plugins.unload_all()
    plugins.initialize({"names": []})
    yield
    plugins.unload_all()


@pytest.fixture
def train(manager: plugins.PluginManager, model_type: str) -> Any:
    """Some rows to learn."""
    return manager.exec_data_access(STREAMS[model_type], split="train", limit=250)


@pytest.fixture
def later(manager: plugins.PluginManager, model_type: str) -> Any:
    """Rows that come after them."""
    return manager.exec_data_access(STREAMS[model_type], split="test", limit=150)


@pytest.fixture
def fitted(manager: plugins.PluginManager, model_type: str, train: Any) -> Any:
    """An instance that has learned them."""
    return manager.exec_fit(model_type, manager.exec_instantiate(model_type), quiet, train["X"], train["y"])
