"""From a model type to the estimator class of this import path, and what its methods take."""

import inspect
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any

import sklearn
from sklearn.base import BaseEstimator

from aimm.plugins import StateCallback
from aimm_sklearn.errors import NoPredictionError

_NOT_PUBLIC = {"tests", "conftest", "externals", "experimental"}
"""Names without underscore that are no part of scikit-learn's public interface; importing some has effects."""


def find(model_type: str) -> type[Any] | None:
    """The estimator class whose public import path this is, or None.

    Raises:
        ImportError: scikit-learn has it, but wants it enabled first; its message says how.
    """
    *path, name = model_type.split(".")
    if len(path) < 2 or not _is_public((*path, name)):
        return None
    module = _import(".".join(path))
    found = getattr(module, name, None)
    if not isinstance(found, type) or not issubclass(found, BaseEstimator):
        return None
    if found is BaseEstimator or inspect.isabstract(found) or not _is_exported(module, name, found):
        return None
    return found


def similar(model_type: str) -> list[str]:
    """The model types that come near, the nearest first."""
    own = model_type.rpartition(".")[0]  # for modules below the public ones, such as sklearn.feature_extraction.text
    modules = {f"sklearn.{name}" for name in sklearn.__all__} | {own}
    public = [module for module in sorted(modules) if _is_public(module.split("."))]
    names = (f"{module}.{name}" for module in public for name in getattr(_import(module), "__all__", ()))
    # Compared without what they all begin with, which would make any two of them alike.
    ends = [name.removeprefix("sklearn.") for name in names]
    near = get_close_matches(model_type.removeprefix("sklearn."), ends, n=9)
    return [f"sklearn.{end}" for end in near if _exists(f"sklearn.{end}")]


def get(model_type: str) -> type[Any]:
    """The estimator class of a model type.

    Raises:
        LookupError: There is no such estimator.
    """
    found = find(model_type)
    if found is None:
        raise LookupError(f"{model_type!r} is not the public import path of a scikit-learn estimator")
    return found


def parameters(model_type: str, action: str) -> list[str] | None:
    """The names of the arguments of an action, in positional order; None if they cannot be known.

    An optional ``y`` of ``transform`` is left out: who hands over data by name would hand over the answers too.
    """
    estimator = get(model_type)
    if action == "instantiate":
        return _names(estimator)
    if action == "fit":
        return _names(estimator.fit)[1:]
    method = getattr(estimator, "predict", None) or getattr(estimator, "transform", None)
    return None if method is None else _names(method, without_optional=("y", "Y"))[1:]


def with_monitor(
    instance: Any, state_cb: StateCallback, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The keyword arguments for ``fit``, with a monitor that reports progress where ``fit`` takes one.

    Gradient boosting does, and it only watches. The other ways to see steps, ``partial_fit`` and ``warm_start``, give
    another model than a plain fit, so they are not used.
    """
    names = _names(instance.fit)
    if "monitor" not in names[len(args) :] or "monitor" in kwargs:
        return kwargs

    def monitor(step: int, *_: Any) -> bool:
        state_cb({"progress": (step + 1) / instance.n_estimators})
        return False

    return {**kwargs, "monitor": monitor}


def prediction_of(model_type: str, instance: Any) -> Callable[..., Any]:
    """The method of an estimator that answers for new data: ``predict``, or else ``transform``.

    Raises:
        NoPredictionError: It has neither.
    """
    # Asked of the instance, not its class: a pipeline or a search predicts only if what is inside it does.
    method = getattr(instance, "predict", None) or getattr(instance, "transform", None)
    if method is None:
        raise NoPredictionError(model_type, _advice(instance))
    return method  # type: ignore[no-any-return]


def _advice(instance: Any) -> str:
    if hasattr(instance, "novelty"):
        return "create it with novelty=True to predict with it, or read negative_outlier_factor_ after fit"
    if hasattr(instance, "fit_predict"):
        return (
            "it labels only the data it is fitted with: read labels_ of the fitted instance; to label new data use "
            "a clusterer that predicts, like sklearn.cluster.KMeans, or fit a classifier to the labels"
        )
    if hasattr(instance, "embedding_") or hasattr(instance, "fit_transform"):
        return (
            "it embeds only the data it is fitted with: read embedding_ of the fitted instance; to embed new data "
            "use one that transforms, like sklearn.manifold.Isomap or sklearn.decomposition.PCA"
        )
    offers = [n for n in ("score_samples", "kneighbors", "score", "biclusters_") if hasattr(type(instance), n)]
    return f"use the fitted instance itself: it offers {', '.join(offers) or 'what fit left in its attributes'}"


def _is_public(parts: Sequence[str]) -> bool:
    return all(part.isidentifier() and not part.startswith("_") and part not in _NOT_PUBLIC for part in parts)


def _exists(model_type: str) -> bool:
    try:
        return find(model_type) is not None
    except ImportError:  # whoever tries it is told how to enable it
        return True


def _import(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        # Only a module that does not exist is an answer; one that lacks something it needs is a fault to be seen.
        if error.name and f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _is_exported(module: ModuleType | None, name: str, found: type) -> bool:
    # A few public modules have no __all__; there, what was imported from elsewhere is not theirs.
    exported = getattr(module, "__all__", None)
    return found.__module__ == getattr(module, "__name__", None) if exported is None else name in exported


def _names(function: Callable[..., Any], without_optional: tuple[str, ...] = ()) -> list[str]:
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.kind not in variadic and not (p.name in without_optional and p.default is not p.empty)
    ]
