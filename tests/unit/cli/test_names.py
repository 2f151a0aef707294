from pathlib import Path

import click
import pytest

from aimm.cli._app import root
from aimm.cli._names import names_in, near
from support import FakeSite


def complete(incomplete: str, *groups: str, config: str | None = None) -> list[str]:
    context = click.Context(root)
    context.params["config"] = config
    return names_in(*groups)(context, click.Argument(["name"]), incomplete)


@pytest.mark.usefixtures("shop")
def test_names_of_a_group_are_completed() -> None:
    """Names that begin so, sorted, the canonical ones of classes too."""
    assert complete("p", "aimm.data_access") == ["pairs", "plain"]
    assert complete("", "aimm.models") == ["shop_models.Threshold", "threshold"]
    assert complete("", "aimm.tasks") == []
    assert complete("z", "aimm.models") == []


@pytest.mark.usefixtures("shop")
def test_completion_follows_the_configuration(tmp_path: Path) -> None:
    """Excluded plugins are not offered."""
    (tmp_path / "conf.json").write_text('{"names": [], "entry_points": {"exclude": ["shop"]}}')
    assert complete("", "aimm.models", config=str(tmp_path / "conf.json")) == []


def test_a_broken_configuration_completes_nothing() -> None:
    """A shell that completes is no place for messages."""
    assert complete("", "aimm.models", config="missing.yaml") == []


def test_a_contested_name_is_offered_once(shop: FakeSite) -> None:
    """Two owners, one word."""
    shop.add("rival", entry_points={"aimm.models": {"threshold": "rival:T"}})
    assert complete("thr", "aimm.models") == ["threshold"]


def test_the_nearest_name() -> None:
    """A close name is a half sentence; without one there is nothing to say."""
    assert near("treshold", ["threshold", "mean"]) == "; did you mean 'threshold'?"
    assert near("zzz", ["threshold"]) == ""
    assert near("x", []) == ""


def test_the_end_of_a_dotted_name_finds_it() -> None:
    """Who types iris is led to the whole name."""
    assert (
        near("iris", ["sklearn.datasets.digits", "sklearn.datasets.iris"]) == "; did you mean 'sklearn.datasets.iris'?"
    )
