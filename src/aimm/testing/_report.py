"""What the checks found: plain data, ready to be logged, pickled or shown."""

from collections import Counter
from typing import Any, NamedTuple

from aimm.errors import ConformanceError

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
EXPECTED_FAIL, UNEXPECTED_PASS = "expected-fail", "unexpected-pass"
FOLLOWS = " did not pass"
"""Ends the reason of a check that is skipped because another one did not pass."""

STATUSES = (PASSED, FAILED, SKIPPED, EXPECTED_FAIL, UNEXPECTED_PASS)


class Result(NamedTuple):
    """How one check of one subject went.

    Attributes:
        check: Name of the check.
        subject: What was checked: a model type, an entry point, a distribution.
        status: ``passed``, ``failed``, ``skipped``, ``expected-fail`` or ``unexpected-pass``.
        message: Why, for every status but ``passed``.
        claim: What the check claims of a conforming plugin, in one sentence.
        hint: What to do when it fails.
    """

    check: str
    subject: str
    status: str
    message: str = ""
    claim: str = ""
    hint: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether this makes a report red."""
        return self.status in (FAILED, UNEXPECTED_PASS)

    @property
    def is_remarkable(self) -> bool:
        """Whether this says something that is neither good news nor the consequence of another result."""
        return self.status != PASSED and not self.message.endswith(FOLLOWS)

    def describe(self) -> str:
        """The result in a few words: which check, of what, and why."""
        text = f"{self.check} ({self.subject}): {self.message or self.status}"
        return f"{text}\n    hint: {self.hint}" if self.is_bad and self.hint else text


class Report(NamedTuple):
    """The results of a run.

    Attributes:
        subject: What was checked.
        results: One for each check, in the order in which they ran.
        floor: How many checks must have run, to pass or to fail as expected, for the report to be good.
    """

    subject: str
    results: tuple[Result, ...] = ()
    floor: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many results have each status."""
        counted = Counter(result.status for result in self.results)
        return {status: counted[status] for status in STATUSES}

    @property
    def problems(self) -> list[str]:
        """What makes the report red, one text each; empty if nothing does."""
        found = [result.describe() for result in self.results if result.is_bad]
        counts = self.counts
        ran = counts[PASSED] + counts[EXPECTED_FAIL]
        if not found and ran < self.floor:
            skipped = (result.message for result in self.results if result.status == SKIPPED)
            reasons = Counter(reason for reason in skipped if not reason.endswith(FOLLOWS))
            why = "; ".join(f"{number} skipped: {reason}" for reason, number in reasons.most_common(3))
            found.append(
                f"only {ran} checks ran, and at least {self.floor} must ({why or 'there was nothing to check'})"
            )
        return found

    @property
    def is_good(self) -> bool:
        """Whether nothing failed, nothing passed that should have failed, and enough ran."""
        return not self.problems

    def raise_if_bad(self) -> None:
        """Do nothing if the report is good.

        Raises:
            ConformanceError: It is not; the message lists every problem with its hint.
        """
        if problems := self.problems:
            raise ConformanceError(self.subject, problems)

    def result(self, check: str, subject: str | None = None) -> Result:
        """The result of one check.

        Args:
            check: Name of the check.
            subject: What was checked, where several things were.

        Raises:
            KeyError: There is none.
        """
        for result in self.results:
            if result.check == check and subject in (None, result.subject):
                return result
        raise KeyError(check)

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "subject": self.subject,
            "good": self.is_good,
            "floor": self.floor,
            "counts": self.counts,
            "problems": self.problems,
            "results": [result._asdict() for result in self.results],
        }

    def __str__(self) -> str:
        counted = ", ".join(f"{number} {status}" for status, number in self.counts.items() if number)
        return "\n".join([f"{self.subject}: {counted or 'no checks'}", *(f"  {text}" for text in self.problems)])
