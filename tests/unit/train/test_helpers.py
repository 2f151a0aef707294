"""Lazy imports in the four documented forms, prompts, parameter errors, and the group of plugin commands."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner

from aimm.train.helpers import LazyPluginGroup, fill_basic_metadata, lazy_import, raise_parameter_error
from aimm.train.interfaces import TrainInput, TrainOutput
from aimm.train.options import kfold_opt, pass_train
from support import FakeSite


class TestLazyImport:
    """Nothing is imported before the name is used; then it is the real thing."""

    def script(self, *lines: str) -> None:
        head = "import sys\nfrom aimm.train.helpers import lazy_import\n"
        done = subprocess.run(
            [sys.executable, "-c", head + "\n".join(lines)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def test_a_whole_module(self) -> None:
        """In the place of ``import colorsys``."""
        self.script(
            'lazy_import("colorsys")',
            'assert "colorsys" not in sys.modules',
            "assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)",
            'assert colorsys is sys.modules["colorsys"]',
        )

    def test_a_named_module(self) -> None:
        """In the place of ``import colorsys as cs``."""
        self.script(
            'lazy_import("colorsys", "cs")',
            'assert "colorsys" not in sys.modules and "imported when it is used" in repr(cs)',
            "assert cs.ONE_THIRD",
            'assert cs is sys.modules["colorsys"]',
        )

    def test_a_submodule(self) -> None:
        """In the place of ``from xml.sax import saxutils``; its package is not imported either."""
        self.script(
            'lazy_import("xml.sax.saxutils", "saxutils")',
            'assert "xml.sax" not in sys.modules',
            'assert saxutils.escape("<") == "&lt;"',
            'assert saxutils is sys.modules["xml.sax.saxutils"]',
        )

    def test_a_function(self) -> None:
        """In the place of ``from colorsys import rgb_to_hsv``."""
        self.script(
            'lazy_import("colorsys", "rgb_to_hsv", asfunction=True)',
            'assert "colorsys" not in sys.modules and "imported when it is used" in repr(rgb_to_hsv)',
            "assert rgb_to_hsv(0, 0, 0) == (0, 0, 0)",
            'assert rgb_to_hsv is sys.modules["colorsys"].rgb_to_hsv',
        )

    def test_a_dotted_module_binds_its_package(self) -> None:
        """As ``import xml.dom`` does."""
        self.script('lazy_import("xml.dom")', "assert xml.dom.Node", 'assert xml is sys.modules["xml"]')

    def test_the_result_is_the_same_object(self) -> None:
        """For type checkers, who see assignments only; another name keeps working."""
        self.script(
            'cs = lazy_import("colorsys", "cs")',
            "kept = cs",
            "assert kept.ONE_SIXTH and kept.ONE_THIRD and 'ONE_THIRD' in dir(kept)",
            'get = lazy_import("colorsys", "rgb_to_hsv", True)',
            "assert get.__name__ == 'rgb_to_hsv'",
        )

    def test_a_missing_module_is_told_when_it_is_used(self) -> None:
        """With Python's own error."""
        missing = lazy_import("no_such_module_here", "missing")
        with pytest.raises(ModuleNotFoundError, match="no_such_module_here"):
            missing.anything

    def test_a_function_needs_a_name(self) -> None:
        """There is nothing to guess it from."""
        with pytest.raises(ValueError, match=r"lazy_import\('os', asfunction=True\) needs the name of the function"):
            lazy_import("os", asfunction=True)


class TestMetadata:
    """``created_by`` and ``comments``."""

    def ask(self, metadata: dict[str, Any], feed: str) -> dict[str, Any]:
        command = click.Command("ask", callback=lambda: fill_basic_metadata(metadata))
        assert CliRunner().invoke(command, input=feed).exit_code == 0
        return metadata

    def test_what_is_missing_is_asked_for(self) -> None:
        """The user's name is what an empty answer means."""
        assert self.ask({}, "Ada\nfirst\n") == {"created_by": "Ada", "comments": "first"}
        assert self.ask({"comments": "kept"}, "\n")["created_by"]

    def test_what_is_there_is_kept(self) -> None:
        """Nothing is asked for."""
        assert self.ask({"created_by": "Ada", "comments": "x"}, "") == {"created_by": "Ada", "comments": "x"}

    def test_without_a_user_there_is_a_name_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A container may run under a number that nobody has."""

        def nobody() -> str:
            raise KeyError("uid 1234")

        monkeypatch.setattr("getpass.getuser", nobody)
        metadata: dict[str, Any] = {}
        fill_basic_metadata(metadata, interactive=False)
        assert metadata == {"created_by": "unknown", "comments": ""}


def test_a_parameter_error_is_a_usage_error() -> None:
    """Value and hint stand in it."""
    with pytest.raises(click.BadParameter, match="'vgg'") as caught:
        raise_parameter_error("vgg", "architecture, no such one")
    assert "architecture, no such one" in caught.value.format_message()


class TestWithoutAimm:
    """The commands of a plugin run on their own too, as their authors' tests run them."""

    @pytest.fixture
    def group(self) -> click.Group:
        @click.group()
        @kfold_opt
        @pass_train
        def top(train: TrainInput, kfold: int | None) -> None:
            train.plugin_metadata["seen"] = kfold

        @top.command()
        @pass_train
        def fit(train: TrainInput) -> TrainOutput:
            click.echo(f"{train.fold} {train.plugin_metadata}")
            return TrainOutput(metrics={"index": train.fold.index if train.fold else -1})

        @top.command()
        @pass_train
        @click.pass_context
        def both(ctx: click.Context, train: TrainInput) -> Any:
            return ctx.invoke(fit)

        @top.command()
        @pass_train
        def need(train: TrainInput) -> None:
            assert train.dataset

        return top

    def test_the_input_is_made_where_there_is_none(self, group: click.Group) -> None:
        """Once, by the group; its command gets the same."""
        assert CliRunner().invoke(group, ["fit"]).output == "None {'seen': None}\n"

    def test_folds_are_repeated_under_a_group_that_takes_the_input(self, group: click.Group) -> None:
        """The group runs once, the command K times."""
        done = CliRunner().invoke(group, ["-k", "2", "fit"], standalone_mode=False)
        assert done.output.count("Fold(index=") == 2
        assert done.return_value.metrics["index"]["folds"] == [0, 1]

    def test_a_command_that_invokes_another_stays_in_its_fold(self, group: click.Group) -> None:
        """K folds, not K times K."""
        assert CliRunner().invoke(group, ["-k", "3", "both"]).output.count("Fold(index=") == 3

    def test_what_is_missing_is_a_usage_error(self, group: click.Group) -> None:
        """Exit code 2, and the option."""
        done = CliRunner().invoke(group, ["need"])
        assert done.exit_code == 2
        assert "--dataset NAME" in done.output

    def test_an_input_of_the_host_is_taken(self, group: click.Group) -> None:
        """The context may have one already."""
        train = TrainInput(plugin_metadata={"mine": 1})
        assert "'mine': 1" in CliRunner().invoke(group, ["fit"], obj=train).output


def test_the_lazy_group_works_in_other_hosts(site: FakeSite, make_module: Callable[..., str]) -> None:
    """Any entry-point group of ours, looked up any number of times, with suggestions."""
    module = make_module("import click\n@click.command()\ndef go():\n    click.echo('gone')\n")
    site.add("d", "1.0", {"aimm.train": {"go_on": f"{module}:go"}}, summary="Goes.")
    host = LazyPluginGroup("host", entry_point_name="aimm.train")
    runner = CliRunner()
    assert "go-on  Goes." in runner.invoke(host, ["--help"]).output
    for name in ("go-on", "go_on", "go-on"):
        assert runner.invoke(host, [name]).output == "gone\n"
    assert "did you mean 'go-on'?" in runner.invoke(host, ["goon"]).output
    assert host.get_command(click.Context(host), "none") is None
