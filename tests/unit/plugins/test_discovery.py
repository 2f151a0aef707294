import itertools
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aimm import plugins
from aimm.errors import PluginConflictError, PluginLoadError
from aimm.plugins._config import load_config
from aimm.plugins._discovery import Candidate, Found, conflict, discover, safe_mode, same_owner
from support import FakeSite, class_source, model_source


def found(**keys: Any) -> Found:
    return discover(load_config({"names": [], **keys}))


def shown(candidates: tuple[Candidate, ...]) -> list[tuple[str, str]]:
    return [(c.group, c.name) for c in candidates]


# Order and contents


def test_configured_plugins_come_first_then_entry_points_sorted(site: FakeSite) -> None:
    """Names and directories keep the order of the document."""
    site.add("b", entry_points={"aimm.models": {"z": "x", "a": "x"}, "aimm.plugins": {"h": "x"}})
    site.add("a", entry_points={"aimm.data_access": {"d": "x"}})
    assert shown(found(names=["z_mod", "a_mod"], directories=["/q/dir2", "/q/dir1"]).candidates) == [
        ("names", "z_mod"),
        ("names", "a_mod"),
        ("directories", "dir2"),
        ("directories", "dir1"),
        ("aimm.data_access", "d"),
        ("aimm.models", "a"),
        ("aimm.models", "z"),
        ("aimm.plugins", "h"),
    ]


def test_nothing_is_imported(site: FakeSite) -> None:
    """Neither entry points nor configured names; the command line lists plugins this way."""
    site.add("d", entry_points={"aimm.plugins": {"p": "bad_mod"}}, modules={"bad_mod": "raise SystemExit"})
    assert len(found(names=["bad_mod"]).candidates) == 2
    assert "bad_mod" not in sys.modules


def test_a_candidate_of_an_entry_point_knows_its_declaration(site: FakeSite) -> None:
    """Distribution, version, summary and the line as its author wrote it."""
    info = site.add("my-dist", "2.0", {"aimm.models": {"m": "pkg.mod:Forest"}}, summary="Trees")
    (candidate,) = found().candidates
    assert candidate[2:] == ("pkg.mod:Forest", "my-dist", "2.0", "Trees", str(info / "entry_points.txt"))
    assert candidate.declaration == "[aimm.models] m = pkg.mod:Forest"
    assert (candidate.module, candidate.choice, candidate.is_explicit) == ("pkg.mod", "my-dist", False)


def test_a_configured_candidate_is_explicit() -> None:
    """It has no distribution and no declaration; ``prefer:`` takes its name."""
    (candidate,) = found(names=["pkg.mod"], entry_points={"enabled": False}).candidates
    assert candidate == Candidate("names", "pkg.mod", "pkg.mod")
    assert (candidate.is_explicit, candidate.declaration, candidate.choice) == (True, None, "pkg.mod")


@pytest.mark.parametrize(
    ("group", "value", "names"),
    [
        ("aimm.models", "pkg.mod:Forest", ("m", "pkg.mod.Forest")),
        ("aimm.models", "pkg.mod : Outer.Forest [extra]", ("m", "pkg.mod.Outer.Forest")),
        ("aimm.models", "pkg.mod", ("m",)),
        ("aimm.models", "m:x", ("m", "m.x")),
        ("aimm.data_access", "pkg.mod:load", ("m",)),
        ("aimm.plugins", "pkg.mod:hooks", ("m",)),
    ],
)
def test_a_model_class_also_answers_to_its_canonical_name(group: str, value: str, names: tuple[str, ...]) -> None:
    """Module + class name, as ``@model`` has it; nothing else has a second name."""
    assert Candidate(group, "m", value, "d").names == names


def test_a_name_equal_to_the_canonical_one_is_one_name() -> None:
    """It is not in conflict with itself."""
    assert Candidate("aimm.models", "pkg.Forest", "pkg:Forest", "d").names == ("pkg.Forest",)


def test_metadata_problems_are_handed_on_as_failures(site: FakeSite) -> None:
    """Distribution, file and a way out."""
    info = site.add("stranger", raw_entry_points="nonsense\n[x]\nnonsense")
    (failure,) = found().failures()
    assert (failure.stage, failure.distribution, failure.file) == (
        "discover",
        "stranger",
        str(info / "entry_points.txt"),
    )
    assert "line 3 is not of the form 'name = value': 'nonsense'" in failure.cause
    assert "reinstall stranger; all other distributions are unaffected" in failure.hint


def test_settings_for_nobody_are_a_failure(site: FakeSite) -> None:
    """Most likely the name is misspelt."""
    site.add("d", entry_points={"aimm.plugins": {"tracer": "x"}})
    (failure,) = found(settings={"tracer": {}, "trcer": {}}).failures()
    assert (failure.plugin, failure.stage) == ("trcer", "settings")
    assert "'trcer', which is no plugin" in failure.cause


def test_settings_for_an_excluded_plugin_are_no_failure(site: FakeSite) -> None:
    """It can be switched off without touching its settings."""
    site.add("d", entry_points={"aimm.plugins": {"tracer": "x"}})
    assert not found(settings={"tracer": {}}, entry_points={"exclude": ["d"]}).failures()


# Which may load


@pytest.mark.parametrize(
    ("points", "loads"),
    [
        ({}, ["My.Alpha", "my_beta", "other"]),
        ({"include": ["my-*"]}, ["My.Alpha", "my_beta"]),
        ({"include": ["MY_ALPHA"]}, ["My.Alpha"]),
        ({"include": ["my.?lpha"]}, ["My.Alpha"]),
        ({"include": []}, []),
        ({"exclude": ["my-*"]}, ["other"]),
        ({"exclude": ["[a-n]*"]}, ["other"]),
        ({"exclude": ["[!o]*"]}, ["other"]),
        ({"include": ["my-*"], "exclude": ["my-beta"]}, ["My.Alpha"]),
        ({"include": ["lph"]}, []),
        ({"exclude": ["*"]}, []),
    ],
)
def test_include_and_exclude_match_distribution_names(site: FakeSite, points: Any, loads: list[str]) -> None:
    """As patterns, in any spelling; exclude wins."""
    for name in ("My.Alpha", "my_beta", "other"):
        site.add(name, entry_points={"aimm.models": {name: "x"}})
    result = found(entry_points=points)
    assert sorted(c.distribution or "" for c in result.candidates) == sorted(loads)
    assert len(result.candidates) + len(result.excluded) == 3


def test_entry_points_can_be_switched_off(site: FakeSite) -> None:
    """Then the index is not even read: broken metadata is no concern."""
    site.add("d", entry_points={"aimm.models": {"m": "x"}}, raw_metadata=b"\xff")
    assert found(entry_points={"enabled": False}) == Found()


def test_excluded_plugins_are_never_imported(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Excluding a plugin that crashes the host is of use only then (Kedro unregisters after importing)."""
    site.add("bad", entry_points={"aimm.plugins": {"p": "bad_mod"}}, modules={"bad_mod": "raise SystemExit"})
    report = manager.initialize({"names": [], "entry_points": {"exclude": ["bad"]}})
    assert report == plugins.Report()
    assert "bad_mod" not in sys.modules


def test_a_host_can_name_a_module_of_an_excluded_distribution(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Excluding concerns entry points; what the configuration names is named."""
    site.add("d", entry_points={"aimm.models": {"m": "d_mod"}}, modules={"d_mod": model_source("m")})
    manager.initialize({"names": ["d_mod"], "entry_points": {"exclude": ["d"]}})
    assert manager.exec_instantiate("m") == [{}]


# Safe mode


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_safe_mode_finds_nothing(site: FakeSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    """Neither entry points nor names nor directories, so that a broken plugin can always be inspected."""
    site.add("d", entry_points={"aimm.plugins": {"p": "x"}})
    monkeypatch.setenv("AIMM_SAFE_MODE", value)
    assert safe_mode()
    assert found(names=["a"], directories=[str(tmp_path)], settings={"p": {}}) == Found()


@pytest.mark.parametrize("value", ["", "0", "false", "No"])
def test_safe_mode_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The usual spellings of no."""
    monkeypatch.setenv("AIMM_SAFE_MODE", value)
    assert not safe_mode()


def test_safe_mode_rescues_a_host(
    site: FakeSite, monkeypatch: pytest.MonkeyPatch, manager: plugins.PluginManager
) -> None:
    """``initialize`` with a configuration that fails otherwise."""
    monkeypatch.setenv("AIMM_SAFE_MODE", "1")
    assert manager.initialize({"names": ["no_such_module"], "strict": True}) == plugins.Report()


# Conflicts


def rivals(site: FakeSite, group: str = "aimm.models") -> None:
    for name in ("dist-b", "dist-a", "dist-c"):
        site.add(name, entry_points={group: {"m": f"mod_{name[-1]}"}})


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("aimm.models", "model type"),
        ("aimm.data_access", "data access"),
        ("aimm.plugins", "plugin name"),
        ("aimm.tasks", "aimm.tasks"),
    ],
)
def test_two_owners_of_a_name_are_a_conflict(site: FakeSite, group: str, kind: str) -> None:
    """It lists every contender with version and value, sorted, and what to write under ``prefer:``."""
    rivals(site, group)
    (error,) = found().conflicts()
    assert (error.kind, error.name) == (kind, "m")
    assert error.owners == ("dist-a 1.0 (mod_a)", "dist-b 1.0 (mod_b)", "dist-c 1.0 (mod_c)")
    assert error.choices == ("dist-a", "dist-b", "dist-c")


def test_names_of_different_groups_do_not_conflict(site: FakeSite) -> None:
    """A model type and a data access may share a name."""
    site.add("a", entry_points={"aimm.models": {"m": "x"}, "aimm.data_access": {"m": "y"}})
    assert not found().conflicts()


@pytest.mark.parametrize("choice", ["dist-b", "Dist_B", "dist.b"])
def test_prefer_settles_a_conflict(site: FakeSite, choice: str) -> None:
    """By distribution name, in any spelling."""
    rivals(site)
    result = found(prefer={"m": choice})
    assert not result.conflicts()
    assert [c.distribution for c in result.claims["aimm.models", "m"]] == ["dist-b"]


def test_prefer_for_somebody_who_is_not_there_settles_nothing(site: FakeSite) -> None:
    """The conflict stays, nobody wins by accident."""
    rivals(site)
    assert len(found(prefer={"m": "dist-z"}).conflicts()) == 1


@pytest.mark.parametrize("group", ["aimm.models", "aimm.plugins"])
def test_one_object_that_two_distributions_declare_is_no_conflict(site: FakeSite, group: str) -> None:
    """The same object reached twice is one, however it is spelt."""
    site.add("a", entry_points={group: {"m": "mod:Forest"}})
    site.add("b", entry_points={group: {"m": "mod:Forest [extra]"}})
    result = found()
    assert not result.conflicts()
    assert [c.distribution for c in result.claims[group, "m"]] == ["a"]


def test_prefer_chooses_among_declarations_of_one_object(site: FakeSite) -> None:
    """It decides whose name stands in messages."""
    for name in "ab":
        site.add(name, entry_points={"aimm.models": {"m": "mod:Forest"}})
    assert [c.distribution for c in found(prefer={"m": "b"}).claims["aimm.models", "m"]] == ["b"]


def test_one_class_may_have_two_names(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Its canonical name is not contested by that."""
    site.add(
        "a",
        entry_points={"aimm.models": {"m": "two_names:Forest", "n": "two_names:Forest"}},
        modules={"two_names": class_source()},
    )
    assert not manager.initialize().conflicts
    for name in ("m", "n", "two_names.Forest"):
        assert manager.exec_predict(name, manager.exec_instantiate(name), None, 1)[1] == ("Forest", 1)


def test_three_owners_from_two_places_offer_each_choice_once(site: FakeSite) -> None:
    """The remedy reads well."""
    site.add("a", entry_points={"aimm.models": [("m", "x"), ("m", "y")]})
    site.add("b", entry_points={"aimm.models": {"m": "z"}})
    (error,) = found().conflicts()
    assert error.remedy.count("prefer: {m: a}") == 1


def test_a_conflict_concerns_one_name_only(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Everything else of the same distributions can be used."""
    for name in "ab":
        site.add(
            name,
            entry_points={"aimm.models": {"m": f"conf_{name}", name: f"conf_{name}"}},
            modules={f"conf_{name}": model_source("m", name)},
        )
    assert [c.name for c in manager.initialize().conflicts] == ["m"]
    assert manager.exec_predict("a", [], None, 1)[1][0] == "conf_a"
    assert manager.exec_predict("b", [], None, 1)[1][0] == "conf_b"
    with pytest.raises(PluginConflictError, match="model type 'm' is claimed by a 1"):
        manager.exec_fit("m", [])


def test_contested_hook_plugins_are_not_loaded(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Neither is picked; strict makes it an error."""
    rivals(site, "aimm.plugins")
    report = manager.initialize()
    assert (report.loaded, [c.kind for c in report.conflicts]) == ((), ["plugin name"])
    with pytest.raises(PluginLoadError, match=r"prefer: \{m: dist-a\}"):
        manager.initialize({"names": [], "strict": True})


def test_two_directories_of_one_name_are_loud(tmp_path: Path, manager: plugins.PluginManager) -> None:
    """Both are named by the configuration, so the second fails as an explicit plugin does."""
    for side in "ab":
        (tmp_path / side / "twin_dir").mkdir(parents=True)
    paths = [str(tmp_path / side / "twin_dir") for side in "ab"]
    with pytest.raises(PluginLoadError, match="two plugin directories are named 'twin_dir'"):
        manager.initialize({"names": [], "directories": paths})


def test_discovery_is_the_same_over_any_order_of_sys_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates, conflicts and problems of distributions in different folders."""
    sites = [FakeSite(tmp_path / letter) for letter in "abcd"]
    for number, site in enumerate(sites):
        site.add(f"dist-{number}", entry_points={"aimm.models": {"m": f"x{number}", f"own{number}": "y"}})
        site.add(f"broken-{number}", raw_entry_points=b"\xff")
    results = set()
    for order in itertools.permutations(str(site.path) for site in sites):
        monkeypatch.setattr(sys, "path", [*order, *sys.path])
        result = found()
        results.add((result.candidates, str(result.conflicts()), result.problems))
    assert len(results) == 1


SCRIPT = """
import json, sys
from aimm import plugins
manager = plugins.PluginManager()
report = manager.initialize({"names": ["cfg_mod"], "entry_points": {"include": ["fake-*"]}})
def outcome(name):
    try:
        return manager.exec_predict(name, [], None, 1)[1][0]
    except Exception as error:
        return str(error)
print(json.dumps([
    [list(c) for c in report.lazy], [f.plugin for f in report.failed], [str(c) for c in report.conflicts],
    [outcome(name) for name in ("m", "own0", "own1", "own2", "shared", "nobody")],
]))
"""


def test_every_outcome_is_the_same_over_hash_seeds_and_creation_order(tmp_path: Path) -> None:
    """Who wins a name depends on neither (xarray's choice changes with PYTHONHASHSEED)."""
    outcomes = set()
    for seed in range(4):
        site = FakeSite(tmp_path / str(seed) / "site")
        site.module("cfg_mod", model_source("m"))
        for number in random.sample(range(3), 3):
            site.add(
                f"fake-{number}",
                entry_points={"aimm.models": {"m": f"f{number}", "shared": f"f{number}", f"own{number}": f"f{number}"}},
                modules={f"f{number}": model_source("m", "shared", f"own{number}", "undeclared")},
            )
        environment = {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(site.path), "PATH": ""}
        command = [sys.executable, "-c", SCRIPT]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        outcomes.add(run.stdout.replace(str(tmp_path / str(seed)), ""))
    (outcome,) = outcomes
    lazy, failed, conflicts, results = json.loads(outcome)
    assert (len(lazy), failed) == (9, [])
    assert results[:4] == ["cfg_mod", "f0", "f1", "f2"]


def test_conflict_of_explicit_candidates_names_the_configuration() -> None:
    """Where there is no distribution."""
    error = conflict("names", "m", [Candidate("names", "m", "m"), Candidate("names", "m", "n")])
    assert error.owners == ("the configuration (m)", "the configuration (n)")


@pytest.mark.parametrize(
    ("wanted", "choice", "same"),
    [("a", "a", True), ("My_Dist", "my-dist", True), ("a", "b", False), ("pkg.mod", "pkg.mod", True)],
)
def test_same_owner(wanted: str, choice: str, same: bool) -> None:
    """Distribution names compare as packaging tools compare them."""
    assert same_owner(wanted, choice) is same
