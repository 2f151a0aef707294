"""The fixtures, in this process; and what the plugin costs, in a pytest of its own."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from aimm import plugins
from aimm.testing import Distribution
from aimm.testing._distribution import IsolatedManager
from aimm.testing.pytest_plugin import States
from support import FakeSite, class_source, model_source

MODEL = {"thing.py": model_source("thing", tag="made")}
POINTS = {"aimm.models": {"thing": "thing"}}


def test_the_manager_starts_empty(aimm_manager: IsolatedManager, site: FakeSite) -> None:
    """An installed distribution is not seen, whether or not the configuration names modules."""
    site.add("installed", entry_points={"aimm.models": {"other": "other"}}, modules={"other": model_source("other")})
    assert aimm_manager.initialize().lazy == ()
    assert aimm_manager.initialize({"names": []}).lazy == ()
    assert aimm_manager.discover().candidates == ()


def test_the_manager_sees_an_installed_plugin_that_it_is_asked_for(
    aimm_manager: IsolatedManager, site: FakeSite
) -> None:
    """A configuration with entry points of its own is taken as it is."""
    site.add("installed", entry_points={"aimm.models": {"other": "other"}}, modules={"other": model_source("other")})
    report = aimm_manager.initialize({"names": [], "entry_points": {"include": ["installed"]}})
    assert [candidate.name for candidate in report.lazy] == ["other"]


def test_a_distribution_is_found_and_called(
    aimm_manager: IsolatedManager, aimm_distribution: Callable[..., Distribution]
) -> None:
    """What is made looks installed, with name and version, and works."""
    made = aimm_distribution(MODEL, POINTS, name="my-things", version="2.3")
    aimm_manager.initialize()
    owner = aimm_manager.owner("thing", "predict")
    assert (owner.distribution, owner.version) == (made.name, made.version) == ("my-things", "2.3")
    assert aimm_manager.exec_predict("thing", aimm_manager.exec_instantiate("thing"), None, 1)[1] == ("made", (1,), {})


def test_several_distributions_are_seen_side_by_side(
    aimm_manager: IsolatedManager, aimm_distribution: Callable[..., Distribution]
) -> None:
    """Each call adds one."""
    aimm_distribution(MODEL, POINTS, name="one")
    aimm_distribution({"pkg/__init__.py": "", "pkg/m.py": class_source()}, {"aimm.models": {"f": "pkg.m:Forest"}})
    aimm_manager.initialize()
    assert [owner.name for owner in aimm_manager.owners()] == ["f", "thing"]


def test_the_default_manager_is_left_alone(
    aimm_manager: IsolatedManager, aimm_distribution: Callable[..., Distribution]
) -> None:
    """What the manager of a test loads is unknown elsewhere."""
    aimm_distribution(MODEL, POINTS)
    aimm_manager.initialize()
    aimm_manager.route("thing").instantiate()
    assert plugins.owners() == []


def test_states_are_kept(aimm_states: States) -> None:
    """The recorder is a state callback and a list of states."""
    for state in ({"progress": 0.5}, {"rows": 3}, {"progress": 1.0}):
        aimm_states(state)
    assert aimm_states == [{"progress": 0.5}, {"rows": 3}, {"progress": 1.0}]
    assert aimm_states.progress == [0.5, 1.0]


def run_pytest(folder: Path, test: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run pytest on one test file, with ``aimm``'s plugin and no other third-party one."""
    (folder / "test_made.py").write_text(textwrap.dedent(test))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AIMM_", "PYTEST_", "COV_"))}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "aimm.testing.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_entry_point_names_the_plugin() -> None:
    """Pytest finds it where aimm is installed."""
    from importlib.metadata import entry_points

    values = {point.value for point in entry_points(group="pytest11") if point.name == "aimm"}
    assert values == {"aimm.testing.pytest_plugin"}


def test_it_costs_nothing_when_it_is_not_used(tmp_path: Path) -> None:
    """A run that uses no fixture imports three small modules of ours, and nothing of what they use."""
    done = run_pytest(
        tmp_path,
        """
        import sys

        def test_modules():
            ours = {name for name in sys.modules if name == "aimm" or name.startswith("aimm.")}
            assert ours == {"aimm", "aimm.testing", "aimm.testing.pytest_plugin"}
            assert not {"jsonschema", "importlib_metadata", "click", "rich", "yaml", "numpy"} & set(sys.modules)
        """,
    )
    assert done.returncode == 0, done.stdout


PLUGIN = (
    class_source("Forest")
    .replace("self.n += epochs", "self.n += epochs + 0 * len(X)")
    .replace("return 'Forest', X", "return ['Forest', *X, self.n]")
)


def test_one_line_checks_a_model_type(tmp_path: Path) -> None:
    """``parametrize`` makes a case of each check, and one more that counts them."""
    (tmp_path / "forest.py").write_text(PLUGIN)
    done = run_pytest(
        tmp_path,
        """
        import forest
        from aimm import testing

        EXAMPLE = testing.Example(fit=testing.call([1, 2]), predict=testing.call([3]), predicts_unfitted=True)
        test_forest = testing.parametrize(forest.Forest, examples=EXAMPLE)
        """,
        "-rs",
    )
    assert done.returncode == 0, done.stdout
    assert "fit reports no states" in done.stdout


def test_a_fault_is_a_failed_case_with_its_hint(tmp_path: Path) -> None:
    """The case of the check fails, says what is wrong and what to do, and the others pass; expectations are xfail."""
    (tmp_path / "forest.py").write_text(PLUGIN.replace("return self\n", "pass\n"))
    test = """
        import forest
        from aimm import testing

        EXAMPLE = testing.Example(fit=testing.call([1, 2]), predict=testing.call([3]), predicts_unfitted=True)
        test_forest = testing.parametrize(forest.Forest, examples=EXAMPLE, expected_failures={expected}, floor=1)
    """
    done = run_pytest(tmp_path, test.replace("{expected}", "None"))
    assert "1 failed" in done.stdout
    assert "test_forest[fit-returns-the-instance]" in done.stdout
    assert "end fit with 'return self'" in done.stdout
    expected = run_pytest(tmp_path, test.replace("{expected}", '{"fit-returns-the-instance": "old"}'), "-rx")
    assert expected.returncode == 0, expected.stdout
    assert "1 xfailed" in expected.stdout


def test_a_run_that_checks_nothing_fails(tmp_path: Path) -> None:
    """Without an example nearly everything is skipped, and the last case says so."""
    (tmp_path / "forest.py").write_text(PLUGIN.replace("X", "rows"))
    done = run_pytest(tmp_path, "import forest\nfrom aimm import testing\ntest_it = testing.parametrize(forest.Forest)")
    assert "1 failed" in done.stdout
    assert "test_it[enough-checks-run]" in done.stdout
    assert "aimm_examples" in done.stdout
