"""Faulty plugins, one fault each: the check that is meant for the fault fails, and no other one does."""

import re
from collections.abc import Callable

import pytest

from aimm.plugins import PluginManager
from aimm.testing import Example, Report, call, check_model, check_plugin, checks
from faults import (
    DATA,
    DATA_FAULTS,
    EXAMPLE,
    GOOD,
    HOOK_FAULTS,
    MODEL_FAULTS,
    OWNER,
    TASK_FAULTS,
    TASKS,
    WRAPPER,
    Fault,
    faulty_source,
)
from support import FakeSite, unique_name

HEAVY = ["fractions"]


def failed(report: Report) -> list[str]:
    """The checks that failed, with what they say, for the message of an assertion."""
    return [f"{result.check}: {result.message}" for result in report.results if result.is_bad]


def names(report: Report) -> set[str]:
    """The checks that failed."""
    return {result.check for result in report.results if result.is_bad}


def by_id(fault: Fault) -> str:
    """How a fault is called in the names of tests."""
    return f"{fault.check}: {fault.what}"


@pytest.fixture
def check_source(site: FakeSite) -> Callable[[str], Report]:
    """Install a module that declares ``scaler`` and check it."""

    def check(source: str) -> Report:
        module = unique_name("scaler")
        site.add("scalers", entry_points={"aimm.models": {"scaler": module}}, modules={module: source})
        manager = PluginManager({"names": []})
        return check_model("scaler", EXAMPLE, manager, heavy=HEAVY, timeout=8)

    return check


def test_the_good_model_passes_every_check(check_source: Callable[[str], Report]) -> None:
    """Nothing fails and nothing is skipped."""
    report = check_source(GOOD)
    assert failed(report) == []
    assert report.counts["skipped"] == 0


@pytest.mark.parametrize("fault", MODEL_FAULTS, ids=by_id)
def test_a_fault_of_a_model_is_caught_by_its_check(fault: Fault, check_source: Callable[[str], Report]) -> None:
    """Exactly the check that is meant for it fails."""
    report = check_source(faulty_source(fault))
    assert names(report) == {fault.check}, failed(report)


def test_a_heavy_import_is_caught(check_source: Callable[[str], Report]) -> None:
    """A module that the caller calls heavy must not be imported."""
    assert names(check_source(GOOD.replace("import json", "import json, fractions"))) == {"import-is-light"}


def install(site: FakeSite, group: str, source: str, name: str, target: str = "") -> Report:
    """Install a plugin and check its distribution."""
    module = unique_name("checked")
    site.add("checked", entry_points={group: {name: f"{module}{target}"}}, modules={module: source})
    return check_plugin("checked", timeout=30)


@pytest.mark.parametrize("source", [WRAPPER, OWNER], ids=["wrapper", "owner"])
def test_good_hook_plugins_pass(source: str, site: FakeSite) -> None:
    """Nothing fails of a wrapper or an owner that keeps every claim."""
    assert failed(install(site, "aimm.plugins", source, "hooks")) == []


@pytest.mark.parametrize("fault", HOOK_FAULTS, ids=by_id)
def test_a_fault_of_a_hook_plugin_is_caught_by_its_check(fault: Fault, site: FakeSite) -> None:
    """Exactly the check that is meant for it fails."""
    report = install(site, "aimm.plugins", faulty_source(fault), "hooks")
    assert names(report) == {fault.check}, failed(report)


SUPPLIED = "\n\ndef aimm_examples():\n    from aimm.testing import call\n    return {'numbers': call(seed=1)}\n"


def test_a_good_data_access_passes(site: FakeSite) -> None:
    """Nothing fails, and everything that has to do with data runs."""
    report = install(site, "aimm.data_access", DATA + SUPPLIED, "numbers", ":numbers")
    assert failed(report) == []
    assert report.result("data-access-repeats").status == "passed"


@pytest.mark.parametrize("fault", DATA_FAULTS, ids=by_id)
def test_a_fault_of_a_data_access_is_caught_by_its_check(fault: Fault, site: FakeSite) -> None:
    """Exactly the check that is meant for it fails."""
    source = faulty_source(fault).replace(
        "def numbers", "from aimm import plugins\n\n@plugins.data_access('numbers', 'state_cb')\ndef numbers"
    )
    report = install(site, "aimm.data_access", source + SUPPLIED, "numbers")
    assert names(report) == {fault.check}, failed(report)


def test_a_good_task_and_a_good_handler_pass(site: FakeSite) -> None:
    """Nothing fails, and everything that has to do with them runs."""
    report = install(site, "aimm.tasks", TASKS, "numbers")
    assert failed(report) == []
    assert {"task-states-are-json", "artifact-round-trip"} <= {r.check for r in report.results if r.status == "passed"}


@pytest.mark.parametrize("fault", TASK_FAULTS, ids=by_id)
def test_a_fault_of_a_task_is_caught_by_its_check(fault: Fault, site: FakeSite) -> None:
    """Exactly the check that is meant for it fails."""
    report = install(site, "aimm.tasks", faulty_source(fault), "numbers")
    assert names(report) == {fault.check}, failed(report)


OF_SCALER = """
def aimm_examples():
    import faults
    return {'scaler': faults.EXAMPLE, 'sclaer': faults.EXAMPLE}
"""
EXAMPLE_FAULTS = [
    ("aimm.tasks", "numbers", "", TASKS.replace('"ends":', '"ends": call([1.0]), "edns":'), "edns", "ends"),
    ("aimm.tasks", "numbers", "", TASKS.replace('"ends":', '"ends": call([1.0]), "zzz":'), "zzz", None),
    ("aimm.data_access", "numbers", ":numbers", DATA + SUPPLIED.replace("{", "{'n': call(), "), "n", None),
    ("aimm.data_access", "numbers", ":numbers", DATA + SUPPLIED.replace("{", "{'numbesr': 1, "), "numbesr", "numbers"),
    ("aimm.models", "scaler", "", GOOD + OF_SCALER, "sclaer", "scaler"),
]


@pytest.mark.parametrize(("group", "name", "target", "source", "key", "meant"), EXAMPLE_FAULTS)
def test_a_misspelt_name_of_an_example_is_caught(
    group: str, name: str, target: str, source: str, key: str, meant: str | None, site: FakeSite
) -> None:
    """Exactly this check fails, and says whose examples they are, what comes near, and what there is."""
    report = install(site, group, source, name, target)
    assert names(report) == {"examples-name-what-there-is"}, failed(report)
    result = report.result("examples-name-what-there-is")
    assert result.subject.endswith(".aimm_examples()")
    hint = f"; did you mean {meant!r}?" if meant else ""
    assert result.message.startswith(f"it has {key!r}, which is no name of the plugin{hint} (known: '")


def test_examples_for_the_whole_distribution_stand_in_one_mapping(site: FakeSite) -> None:
    """A name counts if any entry point offers it; where one is left out or broken, nobody can tell."""
    package, examples = unique_name("whole"), "{'scaler': faults.EXAMPLE, 'ends': call([3.0, 1.0]), 'numbers': call()}"
    supplier = f"def aimm_examples():\n    import faults\n    from aimm.testing import call\n    return {examples}\n"
    tasks = TASKS.partition("def aimm_examples")[0]
    modules = {f"{package}.model": GOOD, f"{package}.data": DATA, f"{package}.work": tasks, package: supplier}
    points = {
        "aimm.models": {"scaler": f"{package}.model"},
        "aimm.tasks": {"work": f"{package}.work"},
        "aimm.data_access": {"numbers": f"{package}.data:numbers"},
    }
    site.add("whole", entry_points=points, modules=modules)
    report = check_plugin("whole", timeout=30)
    assert failed(report) == []
    assert report.result("examples-name-what-there-is", f"{package}.aimm_examples()").status == "passed"
    assert all(result.check != "examples-name-what-there-is" for result in check_plugin("scaler").results)


LOADING_FAULTS = [
    ("entry-point-resolves", "aimm.models", "raise ImportError('no')", ""),
    ("entry-point-resolves", "aimm.models", GOOD, ":Missing"),
    ("entry-point-resolves", "aimm.models", "import os\nos._exit(3)", ""),
    ("entry-point-resolves", "aimm.models", "import os\nos.abort()", ""),
    ("group-and-name-fit", "aimm.models", GOOD, ":create"),
    ("group-and-name-fit", "aimm.models", GOOD.replace('"scaler"', '"other"'), ""),
    ("group-and-name-fit", "aimm.train", GOOD, ":create"),
    ("group-and-name-fit", "aimm.executors", "X = 3", ":X"),
    ("group-and-name-fit", "aimm.plugins", "X = 3", ""),
    ("group-and-name-fit", "aimm.data_access", "X = 3", ":X"),
    ("declared-names-equal-registered-ones", "aimm.models", GOOD + "plugins.predict(['extra'])(predict)", ""),
    ("import-is-light", "aimm.plugins", WRAPPER + "\nimport numpy", ""),
]


@pytest.mark.parametrize(
    ("check", "group", "source", "target"),
    LOADING_FAULTS,
    ids=[f"{number}-{fault[0]}-{fault[1]}" for number, fault in enumerate(LOADING_FAULTS)],
)
def test_a_fault_of_an_entry_point_is_caught_by_its_check(
    check: str, group: str, source: str, target: str, site: FakeSite
) -> None:
    """Exactly the check that is meant for it fails."""
    source += "\n\ndef aimm_examples():\n    import faults\n    return faults.EXAMPLE\n"
    report = install(site, group, source, "scaler", target)
    assert names(report) == {check}, failed(report)


HINTS = [
    ("aimm.models", "x = 1\n\ndef f(:\n    pass\n", "", r"correct .*checked_\d+\.py:3"),
    ("aimm.models", "x = 1\nif x:\nx = 2\n", "", r"correct .*checked_\d+\.py:3"),
    ("aimm.models", "x = 1\nx / 0\n", "", r"correct .*checked_\d+\.py:2"),
    (
        "aimm.models",
        "import no_such_module.deep\n",
        "",
        r"install what provides the module 'no_such_module', and name it under 'dependencies' in pyproject.toml "
        r"\(.*checked_\d+\.py:1 imports it\)",
    ),
    ("aimm.models", "from . import gone", "", r"correct .*checked_\d+\.py:1"),
    ("aimm.models", GOOD, ":Missing", "correct the entry point in pyproject.toml, or the module it names"),
    ("aimm.models", "", ".gone", "correct the entry point in pyproject.toml, or the module it names"),
    (
        "aimm.models",
        "class Line:\n    pass\n",
        ":Line",
        "let the entry point name a class with every action, such as a subclass of aimm.plugins.Model",
    ),
    (
        "aimm.models",
        GOOD.replace('"scaler"', '"other"'),
        "",
        "move the entry point to the group for what it points at, or name it as the code does",
    ),
    (
        "aimm.data_access",
        "def numbers(seed):\n    import no_such_module\n" + SUPPLIED,
        ":numbers",
        "install what provides the module 'no_such_module', and name it under 'dependencies' in pyproject.toml",
    ),
]


def test_a_module_of_its_own_that_is_missing_is_no_dependency(site: FakeSite) -> None:
    """The line that imports it is to be corrected."""
    package = unique_name("owned")
    modules = {f"{package}.model": f"import {package}.modle\n"}
    site.add("owned", entry_points={"aimm.models": {"m": f"{package}.model"}}, modules=modules)
    assert re.fullmatch(r"correct .*model\.py:1", check_plugin("owned").result("entry-point-resolves").hint)


@pytest.mark.parametrize(("group", "source", "target", "hint"), HINTS)
def test_the_hint_says_what_to_do(group: str, source: str, target: str, hint: str, site: FakeSite) -> None:
    """A file to correct, a dependency to declare, or the entry point, whichever is wrong."""
    report = install(site, group, source, "numbers" if group == "aimm.data_access" else "scaler", target)
    (result,) = (result for result in report.results if result.is_bad)
    assert re.fullmatch(hint, result.hint)


def test_a_plugin_that_hangs_at_import_is_caught(site: FakeSite) -> None:
    """A process that is silent for too long is ended, and the check it was busy with failed."""
    module = unique_name("hangs")
    site.add("hangs", entry_points={"aimm.models": {"m": module}}, modules={module: "while True: pass"})
    report = check_plugin("hangs", timeout=1)
    assert names(report) == {"entry-point-resolves"}
    assert "did not finish" in report.result("entry-point-resolves").message


def test_a_fit_that_ends_the_process_is_a_finding_and_the_rest_is_checked(site: FakeSite) -> None:
    """The kit goes on in a new process after the check that ended the one before."""
    source = GOOD.replace("    return instance.fit(X, state_cb)", "    import os\n    os._exit(7)")
    source += "\n\ndef aimm_examples():\n    import faults\n    return faults.EXAMPLE\n"
    report = install(site, "aimm.models", source, "scaler")
    assert "exit code 7" in report.result("fit-works").message
    assert report.result("predict-works").status == "skipped"
    assert report.result("reload-leaves-the-registry-as-before").status == "passed"
    assert names(report) == {"fit-works"}


def test_every_check_has_a_fault_that_it_catches() -> None:
    """A check that catches nothing is no check."""
    faults = {fault.check for fault in (*MODEL_FAULTS, *HOOK_FAULTS, *DATA_FAULTS, *TASK_FAULTS)}
    faults |= {check for check, *_ in LOADING_FAULTS} | {
        "examples-name-what-there-is",
        "parameters-can-be-asked",
        "reload-leaves-the-registry-as-before",
    }
    assert faults == {check.name for check in checks()}
    assert len(faults) >= 25
    assert len(MODEL_FAULTS) >= 30


def check_owner(site: FakeSite, *change: str) -> Report:
    """Install the owner with a piece of its source replaced, and check one of its model types."""
    module = unique_name("owner")
    site.add("owners", entry_points={"aimm.plugins": {"owner": module}}, modules={module: OWNER.replace(*change)})
    return check_model("owned.one", Example(fit=call(1.0), predict=call(2.0)), PluginManager({"names": []}))


def test_odd_answers_of_the_parameters_hook_are_caught(site: FakeSite) -> None:
    """A hook owner that says nonsense about its parameters is found out."""
    report = check_owner(site, 'return ["X"] if action == "predict" else []', "return [1]")
    assert names(report) == {"parameters-can-be-asked"}, failed(report)


def test_a_plugin_that_declares_something_else_when_it_is_loaded_again_is_caught(site: FakeSite) -> None:
    """A hook owner whose list shrinks from one load to the next is found out."""
    shrinking = (
        "return NAMES.pop(0) if len(NAMES) > 1 else NAMES[0]\n\nNAMES = [['owned.one', 'owned.two'], ['owned.one']]"
    )
    report = check_owner(site, 'return ["owned.one", "owned.two"]', shrinking)
    assert names(report) == {"reload-leaves-the-registry-as-before"}, failed(report)
    assert "is gone" in report.result("reload-leaves-the-registry-as-before").message
