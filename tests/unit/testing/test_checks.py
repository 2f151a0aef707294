"""The list of checks, and how one is judged."""

import pytest

from aimm.errors import CheckInputError
from aimm.testing import checks
from aimm.testing._checks import FailedError, check, known_expectations, run


def test_there_are_at_least_25_checks_each_with_claim_and_hint() -> None:
    """Names differ; a claim is one sentence, a hint says what to do."""
    found = checks()
    assert len({each.name for each in found}) == len(found) >= 25
    for each in found:
        assert each.claim.endswith(".")
        assert each.claim.count(". ") == 0, each.claim
        assert each.hint
        assert not each.hint.endswith(".")


def test_a_check_comes_after_those_that_it_needs() -> None:
    """The order of the list is the order in which they run."""
    placed: set[str] = set()
    for each in checks():
        assert placed.issuperset(each.needs), each.name
        placed.add(each.name)


def test_checks_of_one_kind() -> None:
    """The kind narrows the list."""
    assert {each.kind for each in checks("hook plugin")} == {"hook plugin"}


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"fits": "old"}, "expected failure 'fits': there is no such check; they are entry-point-resolves, "),
        ({"fit-works": " "}, "expected failure 'fit-works' needs a reason, in words"),
    ],
)
def test_an_expectation_that_makes_no_sense_is_refused(expected: dict[str, str], message: str) -> None:
    """It names an existing check, and gives a reason."""
    with pytest.raises(CheckInputError, match=message):
        known_expectations(expected)


def test_an_expectation_of_one_subject() -> None:
    """``subject:check`` counts for that subject only; the subject may have colons in it."""
    expected = {"a:b:fit-works": "old", "predict-works": "slow"}
    assert known_expectations(expected, "a:b") == {"fit-works": "old", "predict-works": "slow"}
    assert known_expectations(expected, "c") == {"predict-works": "slow"}


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind with two checks, of which the second needs the first: the subject is a number and must be 0."""
    checks()
    monkeypatch.setattr("aimm.testing._checks._registered", {})

    @check("number", "is-zero", hint="make it 0")
    def is_zero(subject: int) -> None:
        """The number is 0."""
        if subject:
            raise FailedError(f"it is {1 / (subject - 1):.0f}")

    @check("number", "is-even", needs=["is-zero"], hint="double it")
    def is_even(subject: int) -> None:
        """The number is even."""

    return "number"


@pytest.mark.parametrize(
    ("subject", "expected", "statuses"),
    [
        (0, {}, ["passed", "passed"]),
        (2, {}, ["failed", "skipped"]),
        (2, {"is-zero": "known"}, ["expected-fail", "skipped"]),
        (0, {"is-zero": "known"}, ["unexpected-pass", "passed"]),
        (2, {"is-even": "known"}, ["failed", "skipped"]),
    ],
)
def test_statuses(kind: str, subject: int, expected: dict[str, str], statuses: list[str]) -> None:
    """A check fails, or fails as expected; what needs it is skipped; a pass that nobody expects is an error."""
    assert [result.status for result in run(kind, subject, "n", expected)] == statuses


def test_an_exception_is_a_failure_with_its_place(kind: str) -> None:
    """What a check does not foresee is told in one line, with file and line."""
    (first, _) = run(kind, 1, "n", {})
    assert first.status == "failed"
    assert first.message.startswith(f"it raised ZeroDivisionError: division by zero at {__file__}:")


def test_what_ran_in_another_process_is_not_run_again(kind: str) -> None:
    """Its status counts for what needs it."""
    assert [(r.check, r.status) for r in run(kind, 0, "n", {}, {"is-zero": "failed"})] == [("is-even", "skipped")]
