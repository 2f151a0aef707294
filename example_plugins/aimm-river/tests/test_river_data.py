import socket
from typing import Any

import pytest
from river_cases import quiet

from aimm import plugins

SIZES = {
    "river.datasets.bananas": 5300,
    "river.datasets.image_segments": 2310,
    "river.datasets.phishing": 1250,
    "river.datasets.trump_approval": 1001,
}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_data_sets_need_no_network(
    manager: plugins.PluginManager, monkeypatch: pytest.MonkeyPatch, name: str, size: int
) -> None:
    """Every data set is in the package of river, complete."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    data = manager.exec_data_access(name)
    assert (len(data["X"]), len(data["y"])) == (size, size)
    assert all(isinstance(value, (int, float)) for row in data["X"] for value in row.values())


@pytest.mark.parametrize("name", SIZES)
def test_the_parts_are_the_whole_in_its_order(manager: plugins.PluginManager, name: str) -> None:
    """The test part is what comes after the train part, so nothing is learned from the future."""
    whole, train, test = (manager.exec_data_access(name, split=split) for split in (None, "train", "test"))
    assert train["X"] + test["X"] == whole["X"]
    assert train["y"] + test["y"] == whole["y"]
    assert len(train["y"]) == int(SIZES[name] * 0.8)


def test_the_approval_ratings_are_in_the_order_of_time(manager: plugins.PluginManager) -> None:
    """The stream with dates shows that position is time."""
    dates = [row["ordinal_date"] for row in manager.exec_data_access("river.datasets.trump_approval")["X"]]
    assert dates == sorted(dates)


def test_limit_takes_the_beginning_of_the_part(manager: plugins.PluginManager) -> None:
    """A limit shortens the part that was asked for."""
    part = manager.exec_data_access("river.datasets.phishing", split="test")
    short = manager.exec_data_access("river.datasets.phishing", split="test", limit=3)
    assert short == {"X": part["X"][:3], "y": part["y"][:3]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "validation"}, "split must be 'train', 'test' or None, got 'validation'"),
        ({"limit": -1}, "limit must be a whole number of rows or None, got -1"),
        ({"limit": 0.5}, "limit must be a whole number of rows or None, got 0.5"),
    ],
)
def test_a_part_that_does_not_exist_is_refused(
    manager: plugins.PluginManager, arguments: dict[str, Any], message: str
) -> None:
    """A wrong argument says what it may be."""
    with pytest.raises(ValueError, match=message):
        manager.exec_data_access("river.datasets.phishing", quiet, **arguments)
