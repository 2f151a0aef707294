"""A real environment that this process takes for its own, so that what changes environments can be tested in it."""

from pathlib import Path

import pytest

from places import Place, make_links


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty virtual environment; uv installs to it from the folder ``links``."""
    return Place(tmp_path, monkeypatch)


@pytest.fixture
def links(place: Place) -> Path:
    """The folder of wheels: plugins, libraries in several versions, one that would change the host."""
    make_links(place.links)
    return place.links
