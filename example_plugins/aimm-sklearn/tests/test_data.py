"""The bundled data sets: whole, and in two parts."""

from typing import Any

import numpy as np
import pytest

from aimm.plugins import PluginManager

SHAPES = {
    "breast_cancer": ((569, 30), (569,)),
    "diabetes": ((442, 10), (442,)),
    "digits": ((1797, 64), (1797,)),
    "iris": ((150, 4), (150,)),
    "linnerud": ((20, 3), (20, 3)),
    "wine": ((178, 13), (178,)),
}
CLASSES = sorted(SHAPES.keys() - {"diabetes", "linnerud"})


def read(manager: PluginManager, name: str, **arguments: Any) -> tuple[Any, Any]:
    """The two arrays of a data set."""
    data = manager.exec_data_access(f"sklearn.datasets.{name}", None, **arguments)
    assert data.keys() == {"X", "y"}
    return data["X"], data["y"]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_whole_data_set_is_what_comes_without_a_split(manager: PluginManager, name: str) -> None:
    """Without a split, every row comes, as NumPy arrays."""
    X, y = read(manager, name)
    assert isinstance(X, np.ndarray)
    assert (X.shape, y.shape) == SHAPES[name]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_parts_make_up_the_whole(manager: PluginManager, name: str) -> None:
    """Every row is in exactly one of the two parts, together with its y."""
    rows = {split: [tuple(row) for row in np.c_[read(manager, name, split=split)]] for split in (None, "train", "test")}
    assert sorted(rows["train"] + rows["test"]) == sorted(rows[None])


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_in_equal_proportions(manager: PluginManager, name: str) -> None:
    """Each class has the same share of both parts, as near as whole rows allow."""
    _, train = read(manager, name, split="train")
    _, test = read(manager, name, split="test")
    assert np.abs(np.bincount(train) / 3 - np.bincount(test)).max() < 1.5


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_same_seed_gives_the_same_parts(manager: PluginManager, name: str) -> None:
    """A split depends on its seed and on nothing else."""
    once, again = (read(manager, name, split="test", seed=7)[0] for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, read(manager, name, split="test", seed=8)[0])
    np.testing.assert_array_equal(read(manager, name, split="test")[0], read(manager, name, split="test", seed=0)[0])


def test_the_size_of_the_test_part_can_be_chosen(manager: PluginManager) -> None:
    """test_size is the share of rows in the test part, a quarter by default."""
    sizes = [len(read(manager, "digits", split="test", **size)[0]) for size in ({}, {"test_size": 0.1})]
    assert sizes == [450, 180]


@pytest.mark.parametrize("split", ["val", "Train", "", 0])
def test_an_unknown_split_is_refused(manager: PluginManager, split: Any) -> None:
    """The error for a wrong split names the right ones."""
    with pytest.raises(ValueError, match=f"iris: split is 'train', 'test', or None for everything, not {split!r}"):
        read(manager, "iris", split=split)


def test_the_arguments_are_known_by_name(manager: PluginManager) -> None:
    """Whoever reads data by name, as the command line does, can ask which arguments there are."""
    assert manager.parameters("sklearn.datasets.iris", "data_access") == ["split", "seed", "test_size"]
