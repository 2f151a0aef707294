"""The tasks as their users call them: by name, found by the entry point."""

from pathlib import Path

import numpy as np
import pytest

from aimm import plugins, tasks
from aimm.tasks import split_outputs


@pytest.fixture(autouse=True)
def _initialized() -> None:
    plugins.initialize({"names": []})


def test_hello() -> None:
    """A greeting, by full name, by the name of the entry point, and by the end."""
    for name in ("aimm_hello_tasks.greetings.hello", "hello.greetings.hello", "greetings.hello"):
        assert tasks.call(name, name="world") == "Hello, world"


def test_several_outputs() -> None:
    """Named in the decorator."""
    task = tasks.find_task("take_apart")
    assert split_outputs(task, tasks.call_task(task, (["a", "b", "c"],))) == {"first": "a", "rest": ["b", "c"]}


def test_types_are_declared_by_hints() -> None:
    """Those of arrays have one name however they are imported."""
    task = tasks.find_task("classify.split")
    assert [str(output.type) for output in task.outputs] == ["numpy.ndarray"] * 4
    assert [parameter.kind for parameter in task.parameters[2:]] == ["keyword_only", "keyword_only"]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_load_split_train_score(tmp_path: Path, name: str) -> None:
    """A classifier that is right nine times of ten, and its report read back."""
    table = tasks.call("classify.load", name)
    parts = tasks.call("classify.split", table.features, table.target, seed=1)
    model = tasks.call("classify.train", parts.train_features, parts.train_target)
    scores = tasks.call("classify.score", model, parts.test_features, parts.test_target)
    assert scores.report["accuracy"] > 0.9
    handler = tasks.find_handler("ReportArtifactTask")
    info = tasks.save_artifact(tmp_path, "scores", scores.report, handler, {"digits": 17})
    assert (info.plugin, info.distribution) == ("hello", "aimm-hello-tasks")
    assert tasks.load_artifact(tmp_path, info, handler) == pytest.approx(scores.report)
    arrays = tasks.find_handler("NumpyArrayArtifactTask")
    kept = tasks.save_artifact(tmp_path, "confusion", scores.confusion, arrays)
    assert np.array_equal(tasks.load_artifact(tmp_path, kept, arrays), scores.confusion)
