"""Constants of the tests; not in conftest, whose name every test folder has."""

from typing import Any

STREAMS = {
    "river.linear_model.LinearRegression": "river.datasets.trump_approval",
    "river.linear_model.LogisticRegression": "river.datasets.phishing",
    "river.linear_model.PARegressor": "river.datasets.trump_approval",
    "river.linear_model.Perceptron": "river.datasets.phishing",
    "river.naive_bayes.GaussianNB": "river.datasets.image_segments",
}
"""Each model type with a stream for it."""


def quiet(state: dict[str, Any]) -> None:
    """Stand before the data in a call whose states do not matter."""
