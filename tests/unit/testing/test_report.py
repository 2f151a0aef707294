"""What a report says, and when it is good."""

import json
import pickle

import pytest

from aimm.errors import ConformanceError
from aimm.testing import Report, Result

GOOD = Result("fit-works", "m", "passed", "", "It fits.", "make it fit")
BAD = GOOD._replace(status="failed", message="it raised ValueError: no")
LEFT_OUT = GOOD._replace(check="bytes-are-stable", status="skipped", message="the model type offers no serialize")
KNOWN = GOOD._replace(check="predict-repeats", status="expected-fail", message="old (it differs)")
SURPRISE = KNOWN._replace(status="unexpected-pass", message="expected to fail (old), but it passes: remove it")


def test_each_status_is_counted() -> None:
    """Every status has a number, also those that did not occur."""
    report = Report("m", (GOOD, BAD, LEFT_OUT, KNOWN, KNOWN))
    assert report.counts == {"passed": 1, "failed": 1, "skipped": 1, "expected-fail": 2, "unexpected-pass": 0}


@pytest.mark.parametrize("result", [GOOD, LEFT_OUT, KNOWN], ids=lambda result: result.status)
def test_what_passes_is_left_out_or_is_known_to_fail_is_no_problem(result: Result) -> None:
    """Such a report is good."""
    assert Report("m", (GOOD, result), floor=1).is_good


@pytest.mark.parametrize("result", [BAD, SURPRISE], ids=lambda result: result.status)
def test_a_failure_and_an_unexpected_pass_are_problems(result: Result) -> None:
    """Either makes the report red, and is told with its hint."""
    report = Report("m", (GOOD, result))
    assert not report.is_good
    assert report.problems == [f"{result.check} (m): {result.message}\n    hint: make it fit"]


def test_a_run_below_the_floor_is_red() -> None:
    """Skipped checks do not count, expected failures do; the message says what was skipped most, and why."""
    few = Report("m", (GOOD, KNOWN, LEFT_OUT, LEFT_OUT), floor=3)
    assert few.problems == [
        "only 2 checks ran, and at least 3 must (2 skipped: the model type offers no serialize)",
    ]
    assert few._replace(floor=2).is_good
    assert Report("m", floor=1).problems == ["only 0 checks ran, and at least 1 must (there was nothing to check)"]


def test_a_bad_report_can_be_raised() -> None:
    """The error is an assertion that lists each problem; it survives pickle. A good report raises nothing."""
    Report("m", (GOOD,)).raise_if_bad()
    with pytest.raises(ConformanceError, match=r"m does not conform:\n  fit-works \(m\): it raised") as caught:
        Report("m", (GOOD, BAD)).raise_if_bad()
    assert isinstance(caught.value, AssertionError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_report_is_plain_data() -> None:
    """It can be written as JSON, and pickled."""
    report = Report("m", (GOOD, BAD), floor=2)
    told = json.loads(json.dumps(report.as_json()))
    assert (told["subject"], told["good"], told["floor"]) == ("m", False, 2)
    assert told["results"][1] == BAD._asdict()
    assert told["problems"] == report.problems
    assert pickle.loads(pickle.dumps(report)) == report


def test_a_report_as_text() -> None:
    """One line with numbers, and one for each problem."""
    assert str(Report("m", (GOOD, BAD))).splitlines()[0] == "m: 1 passed, 1 failed"
    assert str(Report("m")) == "m: no checks"


def test_a_result_is_found_by_its_check_and_subject() -> None:
    """An unknown one is a KeyError."""
    other = GOOD._replace(subject="n")
    report = Report("m", (GOOD, other))
    assert report.result("fit-works") is GOOD
    assert report.result("fit-works", "n") is other
    with pytest.raises(KeyError, match="fit-works"):
        report.result("fit-works", "o")
