"""What is not loaded, and what is not even saved."""

import io
import json
import operator
import pickle
import subprocess
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import skops.io
from aimm_sklearn.errors import NoPredictionError, PayloadError, UntrustedTypesError
from cases import flowers
from sklearn.cluster import KMeans
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from aimm.plugins import PluginManager

FUNCTION = "sklearn.preprocessing.FunctionTransformer"
ran: list[object] = []


class Stranger:
    """A class of somebody's own, which shows if it was loaded."""

    def __init__(self) -> None:
        self.state = 1

    def __setstate__(self, state: object) -> None:
        ran.append(state)


def fitted_svc() -> SVC:
    """An estimator without anything unusual in it."""
    return SVC().fit(*flowers().fit)


def with_schema(payload: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The same skops file, with its schema changed."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(payload)) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                change(schema := json.loads(content))
                content = json.dumps(schema).encode()
            new.writestr(name, content)
    return written.getvalue()


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (partial(subprocess.call, "true"), r"functools\.partial of subprocess\.call, subprocess\.call"),
        (partial(np.mean, axis=0), r"functools\.partial of numpy\.mean"),
        (operator.methodcaller("tofile", "x"), r"operator\.methodcaller"),
        (subprocess.call, r"subprocess\.call"),
        (eval, r"builtins\.eval"),
        (np.load, r"numpy\.load"),
        (KMeans().fit, r"sklearn\.cluster\._kmeans\.KMeans, sklearn\.cluster\._kmeans\.KMeans\.fit"),
        (Stranger(), r"test_refusals\.Stranger"),
    ],
)
def test_unknown_types_are_refused_by_name(manager: PluginManager, function: Any, named: str) -> None:
    """Bytes that hold a type which nobody reviewed are refused, the type is named, and nothing of them ran."""
    payload = skops.io.dumps(FunctionTransformer(function))
    with pytest.raises(UntrustedTypesError, match=f"nothing of them was loaded: .* not trusted: {named};"):
        manager.exec_deserialize(FUNCTION, payload)
    assert ran == []


def test_what_would_not_load_is_not_saved(manager: PluginManager) -> None:
    """An estimator with a function of the user's own is refused while it is still there to be mended."""
    with pytest.raises(UntrustedTypesError, match=r"cannot be saved: .*<lambda>"):
        manager.exec_serialize(FUNCTION, FunctionTransformer(lambda X: X))


def test_a_trusted_function_is_not_called_by_a_file(manager: PluginManager) -> None:
    """A name that may be referred to cannot be turned into a call of it with arguments of the file's choice."""

    def call_it(schema: dict[str, Any]) -> None:
        function = schema["content"]["content"]["func"]
        assert function["__loader__"] == "FunctionNode"
        function["__loader__"], function["content"] = "ConstructorFromReduceNode", schema["content"]["key_types"]

    payload = with_schema(skops.io.dumps(FunctionTransformer(np.mean)), call_it)
    with pytest.raises(UntrustedTypesError, match=r"numpy\.mean \(by ConstructorFromReduceNode\)"):
        manager.exec_deserialize(FUNCTION, payload)


def test_another_model_type_is_refused(manager: PluginManager) -> None:
    """Bytes of one estimator are not loaded as another, and the error names both."""
    payload = manager.exec_serialize("sklearn.svm.SVC", fitted_svc())
    with pytest.raises(PayloadError, match=r"sklearn\.svm\.NuSVC: the bytes hold a sklearn\.svm\._classes\.SVC"):
        manager.exec_deserialize("sklearn.svm.NuSVC", payload)


def test_an_instance_of_another_model_type_is_not_saved(manager: PluginManager) -> None:
    """An instance that is not of the model type it is said to be is refused."""
    with pytest.raises(PayloadError, match=r"sklearn\.svm\.NuSVC: serialize was given a sklearn\.svm\._classes\.SVC"):
        manager.exec_serialize("sklearn.svm.NuSVC", fitted_svc())


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: pickle.dumps(Stranger()),
        lambda whole: b"",
        lambda whole: b"no model",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: with_schema(whole, dict.clear),
        lambda whole: with_schema(whole, lambda schema: schema.update(protocol=99)),
        lambda whole: with_schema(whole, lambda schema: schema.update(__loader__="PartialNode")),
    ],
    ids=["pickle", "empty", "text", "half", "no-schema", "future", "other-loader"],
)
def test_other_bytes_are_refused(manager: PluginManager, damage: Callable[[bytes], bytes]) -> None:
    """Pickles, pieces and whatever else serialize did not write are refused, and nothing of them runs."""
    payload = damage(manager.exec_serialize("sklearn.svm.SVC", fitted_svc()))
    with pytest.raises(PayloadError, match="not the whole and unaltered bytes that serialize wrote"):
        manager.exec_deserialize("sklearn.svm.SVC", payload)
    assert ran == []


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_payload_is_read(manager: PluginManager, kind: Callable[[bytes], Any]) -> None:
    """Whatever bytes-like object the hook promises is taken."""
    payload = manager.exec_serialize("sklearn.svm.SVC", fitted_svc())
    assert isinstance(manager.exec_deserialize("sklearn.svm.SVC", kind(payload)), SVC)


@pytest.mark.parametrize(
    "error",
    [
        UntrustedTypesError("sklearn.svm.SVC", ["os.system"], "deserialize"),
        PayloadError("sklearn.svm.SVC", "a problem"),
        NoPredictionError("sklearn.cluster.DBSCAN", "an advice"),
    ],
)
def test_errors_survive_pickle(error: Exception) -> None:
    """An error comes home from another process as itself."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
