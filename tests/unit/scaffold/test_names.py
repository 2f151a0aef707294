import sys

import pytest
from hypothesis import given, strategies as st

from aimm.errors import ScaffoldError
from aimm.scaffold._names import check_distribution, check_line, check_package, default_package


@pytest.mark.parametrize("name", ["demo", "Demo", "aimm-demo", "a", "a.b_c-d", "2fast"])
def test_names_that_pip_takes_are_taken(name: str) -> None:
    """Letters, digits and the three separators inside."""
    check_distribution(name)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("", "my-plugin"), ("a b", "a-b"), ("-demo", "demo"), ("demo_", "demo"), ("Größe", "gr-e"), ("a/b", "a-b")],
)
def test_other_names_are_refused_with_one_that_will_do(name: str, suggestion: str) -> None:
    """The message says what a name may hold, and what to type instead."""
    with pytest.raises(ScaffoldError, match="begins and ends with a letter or digit") as caught:
        check_distribution(name)
    assert caught.value.suggestion == suggestion
    assert str(caught.value).endswith(f"{suggestion!r} would do")


@pytest.mark.parametrize(
    ("package", "reason", "suggestion"),
    [
        ("my-plugin", "no Python identifier", "my_plugin"),
        ("2fast", "no Python identifier", "aimm_2fast"),
        ("größe", "no Python identifier", "gr_e"),
        ("", "no Python identifier", "my_plugin"),
        ("Demo", "in lower case", "demo"),
        ("_demo", "begins with a letter", "demo"),
        ("class", "a keyword", "aimm_class"),
        ("json", "has a module", "aimm_json"),
        ("aimm", "has a module", "aimm_aimm"),
    ],
)
def test_packages_that_cannot_be_imported_are_refused(package: str, reason: str, suggestion: str) -> None:
    """No identifier, no keyword, nothing that hides another module."""
    with pytest.raises(ScaffoldError, match=reason) as caught:
        check_package(package)
    assert caught.value.suggestion == suggestion


@given(st.text(max_size=20))
def test_every_suggestion_is_good(text: str) -> None:
    """Whatever somebody types, what the message offers instead is accepted."""
    for check in (check_distribution, check_package):
        try:
            check(text)
        except ScaffoldError as error:
            check(error.suggestion)


@given(st.sampled_from(sorted(sys.stdlib_module_names)))
def test_no_package_hides_a_module_of_python(module: str) -> None:
    """The standard library stays reachable."""
    with pytest.raises(ScaffoldError):
        check_package(module)


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "bell\a"])
def test_metadata_is_one_line(text: str) -> None:
    """What would break the metadata is refused."""
    with pytest.raises(ScaffoldError, match="it is one line of text"):
        check_line("description", text)


def test_a_line_that_is_refused_is_offered_without_its_breaks() -> None:
    """The suggestion is what was meant."""
    with pytest.raises(ScaffoldError) as caught:
        check_line("description", "two\nlines\n")
    assert caught.value.suggestion == "two lines"


@pytest.mark.parametrize(("name", "package"), [("Aimm-Demo", "aimm_demo"), ("a.b", "a_b")])
def test_the_package_follows_from_the_name(name: str, package: str) -> None:
    """Lower case, with underscores."""
    assert default_package(name) == package
