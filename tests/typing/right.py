"""Right uses of the public interface: mypy strict and pyright strict find nothing here."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, ParamSpec, TypeVar, assert_type, overload

from aimm import plugins, store, tasks, testing
from aimm.errors import PluginFailure
from aimm.plugins import hookimpl

P = ParamSpec("P")
R = TypeVar("R")


def same(decorated: Callable[P, R], original: Callable[P, R]) -> Callable[P, R]:
    """Take two functions with one list of parameters and one result."""
    return decorated


@plugins.fit(["typed.model"], state_cb_arg_name="state_cb")
def fit(
    instance: list[float], y: list[float], state_cb: plugins.StateCallback = print, *, scale: float = 1.0
) -> list[float]:
    """A decorated function keeps its type."""
    state_cb({"progress": 1.0})
    return [*instance, *(value * scale for value in y)]


assert_type(fit([1.0], [2.0]), list[float])
assert_type(fit([1.0], y=[2.0], state_cb=print, scale=2.0), list[float])


@overload
def rows(count: int) -> list[int]: ...
@overload
def rows(count: str) -> list[str]: ...
@plugins.data_access("typed.rows")
def rows(count: int | str) -> Sequence[int | str]:
    """An overloaded function keeps its overloads."""
    return [count]


assert_type(rows(3), list[int])
assert_type(rows("3"), list[str])


@plugins.serialize(["typed.model"])
def serialize(instance: list[float]) -> bytes:
    """Return the numbers as text."""
    return repr(instance).encode()


@plugins.serialize(["typed.other"])
async def serialize_slowly(instance: list[float]) -> bytearray:
    """Return the numbers as text, some time."""
    return bytearray(serialize(instance))


@plugins.deserialize(["typed.model"])
def deserialize(instance_bytes: plugins.ByteString) -> list[float]:
    """Read the numbers."""
    return list(map(float, bytes(instance_bytes).split(b",")))


@plugins.deserialize(["typed.other"])
def deserialize_bytes(instance_bytes: bytes) -> list[float]:
    """Read the numbers; a function that knows bytes only will do."""
    return deserialize(instance_bytes)


assert_type(serialize([1.0]), bytes)
assert_type(deserialize_bytes(b"1"), list[float])


@plugins.instantiate("typed.shape")
class Shape:
    """A decorated class stays itself."""

    sides = 4


assert_type(Shape.sides, int)
assert_type(Shape(), Shape)


@plugins.model
class Mean(plugins.Model[float]):
    """A model whose predictions are numbers."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def fit(self, y: list[float]) -> "Mean":
        """Narrower than the abstract method, which takes anything."""
        return Mean(sum(y) / len(y))

    def predict(self, *args: Any, **kwargs: Any) -> float:
        """Return the mean."""
        return self.value

    def serialize(self) -> bytes:
        """Return the mean as text."""
        return str(self.value).encode()

    @classmethod
    def deserialize(cls, instance_bytes: plugins.ByteString) -> "Mean":
        """Read the mean."""
        return cls(float(bytes(instance_bytes)))


assert_type(Mean(2.0).value, float)
assert_type(Mean.deserialize(b"2").predict(), float)
anything: plugins.Model = Mean()
number: plugins.Model[float] = Mean()
wider: plugins.Model[float | str] = Mean()
assert_type(number.predict([1.0]), float)


@plugins.model
class LookAlike:
    """No subclass of Model, and no way to serialise it."""

    serialize = None
    deserialize = None

    def fit(self, x: list[float]) -> "LookAlike":
        """Do nothing."""
        return self

    def predict(self, x: list[float]) -> list[float]:
        """Return what is given."""
        return x


assert_type(LookAlike().predict([1.0]), list[float])

assert_type(plugins.exec_predict("typed.model", Mean()), tuple[Any, Any])
assert_type(plugins.exec_serialize("typed.model", Mean()), bytes | bytearray | memoryview)
plugins.exec_fit("typed.model", Mean(), None, [1.0])
plugins.exec_fit("typed.model", Mean(), lambda state: None, [1.0], epochs=3)

assert_type(plugins.initialize({"names": []}), plugins.Report)
assert_type(plugins.initialize().conflicts[0].choices, tuple[str, ...])
assert_type(plugins.route("typed.model").predict(Mean(), None, [1.0]), tuple[Any, Any])
assert_type(plugins.parameters("typed.model", "fit"), list[str] | None)
assert_type(plugins.PluginManager({"names": []}).owners("model type"), list[plugins.Owner])
assert_type(plugins.register(object()), Callable[[], None])
assert_type(store.load_model("model.aimm"), tuple[store.Header, Any])


class Tracer:
    """A wrapper, which takes what it needs."""

    @hookimpl(wrapper=True)
    def fit(self, model_type: str) -> Generator[None, Any, Any]:
        """See the result and hand it on."""
        result = yield
        return result


class Complete:
    """Hooks that are compared with their Protocols take all parameters."""

    @hookimpl(wrapper=True)
    def predict(
        self,
        model_type: str,
        instance: Any,
        state_cb: plugins.StateCallback,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Generator[None, Any, Any]:
        """See the prediction and hand it on."""
        return (yield)

    @hookimpl
    def serialize(self, model_type: str, instance: Any) -> bytes:
        """Return nothing much."""
        return model_type.encode()

    @hookimpl
    def model_types(self) -> list[str]:
        """A list is a sequence."""
        return ["typed.model"]

    @hookimpl
    def resolve_model_type(self, model_type: str) -> bool:
        """Own names by a rule."""
        return model_type.startswith("typed.")

    @hookimpl
    def similar_model_types(self, model_type: str) -> list[str]:
        """Name what may be meant."""
        return ["typed.model"]

    @hookimpl
    def plugin_failed(self, failure: PluginFailure) -> None:
        """Hear of a failure."""


def plain(instance: list[float], x: int, /, y: str = "", *, z: float = 1.0) -> dict[str, float]:
    """Has parameters of every kind, which each decorator keeps."""
    return {y: z * x * len(instance)}


for_all = ["typed.plain"]
assert_type(same(plugins.data_access("typed.plain")(plain), plain)([1.0], 2, z=3.0), dict[str, float])
assert_type(same(plugins.instantiate("typed.plain")(plain), plain)([1.0], 2, "y"), dict[str, float])
assert_type(same(plugins.fit(for_all)(plain), plain)([1.0], 2, y="y"), dict[str, float])
assert_type(same(plugins.predict(for_all)(plain), plain)([1.0], 2), dict[str, float])
assert_type(same(plugins.serialize(for_all)(serialize), serialize)(instance=[1.0]), bytes)
assert_type(same(plugins.deserialize(for_all)(deserialize), deserialize)(instance_bytes=b"1"), list[float])
assert_type(same(hookimpl(plain), plain)([1.0], 2, z=3.0), dict[str, float])
assert_type(same(hookimpl(wrapper=True)(plain), plain)([1.0], 2, z=3.0), dict[str, float])
assert_type(same(tasks.register(plain), plain)([1.0], 2, z=3.0), dict[str, float])
assert_type(same(tasks.register(outputs="y")(plain), plain)([1.0], 2, z=3.0), dict[str, float])

_hooks = Complete()
_predict: plugins.PredictWrapper = _hooks.predict
_serialize: plugins.SerializeHook = _hooks.serialize
_model_types: plugins.ModelTypesHook = _hooks.model_types
_resolve: plugins.ResolveModelTypeHook = _hooks.resolve_model_type
_similar: plugins.SimilarModelTypesHook = _hooks.similar_model_types
_failed: plugins.PluginFailedHook = _hooks.plugin_failed
_model_like: type[plugins.ModelLike] = LookAlike


@tasks.register(outputs="total")
def add(one: int, other: int = 1) -> int:
    """A task keeps its type."""
    return one + other


assert_type(add(1, other=2), int)

example = testing.Example(fit=testing.call([1.0], epochs=2), predict=testing.call([2.0]))
assert_type(testing.check_model(Mean, example).counts, dict[str, int])
assert_type(testing.check_plugin("acme").is_good, bool)
assert_type(testing.checks()[0].claim, str)
test_mean: Callable[[str], None] = testing.parametrize("typed.model", examples=[example])


async def awaitable_twins() -> None:
    """The twins are coroutines with the same results."""
    assert_type(await plugins.aexec_predict("typed.model", Mean()), tuple[Any, Any])
