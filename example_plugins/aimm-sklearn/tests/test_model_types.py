"""Which names the plugin owns, and what it costs to have it installed."""

import subprocess
import sys

import pytest
from aimm_sklearn import plugin
from estimators import ESTIMATORS, public_name

from aimm.errors import PluginNotFoundError
from aimm.plugins import PluginManager

START = """
import sys
from aimm import plugins
plugins.initialize()
assert "(dynamic)" in {owner.name for owner in plugins.owners()}
assert "sklearn.datasets.iris" in {owner.name for owner in plugins.owners("data access")}
import aimm_sklearn.data, aimm_sklearn.errors, aimm_sklearn.plugin
assert not aimm_sklearn.plugin.resolve_model_type("torch.nn.Linear")
print(sorted({"numpy", "scipy", "skops", "sklearn"} & sys.modules.keys()))
"""


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    """Finding, listing and importing the plugin imports neither scikit-learn nor NumPy nor skops."""
    run = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, timeout=60, check=False)
    assert (run.stdout.strip(), run.returncode) == ("[]", 0), run.stderr


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_estimator_is_owned_under_its_public_path(name: str) -> None:
    """The plugin owns what scikit-learn documents, whatever private module it is written in."""
    assert plugin.resolve_model_type(public_name(ESTIMATORS[name]))


@pytest.mark.parametrize(
    "name",
    [
        "SVC",
        "sklearn",
        "sklearn.",
        "sklearn.SVC",
        "sklearn..SVC",
        "sklearn.svm",
        "sklearn.svm.",
        "sklearn.svm.SCV",
        "sklearn.svm.SVC.fit",
        "sklearn.svm.SVC ",
        "sklearn.svm._classes.SVC",
        "sklearn.no_such_module.SVC",
        "sklearn.base.BaseEstimator",
        "sklearn.base.ClassifierMixin",
        "sklearn.calibration.LinearSVC",
        "sklearn.cluster.k_means",
        "sklearn.conftest.SVC",
        "sklearn.datasets.iris",
        "sklearn.ensemble.BaseEnsemble",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.tree.BaseDecisionTree",
        "sklearn.tests.test_base.MyEstimator",
        "sklearnex.svm.SVC",
    ],
)
def test_nothing_else_is_owned(name: str) -> None:
    """Private paths, functions, bases, re-imports and misspellings are no model types."""
    assert plugin.resolve_model_type(name) is False


def test_an_unknown_estimator_is_not_found(manager: PluginManager) -> None:
    """A misspelt estimator is reported as a model type that nobody owns."""
    with pytest.raises(PluginNotFoundError, match=r"sklearn\.svm\.SCV"):
        manager.exec_instantiate("sklearn.svm.SCV")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sklearn.svm.SVCC", "sklearn.svm.SVC"),
        ("sklearn.SVC", "sklearn.svm.SVC"),
        ("sklearn.swm.SVR", "sklearn.svm.SVR"),
        ("sklearn.RandomForestClassifier", "sklearn.ensemble.RandomForestClassifier"),
        ("sklearn.feature_extraction.text.TfidfVectorizr", "sklearn.feature_extraction.text.TfidfVectorizer"),
    ],
)
def test_a_misspelt_estimator_has_a_suggestion(manager: PluginManager, name: str, meant: str) -> None:
    """The plugin knows what scikit-learn has, so the message of the core names what comes near."""
    with pytest.raises(PluginNotFoundError, match=f"; did you mean {meant!r}"):
        manager.exec_instantiate(name)


@pytest.mark.parametrize("name", ["sklearn.zzz.Qqq", "sklearn.", "sklearn..", "sklearn.1", "torch.svm.SVC", "sklearn"])
def test_what_comes_near_nothing_has_no_suggestion(name: str) -> None:
    """That both are of scikit-learn makes two names not alike."""
    assert plugin.similar_model_types(name) == []


def test_an_experimental_estimator_says_how_to_enable_it(manager: PluginManager) -> None:
    """An estimator that scikit-learn wants enabled first is not found, and the error says what to import."""
    with pytest.raises(PluginNotFoundError, match="enable_halving_search_cv"):
        manager.exec_instantiate("sklearn.model_selection.HalvingGridSearchCV")
