"""Checks that run in another process: fresh, spawned, hung or dead."""

from aimm.testing._checks import MODEL, FailedError, SkippedError, check
from aimm.testing._subject import Subject


@check(
    MODEL,
    "round-trip-in-a-fresh-process",
    needs=["round-trip-predicts-the-same"],
    hint="put everything into the bytes: what stands in globals or caches of this process is not there in the next",
)
def round_trip_in_a_fresh_process(subject: Subject) -> None:
    """In a fresh process, the deserialised instance predicts the same."""
    subject.expect("fresh-process")


@check(
    MODEL,
    "works-in-a-spawned-child",
    needs=["round-trip-in-a-fresh-process", "equal-fits-agree"],
    hint="depend on nothing that only the main process has",
)
def works_in_a_spawned_child(subject: Subject) -> None:
    """An instance that a spawned child process fitted predicts the same."""
    subject.expect("spawned-child")


@check(
    MODEL,
    "concurrent-predicts-agree",
    needs=["round-trip-in-a-fresh-process", "predict-repeats"],
    hint="keep intermediate results in local variables, or hold a lock",
)
def concurrent_predicts_agree(subject: Subject) -> None:
    """Several threads that predict with one instance at the same time get what one alone gets."""
    subject.expect("concurrent-predicts")


@check(
    MODEL,
    "reload-leaves-the-registry-as-before",
    hint="declare the same names at every import, and keep no record of having declared them",
)
def reload_leaves_the_registry_as_before(subject: Subject) -> None:
    """After ``unload_all()`` and loading it again, the same names are registered."""
    subject.expect("reload")


@check(
    MODEL,
    "corrupt-bytes-are-survived",
    needs=["round-trip-predicts-the-same"],
    hint="check lengths before they are believed, and never run bytes through native code unchecked",
)
def corrupt_bytes_are_survived(subject: Subject) -> None:
    """``deserialize`` of corrupt bytes neither hangs nor ends the process."""
    subject.expect("corrupt-bytes")


@check(
    MODEL,
    "corrupt-bytes-are-refused",
    needs=["corrupt-bytes-are-survived"],
    hint="check the bytes against a length, a magic number or a digest, and raise an exception",
)
def corrupt_bytes_are_refused(subject: Subject) -> None:
    """``deserialize`` refuses corrupt bytes with an exception."""
    if accepted := subject.expect("corrupt-bytes").facts["accepted"]:
        raise FailedError(f"deserialize accepts {' and '.join(accepted)}")


@check(
    MODEL,
    "refusals-pickle",
    needs=["corrupt-bytes-are-survived"],
    hint="pass every argument of the exception to super().__init__, or define __reduce__",
)
def refusals_pickle(subject: Subject) -> None:
    """The exceptions for corrupt bytes survive pickle."""
    facts = subject.expect("corrupt-bytes").facts
    if facts["unpicklable"]:
        raise FailedError(facts["unpicklable"][0])
    if len(facts["accepted"]) > 2:
        raise SkippedError("nothing was refused")
