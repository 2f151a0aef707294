"""Inputs, outputs and folds are plain data."""

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aimm.errors import ConfigError, MissingInputError, OutputError
from aimm.train import Fold, TrainInput, TrainOutput
from aimm.train._config import read_config
from aimm.train._folds import join_metrics, run_folds
from aimm.train._plain import plain


class TestInput:
    """The constructor takes what it is given and does nothing else."""

    def test_it_needs_no_argument_and_touches_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """No prompt, no download, no folder: what does not exist stays so, what exists stays too."""
        monkeypatch.setattr("builtins.input", None)
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "file").touch()
        TrainInput()
        TrainInput(dataset="s3://nowhere/x", artifact_path=tmp_path / "old", plugin_cache=tmp_path / "new")
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "old"]

    @pytest.mark.parametrize("name", ["dataset", "artifact_path", "plugin_cache", "work_path"])
    def test_what_was_not_given_is_named_when_it_is_read(self, name: str) -> None:
        """The key, and where to put it."""
        with pytest.raises(MissingInputError, match=r"needs '\w+', which is not given: put '\w+:' into a file for"):
            getattr(TrainInput(), name)

    def test_a_missing_key_is_a_key_error_too(self) -> None:
        """Code that catches KeyError, or asks with ``get``, goes on as with a dict."""
        train = TrainInput({"plugin": {"a": {"b": 1}}})
        assert train.plugin_config.get("none", 7) == 7
        with pytest.raises(KeyError, match=r"'plugin\.a\.c'"):
            train.plugin_config["a"]["c"]

    def test_a_plugin_config_of_its_own_wins(self) -> None:
        """It stands in for the section of the configuration."""
        assert TrainInput({"plugin": {"a": 1}}, {"a": 2}).plugin_config == {"a": 2}

    def test_it_survives_pickle(self, tmp_path: Path) -> None:
        """Everything but the callbacks travels to another process."""
        train = TrainInput(
            {"plugin": {"a": 1}}, None, "iris", "run", tmp_path, {"who": "Ada"}, state_cb=lambda state: None
        )
        back = pickle.loads(pickle.dumps(train))
        assert back == train
        assert (back.config, back.dataset, back.artifact_path) == ({"plugin": {"a": 1}}, train.dataset, "run")
        assert back.state_cb({}) is None
        assert "'iris'" in repr(back)
        assert copy.deepcopy(train) == train
        assert train != TrainInput()

    def test_what_is_asked_for_is_asked_once(self, tmp_path: Path) -> None:
        """All folds share the answer."""
        asked: list[str] = []

        def ask(key: str) -> str:
            asked.append(key)
            return "numbers"

        train = TrainInput(ask=ask, plugin_cache=tmp_path)
        parts = [train.for_fold(Fold(index, 2)) for index in (0, 1)]
        assert [part.dataset.source for part in parts] == ["numbers", "numbers"]
        assert train.artifact_path == "numbers"
        assert asked == ["dataset", "artifact_path"]

    def test_a_fold_has_a_folder_and_metadata_of_its_own(self, tmp_path: Path) -> None:
        """What one fold writes down is not seen by the next; its progress is a part of the whole."""
        states: list[dict[str, Any]] = []
        train = TrainInput(plugin_cache=tmp_path, plugin_metadata={"a": []}, state_cb=states.append)
        part = train.for_fold(Fold(1, 4))
        part.plugin_metadata["a"].append(1)
        part.state_cb({"progress": 0.5})
        part.state_cb({"loss": 1})
        assert train.plugin_metadata == {"a": []}
        assert part.work_path == tmp_path / "fold-2"
        assert states == [{"fold": "2 of 4", "progress": 0.375}, {"fold": "2 of 4", "loss": 1}]


class TestFold:
    """Splitting samples."""

    @given(st.integers(2, 12), st.integers(0, 200), st.integers(0, 9))
    def test_every_sample_is_tested_once(self, count: int, more: int, seed: int) -> None:
        """Test parts are disjoint, cover everything, differ by one at most; the rest is what is trained on."""
        samples = count + more
        splits = [Fold(index, count).split(samples, seed) for index in range(count)]
        assert sorted(i for _, test in splits for i in test) == list(range(samples))
        assert all(sorted([*learn, *test]) == list(range(samples)) for learn, test in splits)
        assert max(len(test) for _, test in splits) - min(len(test) for _, test in splits) <= 1

    def test_too_few_samples_are_refused(self) -> None:
        """A fold without a sample would test nothing."""
        with pytest.raises(ValueError, match="3 samples cannot be split into 4 folds"):
            Fold(0, 4).split(3)


class TestJoining:
    """One result of all folds."""

    def test_numbers_have_mean_and_deviation(self) -> None:
        """Of a sample; every value stands beside."""
        assert join_metrics([{"a": 1.0}, {"a": 3}]) == {
            "a": {"folds": [1.0, 3], "mean": 2.0, "std": pytest.approx(2**0.5)}
        }

    def test_what_a_fold_lacks_is_none(self) -> None:
        """Mean and deviation are those of the others; words have neither."""
        joined = join_metrics([{"a": 1.0}, {"b": "good"}])
        assert joined == {"a": {"folds": [1.0, None], "mean": 1.0, "std": 0.0}, "b": {"folds": [None, "good"]}}

    def test_nothing_from_all_folds_is_nothing(self, tmp_path: Path) -> None:
        """A command that returns no TrainOutput is fine in folds too."""
        assert run_folds(lambda part: None, TrainInput(plugin_cache=tmp_path), 2) is None

    def test_something_from_some_folds_is_refused(self, tmp_path: Path) -> None:
        """The fold that differs is named."""
        outputs = iter([TrainOutput(), None])
        with pytest.raises(OutputError, match="'fold 2' of the training command is no TrainOutput"):
            run_folds(lambda part: next(outputs), TrainInput(plugin_cache=tmp_path), 2)


class TestConfig:
    """The training configuration is checked where its keys are ours."""

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("a.yaml", "artefact_path: x", r"unknown key 'artefact_path'; did you mean 'artifact_path'\?"),
            ("a.yaml", "artifact_path: 3", r"at artifact_path: expected a path or a URL, as text, got int 3"),
            ("a.yaml", "plugin: [1]", r"at plugin: expected a mapping, got list \[1\]"),
            ("a.yaml", "- 1", r"expected a mapping, found list"),
            ("a.yaml", "a: [", r"is not valid YAML"),
            ("a.toml", "a = ", r"is not valid TOML"),
            ("a.json", "{", r"is not valid JSON"),
            ("a.ini", "", r"expected a file name ending in \.yaml, \.yml, \.json or \.toml"),
            ("none.yaml", None, r"cannot be read"),
        ],
    )
    def test_what_is_wrong_is_told(self, name: str, text: str | None, message: str) -> None:
        """File, place and expectation."""
        if text is not None:
            Path(name).write_text(text)
        with pytest.raises(ConfigError, match=f"{name}.*{message}"):
            read_config(name)

    def test_further_keys_are_the_plugins_own(self) -> None:
        """They arrive in ``config``; an empty file is an empty configuration."""
        Path("a.yaml").write_text("fleet: {size: 3}\n")
        Path("b.yaml").write_text("")
        assert read_config("a.yaml")["fleet"]["size"] == 3
        assert read_config("b.yaml") == {}


def test_whatever_comes_becomes_json() -> None:
    """Arrays and sets are lists, no number is NaN, anything else is text."""
    import numpy as np

    given = {
        1: np.float32(0.5),
        "a": np.arange(2),
        "b": {2, 1},
        "c": float("nan"),
        "d": Path("x"),
        "e": (True, None, 3),
    }
    assert plain(given) == {"1": 0.5, "a": [0, 1], "b": [1, 2], "c": None, "d": "x", "e": [True, None, 3]}
