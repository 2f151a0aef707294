import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from river_cases import STREAMS

from aimm import plugins

PROLOGUE = """
import sys
from aimm import plugins

def imported():
    return sorted(name for name in sys.modules if name.partition(".")[0] in ("river", "aimm_river"))

manager = plugins.PluginManager({"names": []})
"""


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-W", "error", "-c", PROLOGUE + code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_listing_imports_nothing() -> None:
    """The names of all models and data sets are known before any of them is imported."""
    printed = run("owners = manager.owners() + manager.owners('data access')\nprint(len(owners) >= 9, imported())")
    assert printed == "True []"


def test_a_model_type_imports_its_own_module_only() -> None:
    """Who classifies does not pay for the regression models and the data sets."""
    code = "manager.exec_instantiate('river.linear_model.Perceptron'); print([n for n in imported() if '_river.' in n])"
    printed = run(code)
    assert "aimm_river.classifiers" in printed
    assert "aimm_river.regressors" not in printed
    assert "aimm_river.data" not in printed


def test_a_wrong_split_is_refused_before_river_is_imported() -> None:
    """Importing river takes a second, which a typing error should not."""
    code = """
try:
    manager.exec_data_access("river.datasets.phishing", split="oops")
except ValueError:
    print(any(name.startswith("river.") for name in sys.modules))
"""
    assert run(code) == "False"


def test_the_manager_finds_every_entry_point_in_working_order(manager: plugins.PluginManager) -> None:
    """Each declared model type has all five actions, and nothing fails."""
    for model_type in STREAMS:
        for action in ("instantiate", "fit", "predict", "serialize", "deserialize"):
            assert manager.owner(model_type, action).distribution == "aimm-river"
    assert not [failure for failure in manager.report.failed if failure.distribution == "aimm-river"]


def test_every_model_type_is_declared_by_the_package() -> None:
    """The tests forget no entry point."""
    declared = {e.name for e in entry_points(group="aimm.models") if e.value.startswith("aimm_river.")}
    assert declared == STREAMS.keys()


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("instantiate", ["learning_rate", "intercept_learning_rate", "l2"]),
        ("fit", ["X", "y"]),
        ("predict", ["X", "y"]),
    ],
)
def test_the_arguments_are_known_by_name(manager: plugins.PluginManager, action: str, parameters: list[str]) -> None:
    """Hosts can offer the arguments without instance and state callback."""
    assert manager.parameters("river.linear_model.LogisticRegression", action) == parameters


@pytest.mark.usefixtures("initialized")
def test_the_module_functions_run_a_model_from_data_to_bytes() -> None:
    """The seed's functions are enough for the whole way."""
    data = plugins.exec_data_access("river.datasets.phishing", limit=50)
    name = "river.linear_model.LogisticRegression"
    instance = plugins.exec_fit(name, plugins.exec_instantiate(name), lambda state: None, data["X"], data["y"])
    copy = plugins.exec_deserialize(name, plugins.exec_serialize(name, instance))
    assert plugins.exec_predict(name, copy, lambda state: None, data["X"])[0] is copy


@pytest.mark.usefixtures("initialized")
def test_unload_all_and_initialize_bring_the_models_back() -> None:
    """A module that is imported already declares its model types again."""
    plugins.exec_instantiate("river.linear_model.Perceptron")
    plugins.unload_all()
    plugins.initialize({"names": []})
    assert plugins.exec_instantiate("river.linear_model.Perceptron").parameters == {"l2": 0.0}


def test_an_excluded_distribution_offers_nothing() -> None:
    """The host decides which distributions may load."""
    manager = plugins.PluginManager({"names": [], "entry_points": {"exclude": ["aimm-river"]}})
    with pytest.raises(LookupError, match="distribution aimm-river declares it, but the configuration excludes it"):
        manager.exec_instantiate("river.linear_model.Perceptron")
