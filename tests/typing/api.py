"""What type checkers see of the public interface: pyright strict finds exactly the marked mistakes, and no others."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, assert_type

from aimm import plugins, store
from aimm.plugins import hookimpl


@plugins.fit(["typed.model"], state_cb_arg_name="state_cb")
def fit(instance: list[float], y: list[float], state_cb: plugins.StateCallback) -> list[float]:
    """A decorated function keeps its type."""
    state_cb({"progress": 1.0})
    return [*instance, *y]


assert_type(fit([1.0], [2.0], print), list[float])
fit("no list", [2.0], print)  # pyright: ignore[reportArgumentType]

plugins.fit("typed.model")  # pyright: ignore[reportArgumentType]
plugins.data_access(name=3)  # pyright: ignore[reportArgumentType]
plugins.predict(["typed.model"], stat_cb_arg_name="x")  # pyright: ignore[reportCallIssue]


@plugins.model
class Mean(plugins.Model):
    """A decorated class stays itself."""

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


class Incomplete(plugins.Model):
    """Lacks three methods."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Do nothing."""


Incomplete()  # pyright: ignore[reportAbstractUsage]

assert_type(plugins.exec_predict("typed.model", Mean()), tuple[Any, Any])
assert_type(plugins.exec_serialize("typed.model", Mean()), bytes | bytearray | memoryview)
plugins.exec_fit("typed.model", Mean(), None, [1.0])
plugins.exec_fit("typed.model")  # pyright: ignore[reportCallIssue]
plugins.exec_fit("typed.model", Mean(), [1.0])  # pyright: ignore[reportArgumentType]
plugins.exec_fits("typed.model", Mean())  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

assert_type(plugins.initialize({"names": []}), plugins.Report)
assert_type(plugins.initialize().conflicts[0].choices, tuple[str, ...])
assert_type(plugins.route("typed.model").predict(Mean(), None, [1.0]), tuple[Any, Any])
assert_type(plugins.parameters("typed.model", "fit"), list[str] | None)
assert_type(plugins.PluginManager({"names": []}).owners("model type"), list[plugins.Owner])
assert_type(plugins.register(object()), Callable[[], None])
assert_type(store.load_model("model.aimm"), tuple[store.Header, Any])
plugins.initialize(["names"])  # pyright: ignore[reportArgumentType]


class Tracer:
    """A wrapper."""

    @hookimpl(wrapper=True)
    def fit(self, model_type: str) -> Generator[None, Any, Any]:
        """See the result and hand it on."""
        result = yield
        return result


async def awaitable_twins() -> None:
    """The twins are coroutines with the same results."""
    assert_type(await plugins.aexec_predict("typed.model", Mean()), tuple[Any, Any])


asyncio.run(awaitable_twins())
