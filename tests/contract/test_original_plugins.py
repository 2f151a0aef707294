"""Plugin modules written for the original AIMM, from its documentation, run here without a change.

Each source uses only what seeds 000 and 001 show: the six decorators with all their arguments, ``Model``, ``model``,
``initialize({"names": [...]})`` and the six ``exec_*``.
"""

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from aimm import plugins

Make = Callable[..., str]

IRIS_LIKE = """
    import csv
    import io

    from aimm import plugins

    TABLE = "5.1,3.5,a\\n4.9,3.0,a\\n7.0,3.2,b\\n6.4,3.2,b\\n"


    @plugins.data_access("flowers")
    def access(columns=(0, 1)):
        rows = list(csv.reader(io.StringIO(TABLE)))
        return [[float(row[c]) for c in columns] for row in rows], [row[-1] for row in rows]


    @plugins.data_access("flowers with progress", state_cb_arg_name="state_cb")
    def access_slowly(state_cb, count=2):
        rows = []
        for i, row in enumerate(csv.reader(io.StringIO(TABLE))):
            if i == count:
                break
            rows.append(row)
            state_cb({"progress": (i + 1) / count})
        return rows
"""

NEAREST = """
    import json
    import typing

    import aimm.plugins


    class Nearest:
        def __init__(self, k):
            self.k = k
            self.rows = []


    @aimm.plugins.instantiate("Nearest", state_cb_arg_name="notify")
    def create(k=1, notify=None):
        notify("created")
        return Nearest(k)


    @aimm.plugins.fit(["Nearest", "Nearest2"], state_cb_arg_name="notify", instance_arg_name="model")
    def fit(x, y, notify: typing.Callable = None, model=None):
        for i, pair in enumerate(zip(x, y)):
            model.rows.append(pair)
            notify({"step": i})
        return model


    @aimm.plugins.predict(["Nearest", "Nearest2"])
    def predict(model: Nearest, x, *, normalise=False, **ignored):
        def distance(row):
            return sum((a - b) ** 2 for a, b in zip(row[0], x))
        return min(model.rows, key=distance)[1]


    @aimm.plugins.serialize(["Nearest", "Nearest2"])
    def serialize(model):
        return json.dumps([model.k, model.rows]).encode("utf-8")


    @aimm.plugins.deserialize(["Nearest", "Nearest2"])
    def deserialize(model_bytes):
        model = Nearest(None)
        model.k, model.rows = json.loads(bytes(model_bytes).decode("utf-8"))
        return model
"""

BANDIT = """
    from typing import Any
    import pickle

    from aimm.plugins import *


    @model
    class Bandit(Model):
        '''A model that learns while it predicts.'''

        def __init__(self, arms: int = 2):
            self.counts = [0] * arms

        def fit(self, reward: int, *args: Any, **kwargs: Any) -> Any:
            self.counts[reward] += 1
            return self

        def predict(self) -> int:
            arm = self.counts.index(min(self.counts))
            self.counts[arm] += 1
            return arm

        def serialize(self) -> ByteString:
            return pickle.dumps(self.counts)

        @classmethod
        def deserialize(cls, instance_bytes: ByteString) -> "Bandit":
            instance = cls()
            instance.counts = pickle.loads(instance_bytes)
            return instance
"""

LOOK_ALIKE = """
    from aimm import plugins


    class Base:
        @plugins.data_access("nested")
        def inner():
            return "from inside a class"


    @plugins.model
    class Duck:
        # Not derived from Model: the original asked for the methods only.
        def __init__(self, *args, **kwargs):
            self.args, self.kwargs = args, kwargs

        def fit(self, x, y=None):
            return self

        def predict(self, x):
            return x

        def serialize(self):
            return b"duck"

        @staticmethod
        def deserialize(instance_bytes):
            return Duck(instance_bytes)
"""

PREPROCESSING = """
    from aimm import plugins

    def scale(instance, rows, factor=1):
        return [[value * factor for value in row] for row in rows]

    # Decorators called as functions, one function for several uses, tuples instead of lists.
    plugins.instantiate("Scaler")(dict)
    plugins.predict(("Scaler",))(scale)
    plugins.fit(["Scaler"])(lambda instance, *args: instance)
    reader = plugins.data_access("constant")(lambda: 42)
    assert reader() == 42
"""


@pytest.fixture
def load(make_module: Make) -> Callable[[str], str]:
    """Initialise with one module, as the original's documentation does."""

    def run(source: str) -> str:
        name = make_module(source)
        plugins.initialize({"names": [name]})
        return name

    return run


def test_data_access(load: Callable[[str], str]) -> None:
    """Data accesses with and without a state callback."""
    load(IRIS_LIKE)
    rows, labels = plugins.exec_data_access("flowers")
    assert (rows[0], labels) == ([5.1, 3.5], ["a", "a", "b", "b"])
    assert plugins.exec_data_access("flowers", lambda state: None, columns=[0])[0][0] == [5.1]
    states: list[Any] = []
    assert len(plugins.exec_data_access("flowers with progress", states.append, count=4)) == 4
    assert states == [{"progress": p} for p in (0.25, 0.5, 0.75, 1.0)]


def test_a_model_in_functions(load: Callable[[str], str]) -> None:
    """One model type from six functions: named callback and instance, several types, keyword-only arguments."""
    load(NEAREST)
    states: list[Any] = []
    model = plugins.exec_instantiate("Nearest", states.append, k=3)
    fitted = plugins.exec_fit("Nearest", model, states.append, [[0, 0], [9, 9]], ["a", "b"])
    assert states == ["created", {"step": 0}, {"step": 1}]
    assert plugins.exec_predict("Nearest", fitted, lambda state: None, [8, 8], extra=1) == (model, "b")
    restored = plugins.exec_deserialize("Nearest2", plugins.exec_serialize("Nearest", fitted))
    assert plugins.exec_predict("Nearest2", restored, x=[1, 1])[1] == "a"


def test_a_model_class(load: Callable[[str], str]) -> None:
    """A class under its module and name, imported by a star import, which learns while it predicts."""
    model_type = f"{load(BANDIT)}.Bandit"
    bandit = plugins.exec_instantiate(model_type, lambda state: None, 3)
    assert plugins.exec_fit(model_type, bandit, lambda state: None, 0) is bandit
    returned, arm = plugins.exec_predict(model_type, bandit)
    assert (returned is bandit, arm, bandit.counts) == (True, 1, [1, 1, 0])
    copy = plugins.exec_deserialize(model_type, plugins.exec_serialize(model_type, bandit))
    assert copy.counts == bandit.counts


def test_a_class_that_only_looks_like_a_model(load: Callable[[str], str]) -> None:
    """``@model`` needs the methods, not the base class; decorators work inside classes."""
    model_type = f"{load(LOOK_ALIKE)}.Duck"
    duck = plugins.exec_instantiate(model_type, lambda state: None, 1, two=2)
    assert (duck.args, duck.kwargs) == ((1,), {"two": 2})
    assert plugins.exec_predict(model_type, duck, lambda state: None, "x") == (duck, "x")
    assert plugins.exec_deserialize(model_type, plugins.exec_serialize(model_type, duck)).args == (b"duck",)
    assert plugins.exec_data_access("nested") == "from inside a class"


def test_decorators_called_as_functions(load: Callable[[str], str]) -> None:
    """Preprocessing as a model type, declared without the decorator syntax."""
    load(PREPROCESSING)
    scaler = plugins.exec_instantiate("Scaler")
    assert plugins.exec_fit("Scaler", scaler) == {}
    assert plugins.exec_predict("Scaler", scaler, lambda state: None, [[1, 2]], factor=3)[1] == [[3, 6]]
    assert plugins.exec_data_access("constant") == 42


def test_all_of_them_together(make_module: Make) -> None:
    """One ``initialize`` takes all modules, and ``unload_all`` with another takes them again."""
    sources = [IRIS_LIKE, NEAREST, BANDIT, LOOK_ALIKE, PREPROCESSING]
    names = [make_module(source) for source in sources]
    plugins.initialize({"names": names})
    before = plugins.owners()
    plugins.unload_all()
    plugins.initialize({"names": names})
    assert plugins.owners() == before
    assert len(before) == 5


def test_plugins_imported_by_hand(make_module: Make) -> None:
    """Instead of ``initialize`` a module may be imported, as the documentation says."""
    name = make_module(NEAREST)
    __import__(name)
    assert plugins.exec_instantiate("Nearest").k == 1


def test_callers_catch_value_error(load: Callable[[str], str]) -> None:
    """The original raised ValueError for unknown and repeated names; whoever catches that still does."""
    load(NEAREST)
    with pytest.raises(ValueError, match="no plugin for fit of 'Unknown'"):
        plugins.exec_fit("Unknown", None)
    with pytest.raises(ValueError, match="already declared"):
        plugins.instantiate("Nearest")(lambda: None)


def test_sources_use_the_original_names_only() -> None:
    """These sources are what they say: they name nothing that the original does not have."""
    ours = {"hookimpl", "route", "PluginManager", "register", "aexec", "exec_"}
    for source in (IRIS_LIKE, NEAREST, BANDIT, LOOK_ALIKE, PREPROCESSING):
        assert not [name for name in ours if name in textwrap.dedent(source)]
