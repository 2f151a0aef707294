"""From names to executors, those of packages too."""

from typing import Any

import pytest

from aimm import executors, plugins
from aimm.errors import (
    ExecutorNotFoundError,
    ExecutorOptionError,
    MissingExtraError,
    NotTransferableError,
    PluginUnavailableError,
)
from support import FakeSite

THIRD = """
from aimm.executors import InlineExecutor

class Mine(InlineExecutor):
    name = "mine"
    def __init__(self, address="", workers=1):
        super().__init__(workers)
        self.address = address

broken = 5
def foreign(): return 7
"""


@pytest.fixture
def third(site: FakeSite) -> FakeSite:
    """A distribution that declares executors."""
    points = {"mine": "third_of_test:Mine", "broken": "third_of_test:broken", "gone": "no_such_module:x"}
    site.add("third", entry_points={"aimm.executors": {**points, "foreign": "third_of_test:foreign"}})
    site.module("third_of_test", THIRD)
    return site


@pytest.mark.usefixtures("third")
def test_an_executor_of_a_package_is_as_good_as_ours() -> None:
    """It gets what stands behind the colon, and the options."""
    made: Any = executors.make_executor("mine:far.away", workers=3)
    assert (made.address, made.workers) == ("far.away", 3)
    assert made.submit(abs, -2).result(30) == 2
    assert executors.executor_names() == ["inline", "process", "dask", "broken", "foreign", "gone", "mine"]


@pytest.mark.usefixtures("third")
def test_an_unknown_name_lists_the_known_ones() -> None:
    """Those of packages too."""
    with pytest.raises(ExecutorNotFoundError, match=r"'prcess' \(known: 'inline', 'process', 'dask', .*'mine'\)"):
        executors.submit("prcess", abs, 1)


@pytest.mark.usefixtures("third")
@pytest.mark.parametrize(
    ("name", "meant"), [("proces", "process"), ("dusk:127.0.0.1:8786", "dask"), ("mien", "mine"), ("cluster", None)]
)
def test_the_nearest_name_is_suggested(name: str, meant: str | None) -> None:
    """Without what stands behind the colon; nothing is suggested where nothing comes near."""
    with pytest.raises(ExecutorNotFoundError) as caught:
        executors.get_executor(name)
    hint = f"; did you mean {meant!r}?" if meant else ""
    assert str(caught.value).endswith(f"'mine'); packages add more in the group 'aimm.executors'{hint}")


@pytest.mark.usefixtures("third")
@pytest.mark.parametrize(("name", "words"), [("gone", "ModuleNotFoundError"), ("broken", "is no factory but int")])
def test_a_broken_package_is_named(name: str, words: str) -> None:
    """With what went wrong."""
    with pytest.raises(PluginUnavailableError, match=words) as caught:
        executors.make_executor(name)
    assert "distribution third 1.0" in str(caught.value)


def test_a_package_that_exits_does_not_end_the_host(site: FakeSite) -> None:
    """Its import is watched as that of every plugin."""
    site.add("exiting", entry_points={"aimm.executors": {"exiting": "exiting_of_test:Mine"}})
    site.module("exiting_of_test", "raise SystemExit(3)")
    with pytest.raises(PluginUnavailableError, match="SystemExit: 3") as caught:
        executors.get_executor("exiting")
    assert "distribution exiting 1.0" in str(caught.value)


@pytest.mark.usefixtures("third")
def test_what_is_no_executor_is_refused() -> None:
    """The factory made something else."""
    with pytest.raises(ExecutorOptionError, match="its factory made int, not an"):
        executors.make_executor("foreign")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": -1}, "workers=-1: expected a whole number above 0"),
        ({"memory": "0"}, "memory='0': expected bytes"),
        ({"speed": 3}, "unexpected keyword argument 'speed'"),
    ],
)
def test_wrong_options_are_said(options: dict[str, Any], words: str) -> None:
    """Before any worker starts."""
    with pytest.raises(ExecutorOptionError, match=words):
        executors.make_executor("process", **options)


@pytest.mark.parametrize(("name", "package"), [("process", "pebble"), ("dask", "distributed")])
def test_a_missing_extra_gives_the_install_line(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to type."""
    import sys

    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf'pip install "aimm-plugins\[{name}\]"'):
        executors.make_executor(name)


def test_dask_without_a_cluster_is_said() -> None:
    """With what to pass."""
    with pytest.raises(ExecutorOptionError, match="no client is current: pass an address"):
        executors.make_executor("dask")


def test_a_shared_executor_is_made_once() -> None:
    """By its name."""
    assert executors.get_executor("inline") is executors.get_executor("inline")


def test_serialize_that_gives_no_bytes_is_said() -> None:
    """An instance can only travel as bytes."""
    plugins.serialize(["wordy"])(lambda instance: "text")
    with pytest.raises(NotTransferableError, match="serialize returned str, not bytes"):
        executors.keep("wordy", object())
