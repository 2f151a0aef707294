"""``check_model``: where it finds examples, and what it refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from aimm import plugins
from aimm.errors import CheckInputError, SubjectError
from aimm.plugins import PluginManager
from aimm.testing import Example, Report, call, check_model
from faults import EXAMPLE, GOOD
from support import FakeSite, unique_name

Install = Callable[..., PluginManager]


@pytest.fixture
def install(site: FakeSite) -> Install:
    """Install modules whose last one declares ``scaler``, and make a manager that sees them."""

    def make(source: str = GOOD, package: str = "") -> PluginManager:
        folder = unique_name("pkg")
        modules = {f"{folder}.scaler": source, folder: package}
        site.add("scalers", entry_points={"aimm.models": {"scaler": f"{folder}.scaler"}}, modules=modules)
        return PluginManager({"names": []})

    return make


def supplier(given: str) -> str:
    """The source of a function that supplies examples."""
    return (
        f"\n\ndef aimm_examples():\n    import faults\n    from aimm.testing import Example, call\n    return {given}\n"
    )


def ran(report: Report) -> int:
    """How many checks ran."""
    return report.counts["passed"] + report.counts["expected-fail"]


@pytest.mark.parametrize("given", ["faults.EXAMPLE", "[faults.EXAMPLE]", "{'scaler': faults.EXAMPLE}"])
def test_a_module_supplies_examples(install: Install, given: str) -> None:
    """One, a list, or a mapping of model types."""
    report = check_model("scaler", manager=install(GOOD + supplier(given)))
    assert report.is_good
    assert ran(report) > 35


def test_a_package_supplies_examples_and_expectations_for_its_modules(install: Install) -> None:
    """They are looked for in the packages around the module."""
    package = supplier("{'scaler': faults.EXAMPLE}") + "\naimm_expected_failures = {'bytes-are-stable': 'never'}\n"
    report = check_model("scaler", manager=install(GOOD, package))
    assert report.result("bytes-are-stable").status == "unexpected-pass"
    assert "remove the expectation" in report.result("bytes-are-stable").message


def test_every_example_is_checked(install: Install) -> None:
    """The second one has results of its own."""
    other = EXAMPLE._replace(fit=call([0.0, 0.0]))
    report = check_model("scaler", [EXAMPLE, other], install())
    assert report.result("fit-works", "scaler").status == "passed"
    assert report.result("predict-works", "scaler (example 2)").status == "failed"
    assert "ZeroDivisionError" in report.result("predict-works", "scaler (example 2)").message


def test_an_expected_failure_is_no_problem(install: Install) -> None:
    """It is shown with the reason, and with what happens."""
    source = GOOD.replace("return instance.fit(X, state_cb)", "instance.fit(X, state_cb)")
    report = check_model("scaler", EXAMPLE, install(source), expected_failures={"fit-returns-the-instance": "old"})
    result = report.result("fit-returns-the-instance")
    assert (result.status, result.message) == ("expected-fail", "old (fit returns None)")
    assert not [found for found in report.results if found.is_bad]


def test_without_examples_too_few_checks_run(install: Install) -> None:
    """A family that nobody knows is skipped with a hint, and the report is red."""
    report = check_model("scaler", manager=install(GOOD.replace("X", "rows")))
    assert not report.is_good
    assert "let the plugin supply aimm_examples()" in report.problems[0]


def test_examples_for_a_misspelt_name_are_named(install: Install) -> None:
    """Where there is no example of the name, but one of nearly this name, the reason says so."""
    source = GOOD.replace("X", "rows") + supplier("{'sclaer': faults.EXAMPLE, 'other': faults.EXAMPLE}")
    (problem,) = check_model("scaler", manager=install(source)).problems
    assert "aimm_examples() has 'sclaer'; did you mean 'scaler'?): let the plugin supply aimm_examples()" in problem


def test_examples_are_made_for_fit_of_x(install: Install) -> None:
    """A plugin whose ``fit`` takes ``X`` gets rows; that they do not suit is nobody's fault."""
    report = check_model("scaler", manager=install())
    assert report.result("fit-works").status == "skipped"
    assert "the example was made from the names of its arguments, and does not suit" in report.problems[0]


class Constant(plugins.Model[list[Any]]):
    """A model class of this module, which is registered nowhere."""

    def __init__(self) -> None:
        self.value: Any = None

    def fit(self, value: Any) -> "Constant":
        if not isinstance(value, int):
            raise TypeError("expected a number")
        self.value = value
        return self

    def predict(self, rows: list[Any]) -> list[Any]:
        return [self.value for _ in rows]

    def serialize(self) -> bytes:
        return f"constant {self.value}".encode()

    @classmethod
    def deserialize(cls, instance_bytes: plugins.ByteString) -> "Constant":
        magic, value = bytes(instance_bytes).decode().split()
        if magic != "constant":
            raise ValueError("no constant")
        return cls().fit(int(value))

    @classmethod
    def aimm_examples(cls) -> Example:
        return Example(call(3), call([1, 2]), predicts_unfitted=True)


def test_a_class_supplies_its_own_examples() -> None:
    """It need not be registered, and can be checked in other processes too."""
    report = check_model(Constant)
    assert report.is_good, str(report)
    assert report.result("round-trip-in-a-fresh-process").status == "passed"


def test_a_local_class_is_checked_as_far_as_it_goes() -> None:
    """What needs another process says why it cannot be done."""

    class Local(Constant):
        pass

    report = check_model(Local, floor=1)
    assert not [result for result in report.results if result.is_bad and result.check != "round-trip-gives-its-own"]
    assert report.result("round-trip-in-a-fresh-process").message == "the class is local to a function"


def test_an_unknown_model_type_is_an_error() -> None:
    """The message is that of the core, with its suggestions."""
    with pytest.raises(SubjectError, match=r"'nobody\.has\.this'"):
        check_model("nobody.has.this", manager=PluginManager({"names": []}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("3", r"aimm_examples\(\) gives 3 for 'scaler'; expected aimm.testing.Example\(fit=call\(\.\.\.\), predict"),
        ("[faults.EXAMPLE, 'x']", "aimm_examples.. gives 'x' for 'scaler'"),
        ("Example(fit=([1.0],))", r"aimm_examples\(\) gives Example\(fit=\(\[1.0\],\)"),
        ("1 / 0", r"scaler.aimm_examples\(\) failed: ZeroDivisionError: division by zero"),
    ],
)
def test_odd_examples_are_refused(install: Install, given: str, message: str) -> None:
    """The message names the function, what it gave, and what was expected."""
    with pytest.raises(CheckInputError, match=message):
        check_model("scaler", manager=install(GOOD + supplier(given)))


def test_odd_expectations_of_a_plugin_are_refused(install: Install) -> None:
    """They are a mapping."""
    source = GOOD + "\naimm_expected_failures = ['fit-works']\n"
    message = r"scaler.aimm_expected_failures must map names of checks to reasons, not \['fit-works'\]"
    with pytest.raises(CheckInputError, match=message):
        check_model("scaler", EXAMPLE, install(source))
