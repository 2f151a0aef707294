"""Every estimator of scikit-learn, from instantiate to predict with what was deserialised."""

from pathlib import Path

import numpy as np
import pytest
from aimm_sklearn.errors import NoPredictionError, PayloadError
from cases import CASES, flowers
from estimators import ESTIMATORS, assert_same, fitted, outcome, public_name
from exceptions import CANNOT_BE_SAVED, NEEDS_ARGUMENTS, NOTHING_TO_PREDICT

from aimm.plugins import PluginManager

# What scikit-learn says about its defaults and about data as small as these.
WARNINGS = {
    "GraphicalLassoCV": "ignore:invalid value encountered:RuntimeWarning",
    "Isomap": "ignore:(The number of connected components|Changing the sparsity):Warning",
    "QuantileTransformer": "ignore:n_quantiles:UserWarning",
    "SelectKBest": "ignore:k=10 is greater:UserWarning",
    "SpectralEmbedding": "ignore:Graph is not fully connected:UserWarning",
}
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The (default value|fitted attributes) .* will:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Class PassiveAggressive.* is deprecated:FutureWarning"),
]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.filterwarnings(WARNINGS[name])] if name in WARNINGS else [])
        for name in sorted(ESTIMATORS.keys() - CANNOT_BE_SAVED)
    ],
)
def test_a_round_trip_changes_no_result(manager: PluginManager, name: str) -> None:
    """What was serialised and deserialised says the same about new data, to the last bit."""
    model_type, instance = public_name(ESTIMATORS[name]), fitted(manager, name)
    payload = manager.exec_serialize(model_type, instance)
    again = manager.exec_deserialize(model_type, payload)
    assert type(again) is ESTIMATORS[name]
    assert again is not instance
    assert_same(outcome(manager, name, instance), outcome(manager, name, again))


@pytest.mark.parametrize("name", sorted(CANNOT_BE_SAVED))
def test_what_cannot_be_saved_is_refused(manager: PluginManager, name: str) -> None:
    """An estimator that is listed as impossible to save is refused when it is serialised."""
    with pytest.raises(PayloadError, match="skops cannot write it"):
        manager.exec_serialize(public_name(ESTIMATORS[name]), fitted(manager, name))


@pytest.mark.parametrize("name", sorted(NOTHING_TO_PREDICT))
def test_what_cannot_predict_says_what_to_do(manager: PluginManager, name: str) -> None:
    """An estimator that is listed as unable to predict refuses to, and says what to use instead."""
    route = manager.route(public_name(ESTIMATORS[name]))
    with pytest.raises(NoPredictionError, match=r"neither predict nor transform for new data; .*(use|read)"):
        route.predict(route.instantiate(None), None, [[0.0]])


@pytest.mark.parametrize("name", sorted(NEEDS_ARGUMENTS))
def test_what_needs_arguments_has_no_defaults(manager: PluginManager, name: str) -> None:
    """An estimator that is listed as needing arguments cannot be created and fitted without them."""
    route = manager.route(public_name(ESTIMATORS[name]))
    with pytest.raises((TypeError, ValueError), match=r"missing \d+ required|estimator"):
        route.fit(route.instantiate(None), None, *CASES[name].data().fit)


def test_an_estimator_enabled_by_the_configuration_makes_the_round_trip() -> None:
    """An experimental estimator works like all others once the configuration names the module that enables it."""
    manager = PluginManager({"names": ["sklearn.experimental.enable_iterative_imputer"]})
    route, X = (
        manager.route("sklearn.impute.IterativeImputer"),
        np.where(flowers().fit[0] > 6, np.nan, flowers().fit[0]),
    )
    imputer = route.fit(route.instantiate(None), None, X)
    again = route.deserialize(route.serialize(imputer))
    np.testing.assert_array_equal(route.predict(imputer, None, X)[1], route.predict(again, None, X)[1])


def test_what_random_codes_need_can_be_saved(manager: PluginManager) -> None:
    """Some random codes leave a class to nobody, which takes a type that others do not."""
    route = manager.route("sklearn.multiclass.OutputCodeClassifier")
    arguments = {**CASES["OutputCodeClassifier"].arguments, "random_state": 0}
    fitted = route.fit(route.instantiate(None, **arguments), None, *flowers().fit)
    again = route.deserialize(route.serialize(fitted))
    assert_same(route.predict(fitted, None, *flowers().predict)[1], route.predict(again, None, *flowers().predict)[1])


def test_only_what_needs_arguments_is_given_some() -> None:
    """Every other estimator makes its round trip with its defaults."""
    assert {name for name, case in CASES.items() if case.arguments} == NEEDS_ARGUMENTS.keys()


def test_the_lists_name_estimators_that_exist() -> None:
    """No list goes on naming what scikit-learn no longer has."""
    listed = {*CASES, *WARNINGS, *CANNOT_BE_SAVED, *NOTHING_TO_PREDICT, *NEEDS_ARGUMENTS}
    assert listed <= ESTIMATORS.keys()


def test_the_readme_names_every_exception() -> None:
    """Whoever reads the README knows every estimator that does not make the round trip with its defaults."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    missing = [n for n in (*CANNOT_BE_SAVED, *NOTHING_TO_PREDICT, *NEEDS_ARGUMENTS) if f"`{n}`" not in readme]
    assert missing == []
