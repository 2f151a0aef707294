"""What hook implementations look like to a type checker; nothing here is imported when plugins run.

A hook takes any subset of its parameters by name. One that is to be checked takes all of them::

    _: plugins.FitHook = fit
"""

from collections.abc import Generator, Sequence
from typing import Any, Protocol

from aimm._types import ByteString, StateCallback
from aimm.errors import PluginFailure

Args = tuple[Any, ...]
Kwargs = dict[str, Any]


class InstantiateHook(Protocol):
    """Creates an instance of a model type."""

    def __call__(self, model_type: str, state_cb: StateCallback, args: Args, kwargs: Kwargs) -> Any: ...


class FitHook(Protocol):
    """Fits an instance and returns it."""

    def __call__(self, model_type: str, instance: Any, state_cb: StateCallback, args: Args, kwargs: Kwargs) -> Any: ...


class PredictHook(Protocol):
    """Predicts with an instance and returns the prediction."""

    def __call__(self, model_type: str, instance: Any, state_cb: StateCallback, args: Args, kwargs: Kwargs) -> Any: ...


class SerializeHook(Protocol):
    """Turns an instance into bytes."""

    def __call__(self, model_type: str, instance: Any) -> ByteString: ...


class DeserializeHook(Protocol):
    """Turns bytes back into an instance."""

    def __call__(self, model_type: str, instance_bytes: ByteString) -> Any: ...


class ModelTypesHook(Protocol):
    """Lists the model types that the plugin owns."""

    def __call__(self) -> Sequence[str]: ...


class ResolveModelTypeHook(Protocol):
    """Says whether the plugin owns a model type."""

    def __call__(self, model_type: str) -> bool: ...


class SimilarModelTypesHook(Protocol):
    """Lists the model types of the plugin that may be meant by a name that nobody owns."""

    def __call__(self, model_type: str) -> Sequence[str]: ...


class ParametersHook(Protocol):
    """Names the arguments of an action, or None if they cannot be known."""

    def __call__(self, model_type: str, action: str) -> Sequence[str] | None: ...


class PluginLoadedHook(Protocol):
    """Hears that a plugin was loaded."""

    def __call__(self, plugin: str, distribution: str | None, version: str | None) -> None: ...


class PluginFailedHook(Protocol):
    """Hears that a plugin failed."""

    def __call__(self, failure: PluginFailure) -> None: ...


class SettingsSchemaHook(Protocol):
    """Returns the JSON Schema of the plugin's settings."""

    def __call__(self) -> dict[str, Any]: ...


class ConfigureHook(Protocol):
    """Takes the settings."""

    def __call__(self, settings: dict[str, Any]) -> None: ...


class DataAccessWrapper(Protocol):
    """Stands around every data access: yields once, gets the data there, and returns them."""

    def __call__(self, name: str, state_cb: StateCallback, args: Args, kwargs: Kwargs) -> Generator[None, Any, Any]: ...


class RunTaskWrapper(Protocol):
    """Stands around every task: yields once, gets what the task returns there, and returns it."""

    def __call__(self, task: str, state_cb: StateCallback, args: Args, kwargs: Kwargs) -> Generator[None, Any, Any]: ...


class InstantiateWrapper(Protocol):
    """Stands around instantiate of every owner: yields once, gets the instance there, and returns it."""

    def __call__(
        self, model_type: str, state_cb: StateCallback, args: Args, kwargs: Kwargs
    ) -> Generator[None, Any, Any]: ...


class FitWrapper(Protocol):
    """Stands around fit of every owner: yields once, gets the fitted instance there, and returns it."""

    def __call__(
        self, model_type: str, instance: Any, state_cb: StateCallback, args: Args, kwargs: Kwargs
    ) -> Generator[None, Any, Any]: ...


class PredictWrapper(Protocol):
    """Stands around predict of every owner: yields once, gets the prediction there, and returns it."""

    def __call__(
        self, model_type: str, instance: Any, state_cb: StateCallback, args: Args, kwargs: Kwargs
    ) -> Generator[None, Any, Any]: ...


class SerializeWrapper(Protocol):
    """Stands around serialize of every owner: yields once, gets the bytes there, and returns them."""

    def __call__(self, model_type: str, instance: Any) -> Generator[None, ByteString, ByteString]: ...


class DeserializeWrapper(Protocol):
    """Stands around deserialize of every owner: yields once, gets the instance there, and returns it."""

    def __call__(self, model_type: str, instance_bytes: ByteString) -> Generator[None, Any, Any]: ...


class ModelLike(Protocol):
    """What ``plugins.model`` takes: a class with these four attributes, each a method, or None for no such action."""

    @property
    def fit(self) -> Any:
        """Fits the instance and returns it."""

    @property
    def predict(self) -> Any:
        """Returns a prediction."""

    @property
    def serialize(self) -> Any:
        """Returns the instance as bytes."""

    @property
    def deserialize(self) -> Any:
        """Returns the instance in some bytes."""
