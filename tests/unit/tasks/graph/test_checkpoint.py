"""What finished steps gave, kept for a later run: values of every kind, and what makes a step run again."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aimm import plugins
from aimm.errors import ArtifactError, StepError
from aimm.plugins import PluginManager
from aimm.tasks import register
from aimm.tasks.graph import plan, run
from support import FakeSite, class_source

CALLS: list[str] = []
VALUES: dict[str, Any] = {}
GRAPH = {"parameters": {"n": 1}, "graph": {"made": {"make": []}, "seen": {"see": ["$made", "$n"]}}}


@pytest.fixture(autouse=True)
def _tasks() -> None:
    CALLS.clear()

    @register
    def make() -> Any:
        CALLS.append("make")
        return VALUES["value"]

    @register
    def see(value: Any, n: int) -> str:
        CALLS.append("see")
        VALUES["seen"] = value
        return type(value).__name__


class Opaque:
    """Has no form on disk but pickle."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque)

    __hash__ = None  # type: ignore[assignment]


def kept(value: Any, out: Path, **options: Any) -> Any:
    """The value as a later run gets it that needs it; the step that made it is not run again."""
    VALUES["value"] = value
    run(GRAPH, out=out, **options)
    CALLS.clear()
    run(GRAPH, {"n": 2}, out=out, resume=True, **options)
    assert CALLS == ["see"]
    return VALUES["seen"]


ARRAYS = {
    "matrix": np.arange(6.0).reshape(2, 3),
    "no dimension": np.array(3),
    "text": np.array(["a", "bc"]),
    "structured": np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    "number": np.float32(1.5),
    "truth": np.bool_(True),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name: str, tmp_path: Path) -> None:
    """Dtype, shape and class stay, numbers of NumPy included."""
    value, found = ARRAYS[name], kept(ARRAYS[name], tmp_path)
    assert type(found) is type(value)
    assert (found.dtype, found.shape) == (value.dtype, value.shape)
    assert np.array_equal(found, value)


def test_data_frames(tmp_path: Path) -> None:
    """With index and types of columns."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.to_datetime(["2020-01-01", "2021-01-01"])}, [3, 4])
    pd.testing.assert_frame_equal(kept(frame, tmp_path), frame)


PLAIN = {
    "nested": {"list": [1, None, 2.5, True], "tuple": ("a", (b"bytes", [])), "dict": {}},
    "large bytes": bytes(range(256)) * 512,
    "with the words of the format": {"dict": {"list": [1]}, "file": "x", "scalar": False},
    "not a number": [float("inf"), -0.0],
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_data(name: str, tmp_path: Path) -> None:
    """Tuples stay tuples, bytes stay bytes."""
    found = kept(PLAIN[name], tmp_path)
    assert repr(found) == repr(PLAIN[name])


def test_arrays_inside_plain_data(tmp_path: Path) -> None:
    """As deep as they are."""
    found = kept({"parts": [(np.zeros(2), "a")]}, tmp_path)
    assert np.array_equal(found["parts"][0][0], np.zeros(2))
    assert found["parts"][0][1] == "a"


def test_pickle_only_if_the_caller_says_so(tmp_path: Path) -> None:
    """Without, nothing is pickled and the step runs again; what was pickled is not read without being asked."""
    assert kept(Opaque(), tmp_path / "yes", allow_pickle=True) == Opaque()
    planned = plan(GRAPH, {"n": 3}, out=tmp_path / "yes", resume=True)
    assert [(step.name, step.action) for step in planned.steps] == [("made", "run"), ("seen", "run")]
    assert planned.steps[0].reason == "the step 'seen' needs its output, which could not be kept"
    run(GRAPH, out=tmp_path / "no")
    assert not [*(tmp_path / "no").rglob("*.pickle")]
    run(GRAPH, {"n": 2}, out=tmp_path / "no", resume=True)
    assert CALLS[-2:] == ["make", "see"]


def test_an_object_array_is_not_pickled_by_accident(tmp_path: Path) -> None:
    """Its bytes would be a pickle."""
    VALUES["value"] = np.array([Opaque()], dtype=object)
    run(GRAPH, out=tmp_path)
    assert [step.action for step in plan(GRAPH, {"n": 2}, out=tmp_path, resume=True).steps] == ["run", "run"]


def test_an_instance_of_a_model_type(site: FakeSite, tmp_path: Path) -> None:
    """What ``aimm.fit`` returned is kept as a verified model file, by its own plugin."""
    site.add("dist-forest", "1.0", {"aimm.models": {"forest": "forests:Forest"}}, {"forests": class_source()})
    plugins.initialize({"names": []})
    graph = {
        "parameters": {"n": 1},
        "graph": {
            "new": {"aimm.instantiate": {"model_type": "forest", "n": 4}},
            "fitted": {"aimm.fit": ["forest", "$new", [1, 2]]},
            "predicted": {"aimm.predict": ["forest", "$fitted", "$n"]},
        },
    }
    first = run(graph, out=tmp_path)
    again = run(graph, {"n": 2}, out=tmp_path, resume=True)
    assert [step.action for step in again.steps] == ["reuse", "reuse", "run"]
    assert (first["predicted"], again["predicted"]) == (("Forest", 1), ("Forest", 2))
    assert vars(again["fitted"]) == vars(first["fitted"])
    assert len([*(tmp_path / ".aimm").rglob("*.aimm")]) == 2


def test_a_kept_file_that_was_altered_is_refused(tmp_path: Path) -> None:
    """Its digest is checked before anything is read."""
    VALUES["value"] = np.arange(3)
    run(GRAPH, out=tmp_path)
    file = next((tmp_path / ".aimm").rglob("*.npy"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError, match=r"was altered|digest"):
        run(GRAPH, {"n": 2}, out=tmp_path, resume=True)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 3}', b"\xff", b"[" * 9000])
def test_damaged_notes_count_as_none(content: bytes, tmp_path: Path) -> None:
    """A step whose note cannot be read is run again."""
    VALUES["value"] = 1
    run(GRAPH, out=tmp_path)
    for note in (tmp_path / ".aimm").rglob("step.json"):
        note.write_bytes(content)
    CALLS.clear()
    run(GRAPH, out=tmp_path, resume=True)
    assert CALLS == ["make", "see"]


def test_a_copied_folder_still_counts(tmp_path: Path) -> None:
    """Nothing in it depends on where it stands."""
    VALUES["value"] = np.arange(3)
    run(GRAPH, out=tmp_path / "a")
    shutil.move(tmp_path / "a", tmp_path / "b")
    CALLS.clear()
    run(GRAPH, {"n": 2}, out=tmp_path / "b", resume=True)
    assert CALLS == ["see"]


SOURCE = "from aimm.tasks import register\n\n@register\ndef one(n: int) -> int:\n    return n + {}\n"


def steps_of(out: Path, **given: Any) -> list[str]:
    """What a run with a fresh manager does with each step."""
    manager = PluginManager()
    manager.initialize({"names": []})
    graph = {"parameters": {"n": 1}, "graph": {"s": {"counting.one": "$n"}, "t": {"counting.one": "$s"}}}
    planned = plan(graph, given, out=out, resume=True, manager=manager)
    run(graph, given, out=out, resume=True, manager=manager)
    return [step.action for step in planned.steps]


def test_a_new_version_of_the_plugin(site: FakeSite, tmp_path: Path) -> None:
    """The same code under another version is run again, and so is what comes from it."""
    group = {"aimm.tasks": {"counting": "counting_a"}}
    site.add("dist-counting", "1.0", group, {"counting_a": SOURCE.format(1)})
    assert steps_of(tmp_path) == ["run", "run"]
    assert steps_of(tmp_path) == ["reuse", "reuse"]
    site.remove("dist-counting", "1.0")
    site.add("dist-counting", "2.0", group, {})
    assert steps_of(tmp_path) == ["run", "run"]


def test_code_that_was_edited_in_place(site: FakeSite, tmp_path: Path) -> None:
    """The version says nothing then; the files do."""
    site.add("dist-counting", "1.0", {"aimm.tasks": {"counting": "counting_b"}}, {"counting_b": SOURCE.format(1)})
    assert steps_of(tmp_path) == ["run", "run"]
    (site.path / "counting_b.py").write_text(SOURCE.format("1  # the same"))
    assert steps_of(tmp_path) == ["run", "run"]
    assert steps_of(tmp_path) == ["reuse", "reuse"]


@pytest.mark.parametrize("edited", ["inner/deep/help.py", "outer.py", "inner/deep/new.py"])
def test_code_of_the_package_that_was_edited_in_place(site: FakeSite, tmp_path: Path, edited: str) -> None:
    """All of the task's package counts, above and below the task's own folder; nothing of other packages does."""
    name = f"counting_{Path(edited).stem}"
    files = {"__init__": "", "outer": "", "inner/__init__": "", "inner/work": SOURCE.format(1)}
    files |= {"inner/deep/__init__": "", "inner/deep/help": ""}
    for file, text in files.items():
        path = site.path / name / f"{file}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    site.add("dist-counting", "1.0", {"aimm.tasks": {"counting": f"{name}.inner.work"}}, {})
    manager = PluginManager()
    manager.initialize({"names": []})
    graph = {"graph": {"s": {f"{name}.inner.work.one": 1}}}
    out = tmp_path / "out"
    run(graph, out=out, manager=manager)
    (site.path / "other_package").mkdir()
    (site.path / "other_package" / "x.py").write_text("")
    assert plan(graph, out=out, resume=True, manager=manager).steps[0].action == "reuse"
    (site.path / name / edited).write_text("changed = True\n")
    assert plan(graph, out=out, resume=True, manager=manager).steps[0].action == "run"


def test_parameters_that_change_a_part(tmp_path: Path) -> None:
    """Arrays and frames given as parameters count by their content."""
    graph = {"parameters": {"data": {"type": "any"}}, "graph": {"seen": {"see": ["$data", 1]}}}
    run(graph, {"data": np.arange(3)}, out=tmp_path)
    assert plan(graph, {"data": np.arange(3)}, out=tmp_path, resume=True).steps[0].action == "reuse"
    assert plan(graph, {"data": np.arange(4)}, out=tmp_path, resume=True).steps[0].action == "run"


def test_an_artifact_input_that_changed(tmp_path: Path) -> None:
    """It counts by its content, not by its date."""
    file = tmp_path / "in.json"
    graph = {"artifact_inputs": {"data": {"data": "any"}}, "graph": {"seen": {"see": ["$data", 1]}}}
    file.write_text("[1]")
    run(graph, artifacts={"data": file}, out=tmp_path / "out")
    file.write_text("[1]")
    assert plan(graph, None, {"data": file}, out=tmp_path / "out", resume=True).steps[0].action == "reuse"
    file.write_text("[2]")
    assert plan(graph, None, {"data": file}, out=tmp_path / "out", resume=True).steps[0].action == "run"


def test_a_run_that_fails_keeps_what_was_done(tmp_path: Path) -> None:
    """Steps before the failure are not run again; without checkpoints nothing is kept."""

    @register
    def fail(value: Any) -> None:
        CALLS.append("fail")
        raise OSError("disk")

    VALUES["value"] = 1
    graph = {"graph": {"made": {"make": []}, "bad": {"fail": "$made"}}}
    for _ in range(2):
        with pytest.raises(StepError, match="OSError: disk"):
            run(graph, out=tmp_path / "a", resume=True)
    assert CALLS == ["make", "fail", "fail"]
    run({"graph": {"made": {"make": []}}}, out=tmp_path / "b", checkpoints=False)
    assert not (tmp_path / "b").exists()


def test_the_notes_hold_no_values_of_parameters(tmp_path: Path) -> None:
    """Parameters may be secrets: only their digests are written."""
    VALUES["value"] = 1
    run(GRAPH, {"n": 123456789}, out=tmp_path)
    notes = [json.loads(path.read_text()) for path in (tmp_path / ".aimm").rglob("*.json")]
    assert "123456789" not in json.dumps(notes)
