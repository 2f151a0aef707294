import json

import pytest

from support import FakeSite, model_source
from terminal import AIMM, Cli, run_on_terminal

OWNER = """
    from aimm import plugins

    @plugins.hookimpl
    def model_types():
        return ["listed"]

    @plugins.hookimpl
    def resolve_model_type(model_type):
        return model_type.startswith("any.")

    @plugins.hookimpl
    def fit(instance, args):
        return instance

    @plugins.hookimpl
    def parameters(model_type, action):
        return ["table", "target"] if action == "fit" else None
"""


@pytest.fixture
def owners(shop: FakeSite) -> FakeSite:
    """Beside ``shop``: a hook plugin that owns a listed type and every ``any.*``."""
    shop.add("hooked", "2.0", {"aimm.plugins": {"hooked": "hooked_plugin"}}, {"hooked_plugin": OWNER})
    return shop


@pytest.mark.usefixtures("owners")
def test_list_shows_model_types_and_their_owners(aimm: Cli) -> None:
    """Declared types, loaded or not, and who answers to further names."""
    code, out, err = aimm("types", "list")
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["MODEL", "TYPE", "PLUGIN", "DISTRIBUTION", "VERSION", "ACTIONS"],
        ["listed", "hooked", "hooked", "2.0", "fit"],
        ["threshold", "threshold", "shop", "1.2", "(not", "loaded)"],
        ["(dynamic)", "hooked", "hooked", "2.0", "fit"],
    ]


@pytest.mark.usefixtures("owners")
def test_list_as_json(aimm: Cli) -> None:
    """The same as data."""
    rows = json.loads(aimm("types", "list", "--json").out)
    assert [row["name"] for row in rows] == ["listed", "threshold", "(dynamic)"]
    assert rows[0] == {
        "name": "listed",
        "plugin": "hooked",
        "distribution": "hooked",
        "version": "2.0",
        "actions": ["fit"],
    }


def test_list_imports_only_hook_plugins(process: Cli, site: FakeSite) -> None:
    """A model type that ends the process at import is listed all the same."""
    site.add("bomb", entry_points={"aimm.models": {"bomb": "bomb:B"}}, modules={"bomb": "import os\nos._exit(9)"})
    assert "bomb" in process("types", "list").out


def test_list_survives_a_broken_hook_plugin(aimm: Cli, shop: FakeSite) -> None:
    """The failure is a message on stderr, the list is complete."""
    shop.add("broken", "6.6", {"aimm.plugins": {"broken": "broken_plugin"}}, {"broken_plugin": "import nowhere"})
    code, out, _ = aimm("types", "list")
    assert code == 0
    assert "threshold" in out


@pytest.mark.usefixtures("owners")
def test_show_tells_owner_and_arguments_of_each_action(aimm: Cli) -> None:
    """Every action that is offered, whose it is, and what it takes."""
    code, out, err = aimm("types", "show", "threshold")
    assert (code, err) == (0, "")
    lines = [line.split(maxsplit=4) for line in out.splitlines()]
    assert lines[0] == ["ACTION", "PLUGIN", "DISTRIBUTION", "ARGUMENTS"]
    assert lines[1:] == [
        ["instantiate", "threshold", "shop", "1.2", "at, note"],
        ["fit", "threshold", "shop", "1.2", "X, y, shift"],
        ["predict", "threshold", "shop", "1.2", "X, shape"],
        ["serialize", "threshold", "shop", "1.2"],
        ["deserialize", "threshold", "shop", "1.2"],
    ]


@pytest.mark.usefixtures("owners")
@pytest.mark.parametrize("name", ["listed", "any.thing"])
def test_show_of_a_hook_owner_asks_its_parameters(aimm: Cli, name: str) -> None:
    """Listed and dynamic types alike; an action that nobody offers is left out."""
    shown = json.loads(aimm("types", "show", name, "--json").out)
    assert shown == {
        "model_type": name,
        "actions": [
            {
                "action": "fit",
                "plugin": "hooked",
                "distribution": "hooked",
                "version": "2.0",
                "parameters": ["table", "target"],
            }
        ],
    }


def test_arguments_that_cannot_be_known_are_any(aimm: Cli, site: FakeSite) -> None:
    """A function that takes whatever it is given says so."""
    modules = {"counting": model_source("counter")}
    site.add("counting", entry_points={"aimm.models": {"counter": "counting"}}, modules=modules)
    assert aimm("types", "show", "counter").out.splitlines()[1].endswith("(any)")


@pytest.mark.usefixtures("shop")
def test_show_of_an_unknown_type(aimm: Cli) -> None:
    """Exit code 1, the known types, and the nearest one."""
    code, out, err = aimm("types", "show", "treshold")
    assert (code, out) == (1, "")
    assert "did you mean 'threshold'?" in err


def test_show_of_a_broken_type(aimm: Cli, site: FakeSite) -> None:
    """The message names distribution, version, entry point, cause and fix."""
    site.add("broken", "6.6", {"aimm.models": {"b": "broken_mod:B"}}, {"broken_mod": "import not_there"})
    code, _, err = aimm("types", "show", "b")
    assert code == 1
    for part in (
        "broken 6.6",
        "[aimm.models] b = broken_mod:B",
        "No module named 'not_there'",
        "pip install not_there",
    ):
        assert part in err


def test_show_of_a_contested_type(aimm: Cli, shop: FakeSite) -> None:
    """Both owners and the line that settles it."""
    shop.add("rival", "3.0", {"aimm.models": {"threshold": "rival:T"}})
    code, _, err = aimm("types", "show", "threshold")
    assert code == 1
    assert "shop 1.2" in err
    assert "rival 3.0" in err
    assert "prefer: {threshold: rival}" in err


def test_types_on_a_terminal_are_tables(shop: FakeSite) -> None:
    """On a terminal rich draws them."""
    ended, shown = run_on_terminal(*AIMM, "types", "show", "threshold", env={"PYTHONPATH": str(shop.path)})
    assert ended.code == 0
    assert "X, y, shift" in shown
    assert "┃" in shown or "│" in shown
