"""Real virtual environments; everything here is marked ``integration``."""

from pathlib import Path

import pytest

from environments import Environment, build_aimm, make_base, make_environment, once


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder that all workers of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


@pytest.fixture(scope="session")
def aimm_wheel(workshop: Path) -> Path:
    """The wheel of this checkout."""
    return next(once(workshop, "dist", build_aimm).glob("*.whl"))


@pytest.fixture(scope="session")
def base(workshop: Path, aimm_wheel: Path) -> Path:
    """An environment with pip, setuptools and what ``aimm`` depends on."""
    return once(workshop, "base", lambda path: make_base(path, aimm_wheel))


@pytest.fixture
def venv(tmp_path: Path, base: Path, aimm_wheel: Path) -> Environment:
    """An environment of this test's own, with ``aimm`` and no plugin in it."""
    return make_environment(tmp_path / "venv", base, aimm_wheel)
