import pytest

from aimm import errors
from aimm.errors import PluginFailure
from error_examples.plugins import CONFLICT, EXAMPLES, FAILURE


@pytest.mark.parametrize(
    "cls",
    [
        errors.ConfigError,
        errors.DeclarationError,
        errors.DuplicateError,
        errors.PluginNotFoundError,
        errors.PluginConflictError,
        errors.PluginUnavailableError,
    ],
    ids=lambda cls: cls.__name__,
)
def test_callers_of_the_original_catch_value_errors(cls: type[Exception]) -> None:
    """What the original raised as ValueError still is one."""
    assert issubclass(cls, ValueError)


def test_a_config_error_says_where() -> None:
    """Source and location come before the message."""
    assert str(EXAMPLES[errors.ConfigError]) == "/etc/aimm.yaml, at names[0]: expected a list"
    assert str(errors.ConfigError("expected a mapping")) == "configuration: expected a mapping"


def test_a_duplicate_error_names_both_declarations_and_the_way_out() -> None:
    """Who was first, who was refused, and what to do."""
    text = str(EXAMPLES[errors.DuplicateError])
    assert "fit for 'm' is already declared by module 'a'" in text
    assert "by module 'b', was refused" in text
    assert "unload_all()" in text


def test_a_not_found_error_lists_what_there_is() -> None:
    """Known names, hints and the command that lists plugins."""
    text = str(EXAMPLES[errors.PluginNotFoundError])
    assert text.startswith("no plugin for fit of 'm' (known: 'n'); did you mean 'n'?")
    assert "aimm plugins list" in text


def test_a_not_found_error_without_known_names_says_none() -> None:
    """An empty list is spelled out."""
    assert "(known: none)" in str(errors.PluginNotFoundError("fit", "m"))


def test_a_not_found_error_does_not_flood_the_terminal() -> None:
    """Of many known names ten are shown and the rest is counted."""
    text = str(errors.PluginNotFoundError("fit", "m", [f"n{i}" for i in range(1000)]))
    assert "and 990 more" in text
    assert len(text) < 300


def test_a_conflict_error_gives_the_line_that_settles_it() -> None:
    """Both owners are named, and a prefer line for each."""
    text = str(CONFLICT)
    assert "claimed by dist-a 1.0 (a) and by dist-b 1.0 (b)" in text
    assert "'prefer: {m: dist-a}' or 'prefer: {m: dist-b}'" in text


def test_a_conflict_within_one_distribution_offers_no_prefer_line() -> None:
    """Where prefer cannot tell the owners apart, it is not recommended."""
    error = errors.PluginConflictError("model type", "m", ["a 1 (x)", "a 1 (y)"], ["a", "a"])
    assert "prefer" not in str(error)
    assert "remove one of the two" in error.remedy


def test_an_unavailable_error_tells_the_whole_failure() -> None:
    """Plugin, distribution, version, entry point, file, cause and hint."""
    text = str(EXAMPLES[errors.PluginUnavailableError])
    for part in ("'m'", "plugin 'forest'", "dist-a 1.2", "[aimm.models] forest", "b.py:3", "boom", "correct it"):
        assert part in text


def test_a_load_error_counts_and_lists_problems() -> None:
    """Failures and conflicts are all there, and what to do next."""
    text = str(EXAMPLES[errors.PluginLoadError])
    assert text.startswith("2 problems while loading plugins")
    assert "ValueError: boom" in text
    assert "prefer: {m: dist-a}" in text
    assert str(errors.PluginLoadError([FAILURE])).startswith("1 problem while")


@pytest.mark.parametrize(("action", "place"), [("fit", "third"), ("data_access", "second"), ("instantiate", "second")])
def test_a_state_callback_error_says_which_argument(action: str, place: str) -> None:
    """The position is the one in the signature of that exec function."""
    text = str(errors.StateCallbackError(action, "m", "list [1]"))
    assert f"exec_{action}('m', ...): state_cb, the {place} argument" in text
    assert "list [1]" in text


@pytest.mark.parametrize(("role", "own"), [("state callback", "state_cb"), ("instance", "instance")])
def test_an_argument_twice_error_names_function_argument_and_fix(role: str, own: str) -> None:
    """The caller learns what to leave out."""
    text = str(errors.ArgumentTwiceError("fit", "m", "mod.fit", "arg", role))
    assert f"mod.fit takes the {role} as 'arg'" in text
    assert f"from the {own!r} argument of exec_fit; leave arg= out" in text


def test_an_async_call_error_names_the_awaitable_twin() -> None:
    """The message is the line to write instead."""
    assert "await plugins.aexec_fit('m', ...)" in str(EXAMPLES[errors.AsyncCallError])


def test_a_plugin_exit_error_names_the_plugin_and_the_code() -> None:
    """Who tried to end the host, and how."""
    assert "fit of 'm': plugin 'm' called sys.exit(3)" in str(EXAMPLES[errors.PluginExitError])


def test_a_failure_without_distribution_names_the_plugin_alone() -> None:
    """Nothing is said about what is not known."""
    failure = PluginFailure("mod", "import", None, None, None, None, "ValueError", "correct it")
    assert failure.describe() == "plugin 'mod' failed at stage 'import': ValueError\n  hint: correct it"


def test_an_unknown_version_is_called_unknown() -> None:
    """A distribution without metadata still reads well."""
    assert errors.owner_text("p", "dist", "") == "plugin 'p' (distribution dist of unknown version)"


def test_arguments_may_be_any_sequence() -> None:
    """Lists become tuples, so that errors stay as they were raised."""
    owners = ["a", "b"]
    error = errors.PluginConflictError("fit", "m", owners, owners)
    owners.append("c")
    assert error.owners == error.choices == ("a", "b")
