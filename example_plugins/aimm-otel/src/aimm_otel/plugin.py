"""The hook plugin: a wrapper around each of the six actions, and nothing else.

It owns no model type. Each wrapper opens a span, lets the call through, and hands on what comes back, be it a result or
an exception, as it is.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aimm import plugins
from aimm_otel import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

ACTIONS = ("data_access", "instantiate", "fit", "predict", "serialize", "deserialize")
"""Every action that can be traced."""

Wrapper = Generator[None, Any, Any]


class Tracing:
    """The wrappers.

    The entry point names one instance, :data:`tracing`. A host that wants other spans in one of its managers registers
    an instance of its own: ``manager.register(Tracing(["fit"]))``.

    Args:
        actions: The actions to trace where the settings name none.
        tracer_provider: Where spans go; OpenTelemetry's global provider if not given.
    """

    def __init__(self, actions: Iterable[str] = ACTIONS, tracer_provider: "TracerProvider | None" = None) -> None:
        self._default = self._actions = frozenset(actions)
        self._tracer_provider = tracer_provider
        if unknown := sorted(self._default.difference(ACTIONS)):
            raise ValueError(f"there is no action {unknown[0]!r} to trace; the actions are {', '.join(ACTIONS)}")

    @plugins.hookimpl
    def settings_schema(self) -> dict[str, Any]:
        """The settings: which actions to trace."""
        actions = {
            "description": "Actions to trace; absent: all.",
            "type": "array",
            "items": {"enum": list(ACTIONS)},
            "uniqueItems": True,
        }
        return {"type": "object", "additionalProperties": False, "properties": {"actions": actions}}

    @plugins.hookimpl
    def configure(self, settings: dict[str, Any]) -> None:
        """Take the settings."""
        self._actions = frozenset(settings.get("actions", self._default))

    @plugins.hookimpl(wrapper=True)
    def data_access(self, name: str) -> Wrapper:
        """Trace the fetching of data."""
        with self._span("data_access", "aimm.data_access", name):
            return (yield)

    @plugins.hookimpl(wrapper=True)
    def instantiate(self, model_type: str) -> Wrapper:
        """Trace the making of an instance."""
        with self._span("instantiate", "aimm.model_type", model_type):
            return (yield)

    @plugins.hookimpl(wrapper=True)
    def fit(self, model_type: str) -> Wrapper:
        """Trace a fit."""
        with self._span("fit", "aimm.model_type", model_type):
            return (yield)

    @plugins.hookimpl(wrapper=True)
    def predict(self, model_type: str) -> Wrapper:
        """Trace a prediction."""
        with self._span("predict", "aimm.model_type", model_type):
            return (yield)

    @plugins.hookimpl(wrapper=True)
    def serialize(self, model_type: str) -> Wrapper:
        """Trace the way to bytes, and how many they are."""
        with self._span("serialize", "aimm.model_type", model_type) as span:
            result = yield
            _set_size(span, result)
            return result

    @plugins.hookimpl(wrapper=True)
    def deserialize(self, model_type: str, instance_bytes: plugins.ByteString) -> Wrapper:
        """Trace the way back from bytes, and how many they are."""
        with self._span("deserialize", "aimm.model_type", model_type) as span:
            _set_size(span, instance_bytes)
            return (yield)

    @cached_property
    def _tracer(self) -> "Tracer":
        # Imported at the first call and not at every start of a host that may never call. The tracer may be kept: one
        # that was taken before the application set up its SDK finds it later.
        from opentelemetry import trace

        return trace.get_tracer("aimm_otel", __version__, self._tracer_provider)

    @contextmanager
    def _span(self, action: str, attribute: str, name: str) -> Iterator["Span | None"]:
        if action not in self._actions:
            yield None
            return
        # Names of model types and data are few, so they may stand in the name of the span; attributes are given at its
        # start, where a sampler sees them.
        with self._tracer.start_as_current_span(
            f"aimm.{action} {name}",
            attributes={"aimm.action": action, attribute: name},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except GeneratorExit:
                raise
            except BaseException as error:
                # OpenTelemetry would pass over KeyboardInterrupt, and a fit that was broken off would look complete.
                _record(span, error)
                raise


def _set_size(span: "Span | None", content: Any) -> None:
    if span is not None:
        # What is no bytes (or a view that was released) has no size; to complain about it is not the task of a tracer.
        with suppress(TypeError, ValueError):
            span.set_attribute("aimm.payload.size", memoryview(content).nbytes)


def _record(span: "Span", error: BaseException) -> None:
    from opentelemetry.trace import Status, StatusCode

    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    span.set_attribute("error.type", name)
    try:
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {error}"))
    except Exception:  # noqa: BLE001 - an exception whose __str__ raises must still arrive as itself
        span.set_status(Status(StatusCode.ERROR, kind.__name__))


tracing = Tracing()
"""What the entry point names."""
