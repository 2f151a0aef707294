"""Wrong uses of the public interface: each marked line is refused by mypy strict and by pyright strict, and no other.

Both tools refuse a mark where there is no mistake, so they are content with this file only if every line is as it says.
"""

from typing import Any

from aimm import plugins, store, tasks, testing
from aimm.plugins import hookimpl


@plugins.fit(["typed.model"], state_cb_arg_name="state_cb")
def fit(instance: list[float], y: list[float], state_cb: plugins.StateCallback = print) -> list[float]:
    """A decorated function keeps its type."""
    return [*instance, *y]


# The signature of what is decorated is kept.
fit("no list", [2.0])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
fit([1.0])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
fit([1.0], [2.0], print, 4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
fit([1.0], [2.0], callback=print)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
fit([1.0], [2.0], "no callback")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
_text: str = fit([1.0], [2.0])  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def plain(instance: list[float], rate: float = 1.0, *, seed: int) -> list[float]:
    """Return the same."""
    return instance


# Each decorator keeps it, also for whoever decorates once more.
plugins.data_access("typed.data")(plain)([1.0])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.data_access("typed.data")(plain)("no list", seed=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.instantiate("typed.model")(plain)([1.0], sed=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.fit(["typed.model"])(plain)([1.0], "fast", seed=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.predict(["typed.model"])(plain)([1.0], 1.0, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.predict(["typed.model"])(plain)([1.0], seed="one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
tasks.register(plain)([1.0])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
tasks.register(outputs="y")(plain)([1.0], seed="one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
hookimpl(plain)([1.0])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
hookimpl(wrapper=True)(plain)([1.0], seed="one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Decorators know what they take.
plugins.fit("typed.model")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.fit(("typed.model",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.fit()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.fit(["typed.model"], instance_arg_name=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.fit(fit)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.predict(["typed.model"], stat_cb_arg_name="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.data_access(name=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.data_access("typed.data", instance_arg_name="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.instantiate(["typed.model"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.serialize("typed.model")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.serialize(["typed.model"], "state_cb")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.data_access("typed.data")(3)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]


def to_text(instance: Any) -> str:
    """Return text, not bytes."""
    return str(instance)


def from_text(instance_bytes: str) -> Any:
    """Take text, not bytes."""
    return instance_bytes


plugins.serialize(["typed.model"])(to_text)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
plugins.deserialize(["typed.model"])(from_text)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]


class Mean(plugins.Model[float]):
    """A model whose predictions are numbers."""

    def fit(self, *args: Any, **kwargs: Any) -> "Mean":
        """Do nothing."""
        return self

    def predict(self, *args: Any, **kwargs: Any) -> float:
        """Return the same for everybody."""
        return 1.0

    def serialize(self) -> bytes:
        """Return something."""
        return b"mean"

    @classmethod
    def deserialize(cls, instance_bytes: plugins.ByteString) -> "Mean":
        """Create another one."""
        return cls()


class Odd(Mean):
    """Breaks the promises of the class above."""

    def predict(self, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return text."""
        return "1.0"

    def serialize(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return text."""
        return "mean"

    @classmethod
    def deserialize(cls, instance_bytes: str) -> "Odd":  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take text."""
        return cls()


class Incomplete(plugins.Model[float]):
    """Lacks three methods."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Do nothing."""


class Bare:
    """Has nothing of a model."""


# What a model is.
Incomplete()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
plugins.model(Bare)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
plugins.model(Mean)(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.model(fit)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
_prediction: str = Mean().predict([1.0])  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_other: plugins.Model[str] = Mean()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_twice: plugins.Model[float, str]  # type: ignore[type-arg]  # pyright: ignore[reportInvalidTypeArguments]

# Calls.
plugins.exec_fit("typed.model")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.exec_fit("typed.model", Mean(), [1.0])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.exec_fit(Mean, Mean(), None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.exec_fits("typed.model", Mean())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
plugins.exec_data_access(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.exec_serialize("typed.model", Mean(), None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.exec_deserialize("typed.model", "text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
_pair: list[float] = plugins.exec_predict("typed.model", Mean())  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_later: tuple[Any, Any] = plugins.aexec_predict("typed.model", Mean())  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
plugins.route(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.route("typed.model").transform(Mean())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
plugins.route("typed.model").predict()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plugins.initialize(["names"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plugins.initialize().broken  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
plugins.register()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class Hooks:
    """Implementations that are not what their hooks want."""

    @hookimpl
    def fit(self, model_type: str, model: Any, state_cb: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Rename a parameter."""

    @hookimpl
    def predict(self, model_type: str, instance: Any) -> Any:
        """Lack three parameters."""

    @hookimpl
    def serialize(self, model_type: str, instance: Any) -> str:
        """Return text."""
        return model_type

    @hookimpl
    def model_types(self) -> int:
        """Return a number."""
        return 1

    @hookimpl
    def plugin_failed(self, failure: str) -> None:
        """Take text."""

    @hookimpl
    def settings_schema(self) -> list[str]:
        """Return a list."""
        return []

    @hookimpl(wrapper=True)
    def instantiate(self, model_type: str, state_cb: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """Yield nothing."""
        return 1


_hooks = Hooks()
_fit: plugins.FitHook = _hooks.fit  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_predict: plugins.PredictHook = _hooks.predict  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_serialize: plugins.SerializeHook = _hooks.serialize  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_types: plugins.ModelTypesHook = _hooks.model_types  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_failed: plugins.PluginFailedHook = _hooks.plugin_failed  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_schema: plugins.SettingsSchemaHook = _hooks.settings_schema  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_wrapper: plugins.InstantiateWrapper = _hooks.instantiate  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
_like: plugins.ModelLike = Bare()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

# Beside the core.
store.load_model(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
tasks.register(outputs=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
tasks.register(to_text)(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
testing.Example(fit=([1.0],))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
testing.check_model(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
testing.parametrize()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
testing.check_plugins("acme")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
