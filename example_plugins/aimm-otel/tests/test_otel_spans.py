import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from aimm import plugins

Declare = Callable[[str], str]


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    """The one span of the test."""
    (span,) = spans.get_finished_spans()
    return span


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of a span, as a plain dict."""
    return dict(span.attributes or {})


def failing(raised: str) -> str:
    """The source of a model type whose fit raises."""
    return f"""
from aimm import plugins

class Unprintable(LookupError):
    def __str__(self):
        raise RuntimeError("no message")

@plugins.fit(["failing"])
def fit(model):
    raise {raised}
"""


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("instantiate", ()),
        ("fit", ({"mean": 0.0}, lambda state: None, [1.0, 3.0])),
        ("predict", ({"mean": 2.0}, lambda state: None, 2)),
        ("serialize", ({"mean": 2.0},)),
        ("deserialize", (b"2.0",)),
    ],
)
def test_every_action_of_a_model_type_has_a_span(
    manager: plugins.PluginManager, spans: InMemorySpanExporter, action: str, arguments: tuple[Any, ...]
) -> None:
    """The name says action and model type, and so do the attributes."""
    getattr(manager, f"exec_{action}")("mean", *arguments)
    span = only(spans)
    assert span.name == f"aimm.{action} mean"
    assert attributes(span).items() >= {"aimm.action": action, "aimm.model_type": "mean"}.items()
    assert (span.kind, span.status.status_code) == (SpanKind.INTERNAL, StatusCode.UNSET)


def test_data_access_has_a_span(manager: plugins.PluginManager, spans: InMemorySpanExporter) -> None:
    """Data has a name of its own and no model type."""
    manager.exec_data_access("numbers", count=3)
    assert only(spans).name == "aimm.data_access numbers"
    assert attributes(only(spans)) == {"aimm.action": "data_access", "aimm.data_access": "numbers"}


def test_results_arrive_as_they_are(manager: plugins.PluginManager, spans: InMemorySpanExporter) -> None:
    """Neither data nor instances nor bytes are touched on their way."""
    states: list[dict[str, Any]] = []
    data = manager.exec_data_access("numbers", states.append, 5)
    model = manager.exec_instantiate("mean", start=9.0)
    assert model == {"mean": 9.0}
    assert manager.exec_fit("mean", model, states.append, data) is model
    assert manager.exec_predict("mean", model, states.append, 2) == (model, [2.0, 2.0])
    assert manager.exec_deserialize("mean", manager.exec_serialize("mean", model)) == model
    assert states == [{"progress": 1.0}, {"progress": 0.5}]
    assert len(spans.get_finished_spans()) == 6


def test_none_stays_none(manager: plugins.PluginManager, spans: InMemorySpanExporter) -> None:
    """A result of None is a result."""
    model = {"mean": 1.0}
    instance, prediction = manager.exec_predict("mean", model, rows=0)
    assert instance is model
    assert prediction is None
    assert only(spans).status.status_code is StatusCode.UNSET


def test_payload_sizes_are_attributes(manager: plugins.PluginManager, spans: InMemorySpanExporter) -> None:
    """Both ways of bytes say how many there are."""
    content = manager.exec_serialize("mean", {"mean": 2.25})
    manager.exec_deserialize("mean", memoryview(content))
    assert [attributes(span)["aimm.payload.size"] for span in spans.get_finished_spans()] == [4, 4]


def test_what_is_no_bytes_has_no_size(declare: Declare, spans: InMemorySpanExporter) -> None:
    """A serialize that breaks its contract is aimm's to warn about, and comes through."""
    source = "from aimm import plugins\n\n@plugins.serialize(['odd'])\ndef save(model):\n    return 'text'\n"
    manager = plugins.PluginManager({"names": [declare(source)]})
    with pytest.warns(UserWarning, match="returned str, not bytes"):
        result: Any = manager.exec_serialize("odd", None)
    assert result == "text"
    assert "aimm.payload.size" not in attributes(only(spans))


def test_an_exception_arrives_as_itself_and_is_recorded(declare: Declare, spans: InMemorySpanExporter) -> None:
    """The span of a failed action says what went wrong."""
    manager = plugins.PluginManager({"names": [declare(failing("ValueError('no data')"))]})
    with pytest.raises(ValueError, match="no data") as caught:
        manager.exec_fit("failing", None)
    span = only(spans)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError: no data")
    assert attributes(span)["error.type"] == "ValueError"
    (event,) = span.events
    assert (event.name, (event.attributes or {})["exception.message"]) == ("exception", "no data")
    assert caught.value.args == ("no data",)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert any("in fit of 'failing'" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        ("KeyboardInterrupt()", KeyboardInterrupt),
        ("StopIteration(3)", StopIteration),
        ("GeneratorExit()", GeneratorExit),
        ("TimeoutError()", TimeoutError),
    ],
)
def test_exceptions_with_a_meaning_to_python_pass(
    declare: Declare, spans: InMemorySpanExporter, raised: str, kind: type[BaseException]
) -> None:
    """Not even those that generators treat specially are replaced, and every span is ended."""
    manager = plugins.PluginManager({"names": [declare(failing(raised))]})
    with pytest.raises(kind) as caught:
        manager.exec_fit("failing", None)
    assert type(caught.value) is kind
    assert only(spans).end_time is not None


def test_a_fit_that_was_broken_off_does_not_look_complete(declare: Declare, spans: InMemorySpanExporter) -> None:
    """Ctrl-C gives the status ERROR, which OpenTelemetry's own context manager leaves out."""
    manager = plugins.PluginManager({"names": [declare(failing("KeyboardInterrupt()"))]})
    with pytest.raises(KeyboardInterrupt):
        manager.exec_fit("failing", None)
    assert only(spans).status.status_code is StatusCode.ERROR


def test_an_exception_without_a_message_is_not_replaced(declare: Declare, spans: InMemorySpanExporter) -> None:
    """An exception whose text cannot be had is recorded by its type."""
    name = declare(failing("Unprintable()"))
    manager = plugins.PluginManager({"names": [name]})
    with pytest.raises(LookupError) as caught:
        manager.exec_fit("failing", None)
    assert type(caught.value).__name__ == "Unprintable"
    assert attributes(only(spans))["error.type"] == f"{name}.Unprintable"
    assert only(spans).status.status_code is StatusCode.ERROR


def test_calls_within_calls_are_spans_within_spans(declare: Declare, spans: InMemorySpanExporter) -> None:
    """A plugin that uses another shows up as its parent, in one trace."""
    source = """
from aimm import plugins

@plugins.data_access("inner")
def inner():
    return 1

@plugins.instantiate("outer")
def outer(manager):
    return manager.exec_data_access("inner")
"""
    manager = plugins.PluginManager({"names": [declare(source)]})
    manager.exec_instantiate("outer", manager=manager)
    inner, outer = spans.get_finished_spans()
    assert (inner.name, outer.name) == ("aimm.data_access inner", "aimm.instantiate outer")
    assert inner.parent is not None
    assert inner.parent == outer.context
    assert outer.parent is None


def test_a_span_of_the_caller_is_the_parent(manager: plugins.PluginManager, spans: InMemorySpanExporter) -> None:
    """Actions join the trace of the request that they serve, in the thread of an awaited call too."""
    from opentelemetry import trace

    with trace.get_tracer("tests").start_as_current_span("request") as request:
        manager.exec_instantiate("mean")
        asyncio.run(manager.aexec_instantiate("mean"))
    first, second, _ = spans.get_finished_spans()
    assert first.parent == second.parent == request.get_span_context()


def test_an_async_plugin_function_has_a_span(declare: Declare, spans: InMemorySpanExporter) -> None:
    """What the wrapper sees is the result and not the coroutine."""
    source = "from aimm import plugins\n\n@plugins.data_access('slow')\nasync def slow():\n    return 7\n"
    assert plugins.PluginManager({"names": [declare(source)]}).exec_data_access("slow") == 7
    assert only(spans).name == "aimm.data_access slow"


def test_the_handle_of_a_route_is_traced(manager: plugins.PluginManager, spans: InMemorySpanExporter) -> None:
    """Hot loops that hold a route do not escape."""
    manager.route("mean").predict({"mean": 1.0}, None, 1)
    assert only(spans).name == "aimm.predict mean"


def test_the_instrumentation_says_who_it_is(manager: plugins.PluginManager, spans: InMemorySpanExporter) -> None:
    """Spans can be told from those of other libraries."""
    manager.exec_instantiate("mean")
    scope = only(spans).instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("aimm_otel", "0.1.0")


def test_a_host_can_send_the_spans_of_one_manager_elsewhere(declare: Declare, spans: InMemorySpanExporter) -> None:
    """An instance with a provider of its own can be registered at run time, and taken out again."""
    from aimm_otel.plugin import Tracing

    own = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(own))
    source = "from aimm import plugins\n\n@plugins.data_access('one')\ndef one():\n    return 1\n"
    conf: dict[str, Any] = {"names": [declare(source)], "entry_points": {"exclude": ["aimm-otel"]}}
    manager = plugins.PluginManager(conf)
    unregister = manager.register(Tracing(["data_access"], provider))
    manager.exec_data_access("one")
    unregister()
    manager.exec_data_access("one")
    assert [span.name for span in own.get_finished_spans()] == ["aimm.data_access one"]
    assert not spans.get_finished_spans()
