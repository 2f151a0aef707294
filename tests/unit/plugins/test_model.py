from typing import Any

import pytest

from aimm import plugins
from aimm.errors import DeclarationError, DuplicateError
from aimm.plugins._registry import default_registry

ACTIONS = ["deserialize", "fit", "instantiate", "predict", "serialize"]


class Whole(plugins.Model):
    def __init__(self, n: int = 0) -> None:
        self.n = n

    def fit(self, n: int) -> "Whole":
        self.n += n
        return self

    def predict(self, x: int) -> int:
        return x + self.n

    def serialize(self) -> bytes:
        return str(self.n).encode()

    @classmethod
    def deserialize(cls, instance_bytes: plugins.ByteString) -> "Whole":
        return cls(int(bytes(instance_bytes)))


NAME = f"{__name__}.Whole"


def look_alike(**attributes: Any) -> type:
    methods = dict.fromkeys(("fit", "predict", "serialize", "deserialize"), lambda *args: args)
    return type("Alike", (), {**methods, **attributes})


def refused(cls: Any) -> str:
    with pytest.raises(DeclarationError) as caught:
        plugins.model(cls)
    assert default_registry.records() == ()
    return str(caught.value)


def test_a_model_is_registered_under_module_and_class_name() -> None:
    """All five actions, the class itself as ``instantiate``; the class comes back unchanged."""
    assert plugins.model(Whole) is Whole
    records = default_registry.records()
    assert sorted(record.kind for record in records) == ACTIONS
    assert {(record.name, record.source.module) for record in records} == {(NAME, __name__)}
    assert default_registry.get("instantiate", NAME).function is Whole


def test_a_model_works_from_end_to_end() -> None:
    """Instantiate, fit, serialize, deserialize, predict."""
    plugins.model(Whole)
    instance = plugins.exec_fit(NAME, plugins.exec_instantiate(NAME, None, 1), None, 2)
    back = plugins.exec_deserialize(NAME, plugins.exec_serialize(NAME, instance))
    assert plugins.exec_predict(NAME, back, None, 10) == (back, 13)


def test_registering_a_model_again_is_no_duplicate() -> None:
    """Although each look-up of ``deserialize`` makes another bound method."""
    plugins.model(plugins.model(Whole))
    assert len(default_registry.records()) == 5


def test_another_class_of_the_same_name_is_a_duplicate() -> None:
    """And nothing of it is registered."""
    plugins.model(Whole)
    before = default_registry.records()
    with pytest.raises(DuplicateError, match=r"instantiate for .*Whole' is already declared"):
        plugins.model(type("Whole", (Whole,), {"__module__": __name__}))
    assert default_registry.records() == before


@pytest.mark.parametrize("missing", ["fit", "predict", "serialize", "deserialize"])
def test_the_base_class_has_four_abstract_members(missing: str) -> None:
    """A subclass that leaves one out can neither be instantiated nor registered."""
    methods = {name: getattr(Whole, name) for name in ("fit", "predict", "serialize", "deserialize") if name != missing}
    partial: Any = type("Partial", (plugins.Model,), methods)
    with pytest.raises(TypeError, match=missing):
        partial()
    assert refused(partial).endswith(f"the class leaves '{missing}' abstract")


def test_deserialize_is_a_class_method() -> None:
    """``Model.deserialize`` is called on the class."""
    assert isinstance(vars(plugins.Model)["deserialize"], classmethod)


def test_a_look_alike_is_as_good() -> None:
    """Four methods are what counts, not the base."""
    plugins.model(look_alike())
    assert len(default_registry.records()) == 5


def test_none_means_that_an_action_is_not_offered() -> None:
    """A transformer may have nothing to serialise."""
    plugins.model(look_alike(serialize=None, deserialize=None))
    assert sorted(record.kind for record in default_registry.records()) == ["fit", "instantiate", "predict"]


def test_missing_methods_are_named() -> None:
    """All of them, and nothing is registered (the original keeps what it had registered before it noticed)."""
    said = refused(type("Bare", (), {"fit": lambda self: self}))
    assert said.endswith("the class has no 'predict' and no 'serialize' and no 'deserialize'")


def test_methods_that_cannot_be_called_are_named() -> None:
    """Such as a constant of that name."""
    assert refused(look_alike(predict=5, fit="x")).endswith("'fit' and 'predict' cannot be called")


@pytest.mark.parametrize("value", [5, None, Whole(), lambda: None, "Whole"])
def test_what_is_no_class_is_refused(value: Any) -> None:
    """The message says which methods a class needs."""
    assert (
        refused(value) == f"@model on {value!r}: expected a class with the methods fit, predict, serialize, deserialize"
    )


def test_classes_of_other_modules_are_registered_under_theirs() -> None:
    """The model type tells where the class is defined."""
    cls = look_alike(__module__="far.away")
    plugins.model(cls)
    assert default_registry.names("fit") == ["far.away.Alike"]
