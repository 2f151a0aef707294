"""What is there without a plugin: the model actions as tasks, and handlers of common artifacts."""

from collections.abc import Callable
from typing import Any
from weakref import ref

import aimm
from aimm.plugins import PluginManager, StateCallback
from aimm.plugins._registry import DECLARED, Record, Source
from aimm.tasks._handlers import HANDLERS, ModelArtifactTask, alive
from aimm.tasks._records import Declared
from aimm.tasks._register import ARTIFACT, TASK

_SOURCE = Source("aimm.tasks", "aimm", "aimm-plugins", aimm.__version__, DECLARED)
_State = StateCallback | None


def builtin_tasks(manager: PluginManager) -> dict[str, Record]:
    """The six model actions of a manager as tasks ``aimm.data_access`` … ``aimm.deserialize``."""
    managed = ref(manager)

    def data_access(name: str, *args: Any, state_cb: _State = None, **kwargs: Any) -> Any:
        """Fetch data from a data access."""
        return alive(managed()).exec_data_access(name, state_cb, *args, **kwargs)

    def instantiate(model_type: str, *args: Any, state_cb: _State = None, **kwargs: Any) -> Any:
        """Create an instance of a model type."""
        return alive(managed()).route(model_type).instantiate(state_cb, *args, **kwargs)

    def fit(model_type: str, instance: Any, *args: Any, state_cb: _State = None, **kwargs: Any) -> Any:
        """Fit an instance; gives the fitted instance."""
        return alive(managed()).route(model_type).fit(instance, state_cb, *args, **kwargs)

    def predict(model_type: str, instance: Any, *args: Any, state_cb: _State = None, **kwargs: Any) -> Any:
        """Predict with an instance; gives the prediction."""
        return alive(managed()).route(model_type).predict(instance, state_cb, *args, **kwargs)[1]

    def serialize(model_type: str, instance: Any) -> bytes:
        """Turn an instance into bytes."""
        return bytes(alive(managed()).exec_serialize(model_type, instance))

    def deserialize(model_type: str, instance_bytes: bytes) -> Any:
        """Turn bytes into an instance."""
        return alive(managed()).exec_deserialize(model_type, instance_bytes)

    found: dict[str, tuple[Callable[..., Any], str]] = {
        "data_access": (data_access, "data"),
        "instantiate": (instantiate, "instance"),
        "fit": (fit, "instance"),
        "predict": (predict, "prediction"),
        "serialize": (serialize, "instance_bytes"),
        "deserialize": (deserialize, "instance"),
    }
    return {
        f"aimm.{name}": Record(
            TASK,
            f"aimm.{name}",
            function,
            _SOURCE,
            "state_cb" if "state_cb" in (function.__kwdefaults__ or ()) else None,
            details=Declared(outputs=(output,)),
        )
        for name, (function, output) in found.items()
    }


def builtin_handlers(manager: PluginManager) -> dict[str, Record]:
    """The handlers that come with ``aimm``, by full name; that of models is for those of a manager."""
    made = [ModelArtifactTask.of(manager) if handler is ModelArtifactTask else handler for handler in HANDLERS]
    names = ((f"aimm.{handler.__name__}", handler) for handler in made)
    return {name: Record(ARTIFACT, name, handler, _SOURCE) for name, handler in names}
