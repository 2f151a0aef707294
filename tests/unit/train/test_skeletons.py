"""The skeletons that ravenML gives to plugin authors, word for word after ``ravenml`` became ``aimm``, run."""

import json
from pathlib import Path

from support import FakeSite
from terminal import Cli


def test_the_group_is_mounted_without_an_import(aimm: Cli, skeleton: FakeSite) -> None:
    """Its name and the summary of its distribution stand in the help of ``aimm train``."""
    done = aimm("train", "--help")
    assert done.code == 0
    assert "gauge  Training plugin for aimm" in done.out


def test_its_commands_are_shown(aimm: Cli, skeleton: FakeSite) -> None:
    """The help of the group is the author's, and lists nested groups too."""
    done = aimm("train", "gauge", "--help")
    assert "Top level command group description" in done.out
    assert "--kfold" in done.out
    assert "more" in done.out


def test_a_training_is_saved(aimm: Cli, skeleton: FakeSite, tmp_path: Path) -> None:
    """``TrainOutput()`` is valid, and saves the metadata."""
    done = aimm("train", "--artifact-path", tmp_path / "run", "gauge", "train")
    assert (done.code, done.out) == (0, f"{tmp_path / 'run'}\n"), done.err
    saved = json.loads((tmp_path / "run" / "metadata.json").read_text())
    assert saved["command"] == ["gauge", "train"]
    assert saved["plugin"]["distribution"] == "aimm_gauge"


def test_without_a_config_the_option_is_named(aimm: Cli, skeleton: FakeSite) -> None:
    """A command that needs an input and got none ends with a usage error."""
    done = aimm("train", "gauge", "train")
    assert done.code == 2
    assert "aimm train --config FILE" in done.err
    assert "Usage: aimm train gauge train" in done.err


def test_a_nested_command_runs(aimm: Cli, skeleton: FakeSite) -> None:
    """It needs no input, returns nothing, and its own output is its result."""
    done = aimm("train", "gauge", "more", "hello")
    assert done == (0, "Sub command group command here!\n", "")


def test_kfold_repeats_the_training(aimm: Cli, skeleton: FakeSite, tmp_path: Path) -> None:
    """``--kfold`` on the group of the skeleton works."""
    done = aimm("train", "--artifact-path", tmp_path / "run", "gauge", "--kfold", "3", "train")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "run" / "metadata.json").read_text())["folds"] == 3
