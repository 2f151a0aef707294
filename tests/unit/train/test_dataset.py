"""A data set is a data access, a path or a URL, and has a digest."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest

from aimm import plugins
from aimm.errors import DatasetError
from aimm.train import Dataset
from aimm.train._digest import data_digest, tree_digest
from support import FakeSite


@pytest.fixture
def numbers(trainer: FakeSite) -> None:
    """The data access ``numbers``."""
    plugins.initialize()


class TestKinds:
    """What a source means."""

    def test_a_data_access_is_called_with_its_arguments(self, numbers: None) -> None:
        """Those of the call beside those of the configuration; the digest is that of the data."""
        dataset = Dataset.of({"name": "numbers", "arguments": {"count": 2}})
        assert (dataset.kind, dataset.load(seed=5)) == ("data access", [5.0, 6.0])
        assert dataset.describe()["digest"] == f"sha256:{data_digest([5.0, 6.0])}"

    def test_a_path_is_a_path(self, numbers: None, tmp_path: Path) -> None:
        """Its digest is that of its content."""
        (tmp_path / "a.csv").write_text("x")
        dataset = Dataset("a.csv")
        assert (dataset.kind, dataset.path) == ("path", tmp_path / "a.csv")
        assert dataset.describe()["digest"] == f"sha256:{hashlib.sha256(b'x').hexdigest()}"

    def test_a_name_beats_a_file(self, numbers: None, tmp_path: Path) -> None:
        """A file that happens to be called like a data access is reached as ``./numbers``."""
        (tmp_path / "numbers").touch()
        assert (Dataset("numbers").kind, Dataset("./numbers").kind) == ("data access", "path")

    def test_a_url_is_fetched_once(self, tmp_path: Path) -> None:
        """A folder keeps its structure; the copy is used again until the original changes."""
        memory = fsspec.filesystem("memory")
        memory.store.clear()
        memory.pipe_file("/data/deep/a.csv", b"1")
        memory.pipe_file("/data/b.csv", b"2")
        first = Dataset("memory://data", cache=str(tmp_path)).path
        assert (first / "deep" / "a.csv").read_bytes() == b"1"
        assert Dataset("memory://data", cache=str(tmp_path)).path == first
        single = Dataset("memory://data/b.csv", cache=str(tmp_path))
        assert (single.kind, single.path.read_bytes()) == ("url", b"2")
        assert single.describe()["digest"] == f"sha256:{hashlib.sha256(b'2').hexdigest()}"
        memory.store.clear()

    @pytest.mark.parametrize(
        ("use", "message"),
        [
            (
                lambda: Dataset("nombers").kind,
                r"no data access of this name, and no such file or folder; did you mean 'numbers'\?",
            ),
            (lambda: Dataset("numbers").path, r"it is a data access, whose data .* 'dataset\.load\(\)'"),
            (lambda: Dataset(".").load(), r"it is a path, which the training command reads at 'dataset\.path'"),
            (lambda: Dataset("memory://x").path, r"there is no plugin_cache to keep a copy in"),
            (lambda: Dataset("memory://none/x", cache="c").path, r"it cannot be fetched: FileNotFoundError"),
            (lambda: Dataset.of({"nom": "x"}), r"expected 'name', and 'arguments' if it takes some"),
            (lambda: Dataset.of({"name": "x", "arguments": 3}), r"expected 'name', and 'arguments'"),
        ],
    )
    def test_what_is_wrong_is_told(self, numbers: None, use: Any, message: str) -> None:
        """Which data set, and what to do with it instead."""
        with pytest.raises(DatasetError, match=message):
            use()

    def test_a_data_set_that_nobody_read_is_described(self, numbers: None) -> None:
        """Without a digest, and without an error if it does not exist."""
        assert Dataset("nowhere").describe() == {
            "source": "nowhere",
            "kind": "unknown",
            "arguments": {},
            "digest": None,
        }
        assert Dataset("numbers").describe()["digest"] is None

    def test_equal_data_sets_are_equal(self) -> None:
        """By source and arguments."""
        assert Dataset("a") == Dataset.of("a") != Dataset("a", {"n": 1})
        assert repr(Dataset("a", {"n": 1})) == "Dataset('a', {'n': 1})"


class TestDigests:
    """Equal content, equal digest; different content, another one."""

    def test_in_every_process_the_same(self) -> None:
        """Whatever the hash seed."""
        script = (
            "from aimm.train._digest import data_digest as d\nprint(d({'a': {'x', 'y', 'z'}, 'b': [1, None, b'q']}))"
        )
        found = {
            subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
            ).stdout
            for seed in ("1", "2", "3")
        }
        assert len(found) == 1

    def test_different_data_differs(self) -> None:
        """In kind, order, shape, type and nesting."""
        import numpy as np

        values = [
            *(1, 1.0, True, "1", b"1", None, [1], [[1]], [1, [2]], [[1], 2], {"a": 1}, {"a": "1"}, {1}, [], {}),
            *(np.zeros(2), np.zeros(2, "f4"), np.zeros((1, 2)), np.array(["a", None], dtype=object)),
        ]
        assert len({data_digest(value) for value in values}) == len(values)

    def test_what_cannot_be_read_has_none(self) -> None:
        """Better no digest than one that says nothing."""
        assert data_digest([object()]) is None
        assert data_digest({frozenset([object()]): 1}) is None

    def test_data_that_looks_like_pandas(self) -> None:
        """Columns by name, each an array."""
        import numpy as np

        class Column:
            def __init__(self, *values: float) -> None:
                self.values = np.array(values)

            def to_numpy(self) -> Any:
                return self.values

        class Frame:
            def __init__(self, **columns: Column) -> None:
                self.columns, self._columns = list(columns), columns

            def items(self) -> Any:
                return self._columns.items()

        one, same, other = Frame(a=Column(1, 2)), Frame(a=Column(1, 2)), Frame(b=Column(1, 2))
        assert data_digest(one) == data_digest(same) != data_digest(other)

    def test_a_folder_by_names_and_contents(self, tmp_path: Path) -> None:
        """Renaming a file, or changing it, changes the digest of its folder."""
        (tmp_path / "f" / "deep").mkdir(parents=True)
        (tmp_path / "f" / "deep" / "a").write_text("1")
        before = tree_digest(tmp_path / "f")
        (tmp_path / "f" / "deep" / "a").rename(tmp_path / "f" / "deep" / "b")
        renamed = tree_digest(tmp_path / "f")
        (tmp_path / "f" / "deep" / "b").write_text("2")
        assert len({before, renamed, tree_digest(tmp_path / "f")}) == 3
