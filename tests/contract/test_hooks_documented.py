"""Every hook has a test that is named after it, and stands in the reference with its exact signature."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from aimm.plugins import hookspecs
from aimm.plugins._hooks import SPECIFICATIONS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference" / "hooks.md"
HOOKS = [
    *(
        "instantiate",
        "fit",
        "predict",
        "serialize",
        "deserialize",
        "data_access",
        "run_task",
        "model_types",
        "resolve_model_type",
        "similar_model_types",
    ),
    *("parameters", "plugin_loaded", "plugin_failed", "settings_schema", "configure"),
]


def test_the_hooks_are_these() -> None:
    """The specifications are those that are promised; a new one is added here, to the tests and to the docs."""
    assert list(SPECIFICATIONS) == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_test_of_its_name(hook: str) -> None:
    """``test_hooks.py`` has a function ``test_<hook>`` that claims something."""
    source = (ROOT / "tests" / "unit" / "plugins" / "test_hooks.py").read_text(encoding="utf-8")
    tests = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    test = tests[f"test_{hook}"]
    assert ast.get_docstring(test)
    assert any(isinstance(node, ast.Assert | ast.With) for node in ast.walk(test))


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_in_the_reference(hook: str) -> None:
    """The reference has one heading for each hook, which is its exact signature."""
    headings = re.findall(r"^#+ `(\w+)(\(.*\))`$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [shown for name, shown in headings if name == hook] == [f"({', '.join(SPECIFICATIONS[hook])})"]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_explains_its_parameters(hook: str) -> None:
    """The docstring of a specification, which the reference shows, has a line for each parameter."""
    text = inspect.getdoc(getattr(hookspecs, hook)) or ""
    assert text.partition("\n")[0].endswith(".")
    assert re.findall(r"^    (\w+): ", text.partition("Args:")[2], re.MULTILINE) == list(SPECIFICATIONS[hook])
