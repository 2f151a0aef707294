"""A model as functions: the most frequent class, with a state callback, changing when it predicts."""

import json
from collections import Counter
from collections.abc import Sequence

from aimm import plugins

TYPES = ["acme.majority"]


@plugins.instantiate("acme.majority")
def create() -> dict[str, int]:
    """Make an empty count."""
    return {}


@plugins.fit(TYPES, state_cb_arg_name="report", instance_arg_name="counts")
def fit(y: Sequence[int], report: plugins.StateCallback, counts: dict[str, int]) -> dict[str, int]:
    """Count the classes."""
    report({"progress": 0.5})
    counted = Counter(counts) + Counter(map(str, y))
    report({"progress": 1.0})
    return dict(counted)


@plugins.predict(TYPES)
def predict(counts: dict[str, int], X: Sequence[object]) -> list[int]:
    """The most frequent class for each row; the instance remembers how often it was asked."""
    counts["asked"] = counts.get("asked", 0) + 1
    known = {label: count for label, count in counts.items() if label != "asked"}
    return [int(max(known, key=lambda label: known[label])) for _ in X]


@plugins.serialize(TYPES)
def serialize(counts: dict[str, int]) -> bytes:
    """The counts as JSON."""
    return json.dumps(counts).encode()


@plugins.deserialize(TYPES)
def deserialize(instance_bytes: plugins.ByteString) -> dict[str, int]:
    """Read what serialize wrote."""
    counts: dict[str, int] = json.loads(bytes(instance_bytes))
    return counts
