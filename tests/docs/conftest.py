"""The environment in which the pages of the documentation run."""

import fcntl
from pathlib import Path

import pytest

from docs.pages import BaseEnvironment


@pytest.fixture(scope="session")
def base_environment(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> BaseEnvironment:
    """An environment with ``aimm``, made once in a run, whatever the number of processes that share the tests."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder if worker_id == "master" else folder.parent
    with open(shared / "docs.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return BaseEnvironment(Path(shared) / "docs-base")
