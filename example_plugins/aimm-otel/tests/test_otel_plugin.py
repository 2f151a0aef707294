import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aimm import plugins
from aimm.errors import PluginLoadError

Declare = Callable[[str], str]
SOURCE = """
from aimm import plugins

@plugins.data_access("one")
def one():
    return 1

@plugins.instantiate("two")
def two():
    return 2
"""


@pytest.fixture
def initialized(declare: Declare) -> Iterator[str]:
    """The module functions of aimm.plugins, with the module of this name; emptied again afterwards."""
    name = declare(SOURCE)
    plugins.unload_all()
    plugins.initialize({"names": [name]})
    yield name
    plugins.unload_all()


def run(code: str, folder: Path) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.strip()


def test_the_installed_plugin_loads_at_initialize(manager: plugins.PluginManager) -> None:
    """A wrapper has to be there before the first call."""
    (loaded,) = (candidate for candidate in manager.report.loaded if candidate.distribution == "aimm-otel")
    assert (loaded.name, loaded.group) == ("otel", "aimm.plugins")


def test_the_plugin_owns_nothing(manager: plugins.PluginManager) -> None:
    """It adds spans and no names."""
    owners = manager.owners() + manager.owners("data access")
    assert not [owner for owner in owners if owner.distribution == "aimm-otel"]


def test_settings_restrict_the_actions(declare: Declare, spans: InMemorySpanExporter) -> None:
    """Only the actions that the settings name have spans; the others work as before."""
    manager = plugins.PluginManager({"names": [declare(SOURCE)], "settings": {"otel": {"actions": ["instantiate"]}}})
    assert (manager.exec_data_access("one"), manager.exec_instantiate("two")) == (1, 2)
    assert [span.name for span in spans.get_finished_spans()] == ["aimm.instantiate two"]


def test_an_empty_list_of_actions_turns_tracing_off(declare: Declare, spans: InMemorySpanExporter) -> None:
    """No action is not the same as no setting."""
    manager = plugins.PluginManager({"names": [declare(SOURCE)], "settings": {"otel": {"actions": []}}})
    manager.exec_data_access("one")
    assert not spans.get_finished_spans()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"actions": ["train"]}, "train"),
        ({"actions": "fit"}, "actions"),
        ({"action": ["fit"]}, "action"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    """The settings are checked by their schema when the plugin loads, and the host hears of it at once."""
    with pytest.raises(PluginLoadError, match=message):
        plugins.PluginManager({"names": [], "settings": {"otel": settings}})


def test_an_unknown_action_is_refused_at_run_time_too() -> None:
    """A host that makes its own instance gets the same check."""
    from aimm_otel.plugin import Tracing

    with pytest.raises(ValueError, match="there is no action 'train' to trace; the actions are data_access, inst"):
        Tracing(["train"])


@pytest.mark.usefixtures("initialized")
def test_the_module_functions_are_traced(spans: InMemorySpanExporter) -> None:
    """The functions of the seed go through the wrappers."""
    assert plugins.exec_data_access("one") == 1
    assert [span.name for span in spans.get_finished_spans()] == ["aimm.data_access one"]


def test_unload_all_and_initialize_bring_the_spans_back(initialized: str, spans: InMemorySpanExporter) -> None:
    """Settings of before do not survive, and nothing is traced twice."""
    plugins.unload_all()
    plugins.initialize({"names": [initialized], "settings": {"otel": {"actions": []}}})
    plugins.exec_data_access("one")
    plugins.unload_all()
    plugins.initialize({"names": [initialized]})
    plugins.exec_instantiate("two")
    assert [span.name for span in spans.get_finished_spans()] == ["aimm.instantiate two"]


def test_initialize_does_not_import_opentelemetry(tmp_path: Path) -> None:
    """A host that calls nothing does not pay for tracing."""
    code = """
import sys
from aimm import plugins
manager = plugins.PluginManager({"names": []})
print("aimm_otel.plugin" in sys.modules, [name for name in sys.modules if name.startswith("opentelemetry")])
"""
    assert run(code, tmp_path) == "True []"


def test_without_an_sdk_everything_works(tmp_path: Path) -> None:
    """The API alone makes spans that go nowhere."""
    (tmp_path / "plain_models.py").write_text(SOURCE, encoding="utf-8")
    code = """
import sys
sys.modules["opentelemetry.sdk"] = None
from aimm import plugins
manager = plugins.PluginManager({"names": ["plain_models"]})
print(manager.exec_data_access("one"), manager.exec_instantiate("two"), "opentelemetry.trace" in sys.modules)
"""
    assert run(code, tmp_path) == "1 2 True"


def test_an_sdk_that_comes_late_gets_its_spans(tmp_path: Path) -> None:
    """Actions may run before the application has set up its SDK."""
    (tmp_path / "plain_models.py").write_text(SOURCE, encoding="utf-8")
    code = """
from aimm import plugins
manager = plugins.PluginManager({"names": ["plain_models"]})
manager.exec_data_access("one")
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
manager.exec_instantiate("two")
print([span.name for span in exporter.get_finished_spans()])
"""
    assert run(code, tmp_path) == "['aimm.instantiate two']"
