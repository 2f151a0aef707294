"""Checks of serialize and deserialize."""

from aimm.testing._checks import MODEL, FailedError, check, raised
from aimm.testing._compare import same
from aimm.testing._subject import Subject


@check(MODEL, "serialize-gives-bytes", needs=["fit-returns-the-instance"], hint="return bytes, bytearray or memoryview")
def serialize_gives_bytes(subject: Subject) -> None:
    """``serialize`` of a fitted instance returns bytes that are not empty."""
    subject.needs_action("serialize")
    import warnings

    instance = subject.fitted()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the framework warns; here it is a finding
        content = subject.route.serialize(instance)
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise FailedError(f"serialize returns {type(content).__name__}, not bytes")
    if not bytes(content):
        raise FailedError("serialize returns no bytes at all")


@check(
    MODEL,
    "bytes-are-stable",
    needs=["serialize-gives-bytes"],
    hint="leave out times, addresses and the order of sets, so that equal models have equal digests",
)
def bytes_are_stable(subject: Subject) -> None:
    """Serialising the same instance twice gives the same bytes."""
    if not subject.has_stable_bytes:
        raise FailedError("two calls of serialize for one instance give different bytes")


@check(
    MODEL,
    "round-trip-predicts-the-same",
    needs=["serialize-gives-bytes", "predict-works"],
    hint="put everything that predict uses into the bytes",
)
def round_trip_predicts_the_same(subject: Subject) -> None:
    """``deserialize(serialize(x))`` predicts what ``x`` predicts."""
    subject.needs_action("deserialize")
    back = subject.deserialize(subject.payload)
    if back is None:
        raise FailedError("deserialize returns None")
    if not same(subject.predict(back), subject.prediction):
        raise FailedError("the deserialised instance predicts something else than the serialised one")


@check(
    MODEL,
    "deserialize-takes-any-bytes",
    needs=["round-trip-predicts-the-same"],
    hint="begin with bytes(instance_bytes)",
)
def deserialize_takes_any_bytes(subject: Subject) -> None:
    """``deserialize`` takes bytes, bytearray and memoryview, and leaves them as they are."""
    for kind in (bytearray, memoryview):
        content = kind(bytearray(subject.payload))
        try:
            prediction = subject.predict(subject.deserialize(content))
        except Exception as error:
            raise FailedError(f"from a {kind.__name__}, {raised(error)}") from error
        if not same(prediction, subject.prediction):
            raise FailedError(f"from a {kind.__name__}, it predicts something else")
        if bytes(content) != subject.payload:
            raise FailedError(f"deserialize changes the {kind.__name__} that it gets")


@check(
    MODEL,
    "round-trip-gives-its-own-instance",
    needs=["round-trip-predicts-the-same"],
    hint="return an instance that serialize takes, of the type that fit returns",
)
def round_trip_gives_its_own_instance(subject: Subject) -> None:
    """A deserialised instance is of the type that ``fit`` returns, and can be serialised again."""
    back, fitted = subject.deserialize(subject.payload), subject.fitted()
    if type(back) is not type(fitted):
        raise FailedError(f"serialised as {type(fitted).__name__}, it comes back as {type(back).__name__}")
    again = subject.deserialize(subject.serialize(back))
    if not same(subject.predict(again), subject.prediction):
        raise FailedError("serialised and deserialised twice, it predicts something else")
