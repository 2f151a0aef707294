"""The command line in this process, and a real environment that this process takes for its own, to be changed."""

from pathlib import Path

import pytest

from aimm import plugins
from aimm.cli import main
from places import Place, make_links
from terminal import Cli, Run


@pytest.fixture
def aimm(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run ``aimm`` in this process, where every run starts without plugins, as a process does."""

    def invoke(*arguments: str | Path) -> Run:
        plugins.unload_all()
        capfd.readouterr()
        code = main([*map(str, arguments)])
        return Run(code, *capfd.readouterr())

    return invoke


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty virtual environment; uv installs to it from the folder ``links``."""
    return Place(tmp_path, monkeypatch)


@pytest.fixture
def links(place: Place) -> Path:
    """The folder of wheels: plugins, libraries in several versions, one that would change the host."""
    make_links(place.links)
    return place.links
