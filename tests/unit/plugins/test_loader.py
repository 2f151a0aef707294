import sys
from typing import Any

import pytest

from aimm import plugins
from aimm.errors import PluginFailure, PluginLoadError, PluginUnavailableError
from aimm.plugins._discovery import Candidate
from aimm.plugins._loader import BrokenPluginError, Loaded, in_words, load
from aimm.plugins._registry import default_registry
from support import FakeSite, class_source, model_source, unique_name


def candidate_of(
    site: FakeSite, source: str, group: str = "aimm.models", attribute: str = "", name: str = "m"
) -> Candidate:
    """An entry point of a distribution ``dist`` whose module has this source."""
    module = unique_name()
    site.module(module, source)
    return Candidate(group, name, module + attribute, "dist", "1.0", "", str(site.path / "entry_points.txt"))


def failure_of(candidate: Candidate) -> PluginFailure:
    with pytest.raises(BrokenPluginError) as caught:
        load(candidate, [])
    return caught.value.failure


def loaded(candidate: Candidate) -> Loaded:
    return load(candidate, [])


def keys(found: Loaded) -> list[tuple[str, str]]:
    return sorted(record.key for record in found.records)


FIVE = ["deserialize", "fit", "instantiate", "predict", "serialize"]


# What a candidate gives


def test_a_module_gives_what_it_declares(site: FakeSite) -> None:
    """Other model types of the same module included; nothing is registered yet."""
    found = loaded(candidate_of(site, model_source("m", "other")))
    assert keys(found) == sorted((action, name) for action in FIVE for name in ("m", "other"))
    assert default_registry.records() == ()


@pytest.mark.parametrize("decorated", [False, True])
def test_a_class_is_registered_under_both_its_names(site: FakeSite, decorated: bool) -> None:
    """The entry point's and the canonical one, with or without ``@model``."""
    candidate = candidate_of(site, class_source(decorated=decorated), attribute=":Forest")
    assert {record.name for record in loaded(candidate).records} == {"m", f"{candidate.module}.Forest"}
    assert len(loaded(candidate).records) == 10


def test_a_nested_attribute_and_extras_are_understood(site: FakeSite) -> None:
    """As ``importlib.metadata`` does."""
    source = class_source() + "\nclass Outer:\n    Inner = Forest\n"
    found = loaded(candidate_of(site, source, attribute=" : Outer.Inner [extra]"))
    assert found.targets[0].__name__ == "Forest"


def test_a_data_access_may_be_a_function(site: FakeSite) -> None:
    """Then the entry point's name is the data access name."""
    found = loaded(candidate_of(site, "def fetch(): return 5", "aimm.data_access", ":fetch"))
    assert keys(found) == [("data_access", "m")]
    assert found.records[0].function() == 5


def test_a_data_access_may_be_a_module(site: FakeSite) -> None:
    """That declares it by decorator."""
    source = "from aimm import plugins\n@plugins.data_access('m')\ndef fetch(): return 5"
    assert keys(loaded(candidate_of(site, source, "aimm.data_access"))) == [("data_access", "m")]


def test_a_decorated_function_keeps_its_decorators_arguments(site: FakeSite) -> None:
    """The entry point does not declare it a second time without them."""
    source = "from aimm import plugins\n@plugins.data_access('m', state_cb_arg_name='cb')\ndef fetch(cb): ..."
    (record,) = loaded(candidate_of(site, source, "aimm.data_access", ":fetch")).records
    assert record.state_cb_arg_name == "cb"


def test_a_module_that_was_imported_before_gives_the_same(site: FakeSite) -> None:
    """By the journal: Python does not execute it again."""
    candidate = candidate_of(site, model_source("m"))
    assert keys(loaded(candidate)) == keys(loaded(candidate))


def test_a_module_may_put_something_else_in_its_place(site: FakeSite) -> None:
    """A known trick for lazy modules."""
    source = model_source("m", after="import sys; sys.modules[__name__] = object()")
    found = loaded(candidate_of(site, source, "names"))
    assert ("fit", "m") in keys(found)


# Import failures of every kind

RAISES = {
    "Exception": ("raise Exception('boom')", "Exception: boom"),
    "SystemExit": ("raise SystemExit(3)", "SystemExit: 3"),
    "sys.exit": ("import sys; sys.exit()", "SystemExit"),
    "BaseException": ("raise BaseException('boom')", "BaseException: boom"),
    "GeneratorExit": ("raise GeneratorExit", "GeneratorExit"),
    "StopIteration": ("raise StopIteration", "StopIteration"),
    "AssertionError": ("assert False, 'boom'", "AssertionError: boom"),
    "CancelledError": ("import asyncio; raise asyncio.CancelledError('boom')", "CancelledError: boom"),
    "ExceptionGroup": ("raise ExceptionGroup('many', [ValueError('boom')])", "ExceptionGroup: many (1 sub-exception)"),
    "MemoryError": ("raise MemoryError", "MemoryError"),
    "RecursionError": ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    "UnicodeDecodeError": (r"b'\xff'.decode()", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff"),
    "ImportError": ("from json import nothing", "ImportError: cannot import name 'nothing'"),
    "missing dependency": ("import no_such_lib.sub", "ModuleNotFoundError: No module named 'no_such_lib'"),
    "SyntaxError": ("def f(:", "SyntaxError: invalid syntax"),
    "IndentationError": ("if 1:\npass", "IndentationError: expected an indented block"),
    "two constructor arguments": (
        "class E(Exception):\n    def __init__(self, a, b): super().__init__(a)\nraise E('boom', 2)",
        "E: boom",
    ),
    "raising __str__": (
        "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
        "E: (its message cannot be shown)",
    ),
    "exiting __str__": (
        "class E(BaseException):\n    def __str__(self): raise SystemExit\nraise E",
        "E: (its message cannot be shown)",
    ),
    "__str__ that is no text": (
        "class E(Exception):\n    def __str__(self): return 5\nraise E",
        "E: (its message cannot be shown)",
    ),
    "odd ModuleNotFoundError": ("raise ModuleNotFoundError('boom', name=5)", "ModuleNotFoundError: boom"),
    "removes itself": ("import sys; del sys.modules[__name__]", "KeyError: "),
}


@pytest.mark.parametrize(("source", "cause"), RAISES.values(), ids=RAISES)
@pytest.mark.parametrize("declares_first", [False, True])
def test_whatever_an_import_raises_becomes_a_failure(
    site: FakeSite, source: str, cause: str, declares_first: bool
) -> None:
    """With stage, distribution, version, entry point and cause; nothing of what was declared before remains."""
    candidate = candidate_of(site, (model_source("m") if declares_first else "") + source)
    failure = failure_of(candidate)
    assert failure.cause.startswith(cause)
    assert failure[:5] == ("m", "import", "dist", "1.0", f"[aimm.models] m = {candidate.module}")
    assert failure.hint
    assert default_registry.records() == ()


@pytest.mark.parametrize("content", [b"x = 1\0", b"\xff\xfe", b"# coding: latin-9-9", "x = 1".encode("utf-16")])
def test_source_that_is_no_text_is_a_failure(site: FakeSite, content: bytes) -> None:
    """A damaged file, or an encoding that nobody knows."""
    candidate = candidate_of(site, "")
    (site.path / f"{candidate.module}.py").write_bytes(content)
    assert failure_of(candidate).stage == "import"


def test_ctrl_c_passes_and_leaves_nothing(site: FakeSite, manager: plugins.PluginManager) -> None:
    """The user wants out; the next call tries again."""
    code = "import sys\nif not hasattr(sys, 'flag_of_this_test'): raise KeyboardInterrupt"
    site.add(
        "d", entry_points={"aimm.models": {"m": "interrupted"}}, modules={"interrupted": model_source("m", after=code)}
    )
    report = manager.initialize()
    with pytest.raises(KeyboardInterrupt):
        manager.exec_fit("m", [])
    assert (manager.report, manager.owners()[0].actions) == (report, ())
    sys.flag_of_this_test = True  # type: ignore[attr-defined]
    try:
        assert manager.exec_fit("m", []) == [((), {})]
    finally:
        del sys.flag_of_this_test  # type: ignore[attr-defined]


def test_ctrl_c_in_a_message_passes_too() -> None:
    """It may come at any moment."""

    class Interrupted(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_words(Interrupted())


def test_the_failure_points_at_the_line(site: FakeSite) -> None:
    """The deepest file that the plugin reached, not importlib's."""
    candidate = candidate_of(site, "x = 1\nraise ValueError\n")
    failure = failure_of(candidate)
    assert failure.file == f"{site.path / candidate.module}.py:2"
    assert f'{candidate.module}.py", line 2' in failure.traceback


def test_a_syntax_error_points_at_its_line(site: FakeSite) -> None:
    """Although no frame was ever there."""
    candidate = candidate_of(site, "x = 1\ndef f(:\n")
    assert failure_of(candidate).file == f"{site.path / candidate.module}.py:2"


def test_a_failure_that_reached_no_file_points_at_the_declaration(site: FakeSite) -> None:
    """The metadata is what must be corrected."""
    candidate = Candidate("aimm.models", "m", "no_such_module", "dist", "1.0", "", "/x/entry_points.txt")
    assert failure_of(candidate).file == "/x/entry_points.txt"


# Hints


def test_a_declared_module_that_is_missing_wants_a_reinstall() -> None:
    """The distribution is damaged."""
    hint = failure_of(Candidate("aimm.models", "m", "no_such_pkg.mod", "dist", "1.0")).hint
    assert hint.endswith("a module that it does not contain: pip install --force-reinstall dist")


def test_a_configured_module_that_is_missing_is_misspelt() -> None:
    """Or installed, and need not be named."""
    hint = failure_of(Candidate("names", "no_such_module", "no_such_module")).hint
    assert hint.startswith("check the spelling, and that the module's folder is on sys.path")


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("import no_such_lib.sub", "the plugin needs the module 'no_such_lib': install what provides it, for instance"),
        ("raise SystemExit", "the plugin calls sys.exit() while it is imported"),
        ("def f(:", f"the plugin may not support Python {sys.version_info[0]}.{sys.version_info[1]}"),
        ("1 / 0", "or leave it out with 'entry_points: {exclude: [dist]}'"),
    ],
)
def test_a_failure_says_what_to_do(site: FakeSite, source: str, hint: str) -> None:
    """By what went wrong."""
    assert hint in failure_of(candidate_of(site, source)).hint


def test_a_configured_module_cannot_be_left_out_by_distribution(site: FakeSite) -> None:
    """So the hint does not say so."""
    candidate = candidate_of(site, "1 / 0")
    hint = failure_of(Candidate("names", candidate.module, candidate.module)).hint
    assert hint.startswith("correct the plugin and call initialize() again")


# What does not fit its declaration


@pytest.mark.parametrize("value", ["", "a b", "a:", ":a", "a:b:c", "a-b", ".a", "a.", "1a", "a:1", "os; print"])
def test_a_malformed_value_is_refused(value: str) -> None:
    """Before anything is imported."""
    failure = failure_of(Candidate("aimm.models", "m", value, "dist", "1.0"))
    assert failure.cause == (
        f"DeclarationError: an entry point has the form 'module' or 'module:attribute', not {value!r}"
    )


def test_an_attribute_that_is_not_there_is_named(site: FakeSite) -> None:
    """At the stage of resolving."""
    candidate = candidate_of(site, "", attribute=":Forest")
    failure = failure_of(candidate)
    assert (failure.stage, failure.cause) == (
        "resolve",
        f"AttributeError: module {candidate.module!r} has no attribute 'Forest'",
    )
    assert failure.hint == f"{candidate.module} has no such attribute: correct the entry point, or reinstall dist"


@pytest.mark.parametrize("error", ["SystemExit", "KeyError('x')", "GeneratorExit"])
def test_an_attribute_look_up_may_raise_anything(site: FakeSite, error: str) -> None:
    """A module's own ``__getattr__`` is a stranger's code too."""
    candidate = candidate_of(site, f"def __getattr__(name): raise {error}", attribute=":Forest")
    assert failure_of(candidate).stage in ("import", "resolve")


MISFITS = [
    ("aimm.models", "", "", "was to declare the model type 'm' by decorators, but declares none"),
    ("aimm.models", model_source("a", "b"), "", "the model type 'm' by decorators, but declares 'a', 'b'"),
    ("aimm.models", "def f(): ...", ":f", "as model type 'm': expected a class with the methods fit, predict"),
    ("aimm.models", "class C: ...", ":C", "the class has no 'fit' and no 'predict'"),
    ("aimm.data_access", "", "", "was to declare the data access 'm' with the decorator data_access, but does not"),
    ("aimm.data_access", "x = 5", ":x", "must be a function that fetches data, not 5"),
]


@pytest.mark.parametrize(("group", "source", "attribute", "said"), MISFITS)
def test_what_does_not_fit_its_declaration_is_refused(
    site: FakeSite, group: str, source: str, attribute: str, said: str
) -> None:
    """At the stage of checking, saying what was expected; nothing is registered."""
    failure = failure_of(candidate_of(site, source, group, attribute))
    assert failure.stage == "check"
    assert failure.cause.startswith("DeclarationError: ")
    assert said in failure.cause
    assert default_registry.records() == ()


def test_a_duplicate_within_a_plugin_fails_its_import(site: FakeSite) -> None:
    """Its own two declarations contradict each other."""
    source = model_source("m", after="plugins.fit(['m'])(lambda i: i)")
    assert failure_of(candidate_of(site, source)).cause.startswith("DuplicateError: fit for 'm' is already declared")


# Repair


def broken_package(site: FakeSite) -> str:
    """A package whose sub-module declares plugins before the package itself fails."""
    package = unique_name("pkg")
    site.module(f"{package}.sub", model_source("sub"))
    site.module(f"{package}.main", f"from {package} import sub\n1 / 0\n")
    return package


def test_a_sub_module_cached_from_a_failed_first_try_is_replayed(
    site: FakeSite, manager: plugins.PluginManager
) -> None:
    """After the repair everything is there, although Python does not execute the sub-module again."""
    package = broken_package(site)
    with pytest.raises(PluginLoadError, match="ZeroDivisionError"):
        manager.initialize({"names": [f"{package}.main"]})
    assert manager.owners() == []
    site.module(f"{package}.main", f"from {package} import sub\n" + model_source("main"))
    manager.initialize()
    assert manager.exec_predict("sub", [], None)[1][0] == f"{package}.sub"
    assert manager.exec_predict("main", [], None)[1][0] == f"{package}.main"


def test_a_retry_shows_the_real_cause(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Not that something is declared already (the original says that)."""
    package = broken_package(site)
    for _ in range(3):
        with pytest.raises(PluginLoadError, match="ZeroDivisionError: division by zero"):
            manager.initialize({"names": [f"{package}.main"]})


def test_a_failed_first_try_does_not_touch_the_default_registry(site: FakeSite) -> None:
    """Also when the default manager loads; half a registration never remains."""
    package = broken_package(site)
    with pytest.raises(PluginLoadError):
        plugins.initialize({"names": [f"{package}.main"]})
    assert default_registry.records() == ()


def test_a_repaired_lazy_plugin_works_after_initialize(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Until then every use gives the original cause."""
    site.add("d", entry_points={"aimm.models": {"m": "repairable"}}, modules={"repairable": "raise SystemExit(3)"})
    manager.initialize()
    for _ in range(2):
        with pytest.raises(PluginUnavailableError, match="SystemExit: 3") as caught:
            manager.exec_fit("m", [])
        assert isinstance(caught.value.__cause__, SystemExit)
    site.module("repairable", model_source("m"))
    manager.initialize()
    assert manager.exec_fit("m", []) == [((), {})]


@pytest.mark.parametrize("source", [source for source, _ in RAISES.values()], ids=RAISES)
def test_a_bad_plugin_leaves_every_other_usable(site: FakeSite, source: str, manager: plugins.PluginManager) -> None:
    """In each group; the report names distribution and entry point of the bad one."""
    groups: dict[str, Any] = {"aimm.models": {"bad": "bad_mod"}, "aimm.plugins": {"bad": "bad_mod"}}
    site.add("bad", entry_points=groups, modules={"bad_mod": source})
    site.add("good", entry_points={"aimm.models": {"good": "good_mod"}}, modules={"good_mod": model_source("good")})
    (failure,) = manager.initialize().failed
    assert (failure.distribution, failure.entry_point) == ("bad", "[aimm.plugins] bad = bad_mod")
    assert manager.exec_fit("good", []) == [((), {})]
    with pytest.raises(PluginUnavailableError, match=r"\[aimm.models\] bad = bad_mod"):
        manager.exec_fit("bad", [])
