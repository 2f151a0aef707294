"""``aimm plugins check``: exit code, table, JSON."""

import json
from pathlib import Path

import pytest

from faults import GOOD
from support import FakeSite, unique_name
from terminal import AIMM, Cli, run_on_terminal

SUPPLIED = "\n\ndef aimm_examples():\n    import faults\n    return faults.EXAMPLE\n"
BROKEN = GOOD.replace("    return instance.fit(X, state_cb)", "    instance.fit(X, state_cb)")


@pytest.fixture
def install(site: FakeSite) -> FakeSite:
    """A site with a good plugin and a faulty one."""
    for name, source in (("good", GOOD), ("bad", BROKEN)):
        module = unique_name(name)
        source = source.replace('"scaler"]', f'"{name}.scaler"]').replace('"scaler")', f'"{name}.scaler")')
        points = {"aimm.models": {f"{name}.scaler": module}}
        site.add(f"acme-{name}", entry_points=points, modules={module: source + SUPPLIED})
    return site


def test_a_good_plugin(aimm: Cli, install: FakeSite) -> None:
    """Exit code 0; what was skipped and the numbers are shown, what passed only with -v."""
    code, out, _ = aimm("plugins", "check", "acme-good")
    assert code == 0
    assert out.splitlines()[0].split() == ["STATUS", "SUBJECT", "CHECK", "WHY"]
    assert "predict-works" not in out
    assert out.splitlines()[-1].startswith("acme-good: ")
    assert "failed" not in out


def test_a_faulty_plugin(aimm: Cli, install: FakeSite) -> None:
    """Exit code 1; the problem is shown with its hint."""
    code, out, _ = aimm("plugins", "check", "acme-bad")
    assert code == 1
    assert "PROBLEM  fit-returns-the-instance (bad.scaler): fit returns None\n    hint: end fit with" in out


def test_an_expected_failure(aimm: Cli, install: FakeSite) -> None:
    """It is listed with its reason; the plugin then fails only because too few checks run."""
    out = aimm("plugins", "check", "acme-bad", "--expect", "fit-returns-the-instance=it is old").out
    assert "it is old (fit returns None)" in out
    assert "PROBLEM  only " in out


def test_as_json(aimm: Cli, install: FakeSite) -> None:
    """The whole report; the exit code is the same."""
    code, out, _ = aimm("plugins", "check", "acme-bad", "--json")
    told = json.loads(out)
    assert code == 1
    assert told["subject"] == "acme-bad"
    assert told["good"] is False
    failed = [result for result in told["results"] if result["status"] == "failed"]
    assert [result["check"] for result in failed] == ["fit-returns-the-instance"]
    assert all(result["claim"] and result["hint"] for result in told["results"])


def test_on_a_terminal_it_is_a_table(install: FakeSite) -> None:
    """Rich draws it."""
    path = f"{install.path}:{Path(__file__).parents[2]}"
    ended, shown = run_on_terminal(*AIMM, "plugins", "check", "acme-good", env={"PYTHONPATH": path})
    assert ended.code == 0, shown
    assert "┃" in shown or "│" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--expect", "fit-works"], "'fit-works' has not the form CHECK=REASON"),
        (["--expect", "fits=old"], "expected failure 'fits': there is no such check"),
    ],
)
def test_a_wrong_expectation_is_refused(aimm: Cli, install: FakeSite, arguments: list[str], message: str) -> None:
    """Before anything runs."""
    code, out, err = aimm("plugins", "check", "acme-good", *arguments)
    assert (code != 0, out) == (True, "")
    assert message in err


def test_an_unknown_plugin_is_an_error(aimm: Cli, install: FakeSite) -> None:
    """The message lists the distributions with plugins."""
    code, out, err = aimm("plugins", "check", "acme-god")
    assert (code, out) == (1, "")
    assert "acme-bad, acme-good" in err
