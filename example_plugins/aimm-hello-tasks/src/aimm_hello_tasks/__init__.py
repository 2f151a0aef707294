"""Tasks for ``aimm``; its modules load when one of their tasks is first used."""

from typing import Any

__version__ = "0.1.0"


def aimm_examples() -> dict[str, Any]:
    """Give the conformance kit arguments for tasks, and a value for the artifact handler."""
    import numpy as np

    from aimm.testing import call

    features, target = np.arange(24.0).reshape(12, 2), np.arange(12) % 2
    return {
        "greetings.hello": call("Ann"),
        "greetings.take_apart": call(["a", "b", "c"]),
        "classify.load": call("iris"),
        "classify.split": call(features, target, test_size=0.5),
        "classify.train": call(features, target),
        "reports.ReportArtifactTask": call({"accuracy": 0.25}, digits=2),
    }
