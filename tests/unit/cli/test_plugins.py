import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from support import FakeSite
from terminal import AIMM, Cli, run_on_terminal

BOMB = "raise SystemExit('was imported')"


def test_list_shows_every_plugin_in_aligned_lines(aimm: Cli, shop: FakeSite) -> None:
    """In a pipe: a heading, then a line for each plugin with name, group, distribution, version, status, summary."""
    code, out, err = aimm("plugins", "list")
    assert (code, err) == (0, "")
    heading, *lines = out.splitlines()
    assert heading.split() == ["NAME", "GROUP", "DISTRIBUTION", "VERSION", "STATUS", "SUMMARY"]
    assert [line.split()[0] for line in lines] == ["numbers", "pairs", "plain", "threshold"]
    assert lines[-1].split(maxsplit=5)[1:] == ["aimm.models", "shop", "1.2", "ok", "Thresholds for everybody"]
    assert len({line.index("shop") for line in lines}) == 1


def test_list_as_json_is_complete(aimm: Cli, shop: FakeSite) -> None:
    """--json has every fact about each plugin."""
    rows = json.loads(aimm("plugins", "list", "--json").out)
    assert rows[-1] == {
        "name": "threshold",
        "group": "aimm.models",
        "value": "shop_models:Threshold",
        "distribution": "shop",
        "version": "1.2",
        "summary": "Thresholds for everybody",
        "answers_to": ["threshold", "shop_models.Threshold"],
        "path": str(shop.path / "shop-1.2.dist-info" / "entry_points.txt"),
        "status": "ok",
    }
    assert [row["name"] for row in rows] == ["numbers", "pairs", "plain", "threshold"]


def test_list_on_a_terminal_is_a_table(shop: FakeSite) -> None:
    """On a terminal rich draws it."""
    ended, shown = run_on_terminal(*AIMM, "plugins", "list", env={"PYTHONPATH": str(shop.path)})
    assert ended.code == 0
    assert "threshold" in shown
    assert "┃" in shown or "│" in shown


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["show", "bomb"], ["show", "bomb", "--json"]])
def test_nothing_is_imported(process: Cli, site: FakeSite, command: list[str]) -> None:
    """List and show work on plugins that end the process when they are imported."""
    points = {group: {"bomb": "bomb"} for group in ("aimm.plugins", "aimm.models", "aimm.data_access", "aimm.tasks")}
    site.add("bomb", entry_points=points, modules={"bomb": "import os\nos._exit(9)"})
    code, out, err = process("plugins", *command)
    assert (code, err) == (0, "")
    assert out.count("aimm.plugins") == 1


def test_list_without_plugins_says_what_to_do(aimm: Cli) -> None:
    """An empty list is empty on stdout, and a hint on stderr."""
    assert aimm("plugins", "list") == (
        0,
        "",
        "no plugins found: install one with pip, or name a module in a configuration file\n",
    )


def test_an_empty_list_is_json_too(aimm: Cli) -> None:
    """Scripts read an empty list, not nothing."""
    assert json.loads(aimm("plugins", "list", "--json").out) == []


def test_configured_modules_and_directories_are_listed(aimm: Cli, tmp_path: Path) -> None:
    """What the configuration names stands beside what is installed; a missing module is no matter of listing."""
    (tmp_path / "my_plugins").mkdir()
    (tmp_path / "conf.yaml").write_text("names: [missing.module]\ndirectories: [my_plugins]\n")
    rows = json.loads(aimm("--config", tmp_path / "conf.yaml", "plugins", "list", "--json").out)
    assert [(row["group"], row["name"], row["distribution"]) for row in rows] == [
        ("names", "missing.module", None),
        ("directories", "my_plugins", None),
    ]


def test_contested_and_excluded_plugins_are_marked(aimm: Cli, shop: FakeSite, tmp_path: Path) -> None:
    """The status says which names two distributions claim, and what the configuration leaves out."""
    shop.add("rival", entry_points={"aimm.models": {"threshold": "rival:T", "other": "rival:O"}})
    shop.add("unwanted", entry_points={"aimm.models": {"never": "never:N"}})
    (tmp_path / "conf.yaml").write_text("names: []\nentry_points: {exclude: ['unw*']}\n")
    rows = json.loads(aimm("--config", tmp_path / "conf.yaml", "plugins", "list", "--json").out)
    status = {(row["name"], row["distribution"]): row["status"] for row in rows}
    assert status["threshold", "shop"] == status["threshold", "rival"] == "contested"
    assert status["other", "rival"] == status["numbers", "shop"] == "ok"
    assert status["never", "unwanted"] == "excluded"


def test_a_preferred_plugin_is_not_contested(aimm: Cli, shop: FakeSite, tmp_path: Path) -> None:
    """prefer: settles it, and the list shows it."""
    shop.add("rival", entry_points={"aimm.models": {"threshold": "rival:T"}})
    (tmp_path / "conf.yaml").write_text("names: []\nprefer: {threshold: shop}\n")
    rows = json.loads(aimm("--config", tmp_path / "conf.yaml", "plugins", "list", "--json").out)
    assert {row["status"] for row in rows} == {"ok"}


def test_unusable_metadata_is_mentioned(aimm: Cli, shop: FakeSite) -> None:
    """A malformed file is one line on stderr, with the command that explains it; the list is complete without it."""
    shop.add("mangled", raw_entry_points="[aimm.models]\nnonsense\n")
    code, out, err = aimm("plugins", "list")
    assert code == 0
    assert "threshold" in out
    assert err == "metadata problems: 1; 'aimm plugins doctor' explains them\n"


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("name", ["threshold", "shop_models.Threshold"])
def test_show_tells_everything_about_a_plugin(aimm: Cli, name: str) -> None:
    """A plugin is found by either of its names; each fact is a line."""
    code, out, err = aimm("plugins", "show", name)
    assert (code, err) == (0, "")
    facts = {key: value.strip() for key, _, value in (line.partition(":") for line in out.splitlines() if line)}
    assert facts["name"] == "threshold"
    assert facts["distribution"] == "shop"
    assert facts["version"] == "1.2"
    assert facts["answers_to"] == "threshold, shop_models.Threshold"
    assert facts["status"] == "ok"
    assert facts["path"].endswith("entry_points.txt")


@pytest.mark.usefixtures("shop")
def test_show_finds_all_plugins_of_a_distribution(aimm: Cli) -> None:
    """A distribution name gives everything it declares; as JSON too."""
    assert aimm("plugins", "show", "shop").out.count("name:  ") == 4
    assert len(json.loads(aimm("plugins", "show", "shop", "--json").out)) == 4


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("name", "hint"), [("thresold", "; did you mean 'threshold'?"), ("shopp", "; did you mean 'shop'?"), ("zzz", "")]
)
def test_show_of_an_unknown_name(aimm: Cli, name: str, hint: str) -> None:
    """Exit code 1 and the nearest known name."""
    code, out, err = aimm("plugins", "show", name)
    assert (code, out) == (1, "")
    assert err == f"aimm: no plugin and no distribution is called {name!r}{hint}\n"


def test_show_without_any_plugin_says_what_to_do(aimm: Cli) -> None:
    """Where nothing is installed, the hint is to install something."""
    assert "install one with pip" in aimm("plugins", "show", "x").err


@pytest.mark.usefixtures("shop")
def test_show_in_safe_mode_says_so(aimm: Cli) -> None:
    """The plugin is there, but not looked for."""
    assert "safe mode is on" in aimm("--safe", "plugins", "show", "threshold").err


def test_schema_is_the_json_schema_of_the_configuration(aimm: Cli) -> None:
    """What an editor needs to check a configuration file."""
    schema = json.loads(aimm("plugins", "schema").out)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "aimm://plugins.yaml#"
