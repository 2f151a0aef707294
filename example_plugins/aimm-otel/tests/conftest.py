"""What the tests share: an SDK that keeps its spans in memory, and models to trace."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aimm import plugins

MODELS = """
from aimm import plugins

@plugins.data_access("numbers", state_cb_arg_name="report")
def numbers(count, *, report):
    report({"progress": 1.0})
    return list(range(count))

@plugins.instantiate("mean")
def make(start=0.0):
    return {"mean": start}

@plugins.fit(["mean"], state_cb_arg_name="report", instance_arg_name="model")
def fit(data, *, model, report):
    report({"progress": 0.5})
    model["mean"] = sum(data) / len(data)
    return model

@plugins.predict(["mean"])
def predict(model, rows):
    return [model["mean"]] * rows if rows else None

@plugins.serialize(["mean"])
def save(model):
    return repr(model["mean"]).encode()

@plugins.deserialize(["mean"])
def load(content):
    return {"mean": float(bytes(content))}
"""

Declare = Callable[[str], str]


@pytest.fixture(scope="session")
def exporter() -> InMemorySpanExporter:
    """The global SDK, which OpenTelemetry lets a process set once."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    """The spans of this test."""
    exporter.clear()
    yield exporter
    exporter.clear()


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """Makes an importable module of source text and returns its name, which no other test has."""
    names = []

    def write(source: str) -> str:
        names.append(f"traced_{uuid4().hex}")
        (tmp_path / f"{names[-1]}.py").write_text(source, encoding="utf-8")
        return names[-1]

    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def manager(declare: Declare) -> plugins.PluginManager:
    """A manager with the installed plugin and the model type ``mean``."""
    return plugins.PluginManager({"names": [declare(MODELS)]})
