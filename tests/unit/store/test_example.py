"""Input examples: what is recorded comes back, replays, and cannot run anything."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from aimm import plugins, store
from aimm.errors import ExampleError, ReplayError
from aimm.store import _example
from aimm.store._example import digest, is_same, recall, record
from support import FakeSite, class_source

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=10,
)
SUM = """
    from aimm import plugins

    class Sum(plugins.Model):
        calls = 0
        def fit(self): return self
        def predict(self, X, scale=1.0):
            self.calls += 1
            return [sum(row) * scale for row in X]
        def serialize(self): return b"%d" % self.calls
        @classmethod
        def deserialize(cls, instance_bytes): return cls()
"""


def there_and_back(*args: Any, **kwargs: Any) -> store.Example:
    """An example after a way through JSON."""
    return recall(json.loads(json.dumps(record(store.Example(*args, **kwargs), None, "m"))), "m")[0]


@given(args=st.lists(PLAIN, max_size=3), kwargs=st.dictionaries(st.text(), PLAIN, max_size=2))
def test_plain_values_come_back(args: list[Any], kwargs: dict[str, Any]) -> None:
    """Equal, and of the same types."""
    back = there_and_back(*args, **kwargs)
    assert repr((back.args, back.kwargs)) == repr((tuple(args), kwargs))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_come_back(value: float) -> None:
    """JSON has no word for them; we have."""
    assert repr(there_and_back(value).args[0]) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(6.0).reshape(2, 3).T,
        np.arange(3, dtype=">i2"),
        np.array([["a", "bcd"]]),
        np.array([True, False]),
        np.array(["2020-01-01"], "M8[D]"),
        np.array([1 + 2j]),
        np.zeros((0, 4), "f4"),
        np.float32(1.5),
        np.array([1, "a", None], dtype=object),
    ],
)
def test_arrays_come_back(array: Any) -> None:
    """With type, byte order and shape."""
    (back,) = there_and_back(array).args
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(back, array)


def test_an_array_that_comes_back_can_be_changed() -> None:
    """Plugins may write into their arguments, as they may in the caller's."""
    (back,) = there_and_back(np.zeros(2)).args
    back[0] = 1
    assert back.tolist() == [1, 0]


@pytest.mark.parametrize("value", [object(), {1, 2}, [len], np.array([object()]), np.zeros(1, [("a", "i4")])])
def test_what_json_cannot_keep_is_refused(value: Any) -> None:
    """The type is named, and what would do."""
    with pytest.raises(ExampleError, match=r"m: its input example cannot be kept: .*; nothing was written"):
        record(store.Example(value), None, "m")


def test_an_example_that_is_too_large() -> None:
    """The header is read whole, so an example is small."""
    with pytest.raises(ExampleError, match=r"takes 1,\d+,\d+ bytes, 262,144 are allowed: give fewer rows"):
        record(store.Example(np.zeros(100_000)), None, "m")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ([1], (1,)),
        (np.zeros(2), np.zeros((2, 1))),
        (np.zeros(2), np.zeros(2, "f4")),
        (np.array([0.1 + 0.2]), np.array([0.3])),
        ({"a": 1}, {"a": 2}),
    ],
)
def test_the_digest_tells_apart(one: Any, other: Any) -> None:
    """Values, types and shapes, to the last bit."""
    assert digest(one) != digest(other)
    assert is_same(one, digest(one))
    assert not is_same(object(), digest(one))


@pytest.mark.parametrize(
    "recorded",
    [
        {},
        {"args": [], "kwargs": {}},
        {"args": 1, "kwargs": {}, "output": ""},
        {"args": [{"os.system": "true"}], "kwargs": {}, "output": ""},
        {"args": [{"array": "AAAA", "dtype": "O", "shape": [1]}], "kwargs": {}, "output": ""},
        {"args": [{"array": "AAAA", "dtype": "|u1,O", "shape": [1]}], "kwargs": {}, "output": ""},
        {"args": [{"array": "AAAA", "dtype": "<f8", "shape": [10**12]}], "kwargs": {}, "output": ""},
        {"args": [{"array": "", "dtype": "<f8", "shape": [10**9, 10**9]}], "kwargs": {}, "output": ""},
        {"args": [{"array": "not base64!", "dtype": "<f8", "shape": [1]}], "kwargs": {}, "output": ""},
        {"args": [{"mapping": [[[], 1]]}], "kwargs": {}, "output": ""},
        {"args": [], "kwargs": {"a": {"float": "many"}}, "output": ""},
    ],
)
def test_a_forged_example_is_refused(recorded: dict[str, Any]) -> None:
    """It neither allocates what it claims nor makes anything but plain values."""
    with pytest.raises(ExampleError, match="m: its input example cannot be brought back"):
        recall(recorded, "m")


# With a model


@pytest.fixture
def host(site: FakeSite) -> plugins.PluginManager:
    """A manager with the model type ``sum``, which notices each prediction."""
    site.add("sums", "1.0", {"aimm.models": {"sum": "sums:Sum"}}, {"sums": SUM})
    return plugins.PluginManager({"names": []})


def test_a_model_replays_its_example(host: plugins.PluginManager, tmp_path: Path) -> None:
    """What is predicted for the example now is compared with what was predicted then."""
    model = host.exec_instantiate("sum")
    example = store.Example(np.array([[1.0, 2.0]]), scale=3)
    header = store.save_model(tmp_path / "m", "sum", model, example=example, manager=host)
    assert header == store.read_header(tmp_path / "m")
    assert store.open_model(tmp_path / "m").replay(manager=host) is True
    assert model.calls == 0  # a copy predicted


def test_a_model_that_predicts_something_else_is_told(
    host: plugins.PluginManager, site: FakeSite, tmp_path: Path
) -> None:
    """The message names what ran then and what runs now."""
    store.save_model(tmp_path / "m", "sum", host.exec_instantiate("sum"), example=store.Example([[1.0]]), manager=host)
    site.remove("sums", "1.0")
    site.add("sums", "1.1", {"aimm.models": {"sum": "sums2:Sum"}}, {"sums2": SUM.replace("sum(row)", "-sum(row)")})
    again = plugins.PluginManager({"names": []})
    opened = store.open_model(tmp_path / "m", policy=store.Policy(other_version="ok"))
    expected = r"sums 1\.1 on Python 3\S+ predicts something else for its input example than sums 1\.0 on Python 3"
    with pytest.raises(ReplayError, match=expected):
        opened.replay(manager=again)


def test_a_model_without_example_replays_nothing(host: plugins.PluginManager, tmp_path: Path) -> None:
    """The caller is told that nothing was compared."""
    store.save_model(tmp_path / "m", "sum", host.exec_instantiate("sum"), manager=host)
    assert store.open_model(tmp_path / "m").replay(manager=host) is False


def test_an_example_that_fails_leaves_no_file(
    host: plugins.PluginManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that cannot be kept nor one that the model cannot predict for."""
    for example, error in ((store.Example([[1.0]], scale=object), TypeError), (store.Example(1), TypeError)):
        with pytest.raises(error):
            store.save_model(tmp_path / "m", "sum", host.exec_instantiate("sum"), example=example, manager=host)
    monkeypatch.setattr(_example, "MAX_EXAMPLE", 10)
    with pytest.raises(ExampleError, match="give fewer rows; nothing was written"):
        store.save_model(
            tmp_path / "m", "sum", host.exec_instantiate("sum"), example=store.Example([[1.0]]), manager=host
        )
    assert not (tmp_path / "m").exists()


def test_a_prediction_that_has_no_digest(site: FakeSite, tmp_path: Path) -> None:
    """A model that predicts objects of its own cannot have an example."""
    source = class_source().replace("return 'Forest', X", "return {X}")
    site.add("sets", "1.0", {"aimm.models": {"set": "sets:Forest"}}, {"sets": source})
    host = plugins.PluginManager({"names": []})
    with pytest.raises(ExampleError, match="cannot be kept: set is none of number, text, bytes"):
        store.save_model(tmp_path / "m", "set", host.exec_instantiate("set"), example=store.Example(1), manager=host)
