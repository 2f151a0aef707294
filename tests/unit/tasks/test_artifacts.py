"""Artifacts: names, atomicity, the manifest, handlers of plugins and the built-in ones."""

import gc
import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from aimm import plugins, tasks
from aimm.errors import ArtifactError, DeclarationError, PluginExitError, PluginNotFoundError, TaskConflictError
from aimm.tasks import _artifacts
from aimm.tasks._records import HandlerRecord
from support import FakeSite, class_source

Make = Callable[..., str]

HANDLER = """
import sys
from pathlib import Path
from typing import Any
from aimm.tasks import ArtifactTaskInterface

class WordsArtifactTask(ArtifactTaskInterface):
    @staticmethod
    def serialize(working_dir: Path, name: str, contents: str, mode: str = "good", *, tag: str = "", **kwargs) -> Path:
        path = working_dir / f"{name}.txt"
        path.write_text(str(contents))
        if mode == "folder":
            folder = working_dir / name
            folder.mkdir()
            path.rename(folder / "words.txt")
            return folder
        if mode == "link":
            folder = working_dir / name
            folder.mkdir()
            (folder / "away").symlink_to("/etc")
            return folder
        if mode == "raise":
            raise ValueError("disk on fire")
        if mode == "exit":
            sys.exit(3)
        return {"good": path, "str": str(path), "relative": path.name, "none": None, "itself": working_dir,
                "outside": "/etc/hostname", "up": "../x", "missing": working_dir / "never.txt"}[mode]

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs) -> str:
        assert isinstance(path, str)
        found = Path(working_dir, path)
        return (found / "words.txt" if found.is_dir() else found).read_text()

    @staticmethod
    def validation() -> dict[str, Any] | None:
        return {"mode": {"type": "string"}, "tag": {"type": "string"}}
"""


@pytest.fixture
def words(make_module: Make) -> HandlerRecord:
    """A handler that misbehaves as its argument ``mode`` says."""
    importlib.import_module(make_module(HANDLER))
    return tasks.find_handler("WordsArtifactTask")


def test_a_round_trip(tmp_path: Path, words: HandlerRecord) -> None:
    """What is saved is found in the manifest with its digest, type and handler, and read back."""
    info = tasks.save_artifact(tmp_path / "out", "greeting", "hello", words)
    assert (info.name, info.path, info.is_folder, info.size, info.type) == (
        "greeting",
        "greeting.txt",
        False,
        5,
        "string",
    )
    assert info.handler == words.name
    assert tasks.read_artifacts(tmp_path / "out") == {"greeting": info}
    assert tasks.load_artifact(tmp_path / "out", info, words) == "hello"
    assert tasks.load_artifact(tmp_path / "out", "greeting.txt", words) == "hello"


def test_the_manifest_names_plugin_and_version(tmp_path: Path, site: FakeSite) -> None:
    """Whoever reads an artifact later knows what wrote it."""
    site.add("dist-words", "2.5", {"aimm.tasks": {"words": "words_tasks"}}, {"words_tasks": HANDLER})
    plugins.initialize()
    tasks.save_artifact(tmp_path / "out", "a", "x", tasks.find_handler("WordsArtifactTask"))
    (entry,) = json.loads((tmp_path / "out" / "artifacts.json").read_text())["artifacts"]
    assert (entry["plugin"], entry["distribution"], entry["version"]) == ("words", "dist-words", "2.5")


@pytest.mark.usefixtures("tmp_path")
def test_a_relative_folder(words: HandlerRecord) -> None:
    """It starts at the working directory, for writing and for reading."""
    info = tasks.save_artifact("out", "a", "x", words)
    assert tasks.load_artifact("out", info, words) == "x"
    assert tasks.load_artifact("out", Path("a.txt"), words) == "x"


@pytest.mark.parametrize("mode", ["str", "relative"])
def test_the_path_may_be_text_or_relative(tmp_path: Path, words: HandlerRecord, mode: str) -> None:
    """What matters is that it lies in the folder."""
    assert tasks.save_artifact(tmp_path / "out", "a", "x", words, {"mode": mode}).path == "a.txt"


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("none", "serialize must return the path of what it wrote, not NoneType"),
        ("itself", "leads out of the folder"),
        ("outside", "the path /etc/hostname leads out of the folder"),
        ("up", r"the path \.\./x leads out of the folder"),
        ("missing", "there is no file and no folder"),
        ("link", "the link away leads out of the artifact"),
    ],
)
def test_what_serialize_returns_is_checked(tmp_path: Path, words: HandlerRecord, mode: str, message: str) -> None:
    """It exists and lies in the working folder; nothing is left behind otherwise."""
    with pytest.raises(ArtifactError, match=message):
        tasks.save_artifact(tmp_path / "out", "a", "x", words, {"mode": mode})
    assert list((tmp_path / "out").iterdir()) == []


def test_a_failing_handler_leaves_what_was_there(tmp_path: Path, words: HandlerRecord) -> None:
    """Its exception passes as itself, with a note."""
    info = tasks.save_artifact(tmp_path / "out", "a", "old", words)
    with pytest.raises(ValueError, match="disk on fire") as caught:
        tasks.save_artifact(tmp_path / "out", "a", "new", words, {"mode": "raise"})
    assert "in serialize of the artifact 'a'" in caught.value.__notes__[0]
    assert tasks.load_artifact(tmp_path / "out", info, words) == "old"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "artifacts.json"]


def test_a_handler_cannot_end_the_host(tmp_path: Path, words: HandlerRecord) -> None:
    """``sys.exit`` becomes an error."""
    with pytest.raises(PluginExitError, match=r"sys\.exit\(3\)"):
        tasks.save_artifact(tmp_path / "out", "a", "x", words, {"mode": "exit"})


@pytest.mark.parametrize("modes", [("good", "good"), ("folder", "folder")])
def test_an_artifact_is_replaced(tmp_path: Path, words: HandlerRecord, modes: tuple[str, str]) -> None:
    """Files and folders alike; nothing else stays in the folder."""
    for content, mode in zip(("old", "new"), modes, strict=True):
        info = tasks.save_artifact(tmp_path / "out", "a", content, words, {"mode": mode})
    assert tasks.load_artifact(tmp_path / "out", info, words) == "new"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {info.path, "artifacts.json"}


def test_a_folder_comes_back_if_its_replacement_fails(
    tmp_path: Path, words: HandlerRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one gave way already when the rename failed."""
    info = tasks.save_artifact(tmp_path / "out", "a", "old", words, {"mode": "folder"})
    rename, calls = os.rename, []

    def failing(source: Any, target: Any) -> None:
        calls.append(source)
        if len(calls) == 2:
            raise OSError("no space left")
        rename(source, target)

    monkeypatch.setattr(_artifacts.os, "rename", failing)
    with pytest.raises(OSError, match="no space left"):
        tasks.save_artifact(tmp_path / "out", "a", "new", words, {"mode": "folder"})
    assert tasks.load_artifact(tmp_path / "out", info, words) == "old"


def test_two_artifacts_cannot_share_a_file(tmp_path: Path, words: HandlerRecord) -> None:
    """The second is refused, the first stays."""
    tasks.save_artifact(tmp_path / "out", "a.txt", "x", tasks.find_handler("aimm.StringArtifactTask"))
    with pytest.raises(ArtifactError, match=r"its file a\.txt is that of the artifact 'a\.txt': rename one"):
        tasks.save_artifact(tmp_path / "out", "a", "y", words)


def test_a_foreign_file_is_not_overwritten(tmp_path: Path, words: HandlerRecord) -> None:
    """What no artifact wrote belongs to somebody."""
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"a\.txt exists and is no artifact: remove it first"):
        tasks.save_artifact(tmp_path, "a", "y", words)
    assert (tmp_path / "a.txt").read_text() == "mine"


BAD_NAMES = [
    "",
    " ",
    "..",
    ".",
    "a/b",
    "../a",
    "/etc/x",
    "a\\b",
    "a\0b",
    "a\nb",
    ".hidden",
    "x" * 201,
    "artifacts.json",
]


@pytest.mark.parametrize("name", [*BAD_NAMES, 3], ids=repr)
def test_names_cannot_leave_the_folder(tmp_path: Path, words: HandlerRecord, name: Any) -> None:
    """Nothing is written for such a name."""
    with pytest.raises(ArtifactError, match="its name"):
        tasks.save_artifact(tmp_path / "out", name, "x", words)
    assert not (tmp_path / "out").exists()


@given(st.text(max_size=30))
def test_a_name_that_is_accepted_is_a_plain_file_name(name: str) -> None:
    """Whatever the characters, the file would lie directly in the folder."""
    try:
        _artifacts.check_name(name)
    except ArtifactError:
        return
    assert os.path.basename(os.path.normpath(os.path.join("/folder", name))) == name
    assert "\0" not in name


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"mode": 3}, r"args\.mode: 3 is not of type 'string' \(arguments: mode, tag\)"),
        ({"unknown": 3}, "'unknown' was unexpected"),
    ],
)
def test_wrong_and_unknown_arguments_are_refused(
    tmp_path: Path, words: HandlerRecord, args: dict[str, Any], message: str
) -> None:
    """Although ``serialize`` takes any keyword."""
    with pytest.raises(ArtifactError, match=message):
        tasks.save_artifact(tmp_path / "out", "a", "x", words, args)


def test_a_missing_argument_is_refused(tmp_path: Path) -> None:
    """``serialize`` has no default for it."""
    handler = tasks.find_handler("PickleArtifactTask")
    assert handler.schema["required"] == ["allow_pickle"]
    with pytest.raises(ArtifactError, match="'allow_pickle' is a required property"):
        tasks.save_artifact(tmp_path / "out", "a", "x", handler)


def test_an_altered_artifact_is_not_read(tmp_path: Path, words: HandlerRecord) -> None:
    """The digest in the manifest is checked first."""
    info = tasks.save_artifact(tmp_path, "a", "x", words)
    (tmp_path / "a.txt").write_text("y")
    with pytest.raises(ArtifactError, match=r"was altered: its digest is not the one in artifacts\.json"):
        tasks.load_artifact(tmp_path, info, words)


@pytest.mark.parametrize(
    ("path", "message"),
    [("../x", "leads out"), ("/etc/hostname", "leads out"), ("a\0b", "NUL"), ("never", "there is no file")],
)
def test_a_path_to_read_stays_in_the_folder(tmp_path: Path, words: HandlerRecord, path: str, message: str) -> None:
    """Whoever names it."""
    with pytest.raises(ArtifactError, match=message):
        tasks.load_artifact(tmp_path, path, words)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, words: HandlerRecord) -> None:
    """Nor is one inside a folder."""
    (tmp_path / "out").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "out" / "a.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(ArtifactError, match="leads out"):
        tasks.load_artifact(tmp_path / "out", "a.txt", words)


def test_a_damaged_manifest_is_said(tmp_path: Path, words: HandlerRecord) -> None:
    """It is not overwritten."""
    (tmp_path / "artifacts.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"artifacts\.json is damaged \(JSONDecodeError"):
        tasks.save_artifact(tmp_path, "a", "x", words)
    assert (tmp_path / "artifacts.json").read_text() == "{"


def test_an_incomplete_handler_is_refused(make_module: Make) -> None:
    """When its class is made, with the names of what it misses."""
    source = "from aimm.tasks import ArtifactTaskInterface\nclass Half(ArtifactTaskInterface{}):\n    pass\n"
    with pytest.raises(DeclarationError, match="Half does not define serialize, deserialize, validation"):
        importlib.import_module(make_module(source.format("")))
    importlib.import_module(make_module(source.format(", abstract=True")))
    assert not any(name.endswith("Half") for name in tasks.handlers())


def test_methods_must_be_static(make_module: Make) -> None:
    """Nobody makes an instance."""
    source = HANDLER.replace("    @staticmethod\n    def deserialize", "    def deserialize")
    with pytest.raises(DeclarationError, match=r"WordsArtifactTask\.deserialize must be a @staticmethod"):
        importlib.import_module(make_module(source))


def test_an_instance_cannot_be_made() -> None:
    """The interface is a real abstract class."""
    with pytest.raises(TypeError, match="abstract"):
        tasks.ArtifactTaskInterface()  # type: ignore[abstract]


@pytest.mark.parametrize(
    ("returned", "message"),
    [("['mode']", "must return a dict of arguments, or None"), ("{'mode': {'type': 3}}", "is no JSON Schema, at mode")],
)
def test_validation_must_give_schemas(make_module: Make, returned: str, message: str) -> None:
    """What it gives becomes part of the schema of graphs."""
    source = HANDLER.partition('        return {"mode": {"type"')[0] + f"        return {returned}\n"
    importlib.import_module(make_module(source))
    with pytest.raises(DeclarationError, match=message):
        tasks.find_handler("WordsArtifactTask")


def test_an_imported_handler_is_registered_once(make_module: Make) -> None:
    """A class belongs to the module that defines it."""
    name = make_module(HANDLER)
    importlib.import_module(make_module(f"from {name} import WordsArtifactTask\n"))
    assert tasks.find_handler("WordsArtifactTask").name == f"{name}.WordsArtifactTask"


def test_two_handlers_of_one_name(make_module: Make) -> None:
    """The full name settles it."""
    first, second = (importlib.import_module(make_module(HANDLER)).__name__ for _ in range(2))
    with pytest.raises(TaskConflictError, match="write the full name"):
        tasks.find_handler("WordsArtifactTask")
    assert tasks.find_handler(f"{first}.WordsArtifactTask").name != f"{second}.WordsArtifactTask"


def test_a_plugin_goes_before_a_built_in_handler(make_module: Make) -> None:
    """Of the same class name; the built-in one has a full name too."""
    name = importlib.import_module(make_module(HANDLER.replace("Words", "String"))).__name__
    assert tasks.find_handler("StringArtifactTask").name == f"{name}.StringArtifactTask"
    assert tasks.find_handler("aimm.StringArtifactTask").name == "aimm.StringArtifactTask"


ROUND_TRIPS: list[tuple[str, Any, dict[str, Any], str]] = [
    ("String", "zwei\r\nZeilen ü\n", {}, "v1.2.txt"),
    ("String", "# title", {"type": "md"}, "v1.2.md"),
    ("Bytes", b"\0\xff", {}, "v1.2.bin"),
    ("Json", {"a": [1, 2.5, None, True, "ü"]}, {}, "v1.2.json"),
    ("Pickle", {1, 2}, {"allow_pickle": True}, "v1.2.pickle"),
]


@pytest.mark.parametrize(("handler", "value", "args", "file"), ROUND_TRIPS, ids=str)
def test_built_in_handlers(tmp_path: Path, handler: str, value: Any, args: dict[str, Any], file: str) -> None:
    """What goes in comes out, and a dot in the name is no suffix."""
    record = tasks.find_handler(f"{handler}ArtifactTask")
    info = tasks.save_artifact(tmp_path, "v1.2", value, record, args)
    assert info.path == file
    back = tasks.load_artifact(tmp_path, info, record, {"allow_pickle": True} if handler == "Pickle" else None)
    assert back == value


def test_pickle_only_when_the_caller_opts_in(tmp_path: Path) -> None:
    """Also for reading; the file does not decide."""
    handler = tasks.find_handler("PickleArtifactTask")
    info = tasks.save_artifact(tmp_path, "a", {1}, handler, {"allow_pickle": True})
    with pytest.raises(ValueError, match="a pickle can run any code: give allow_pickle=True"):
        tasks.load_artifact(tmp_path, info, handler)


@pytest.mark.parametrize(
    ("handler", "value", "message"),
    [
        ("String", b"x", "expected text, not bytes"),
        ("Bytes", "x", "expected bytes, not str"),
        ("Json", {1: "x"}, "the keys of JSON are strings, not 1"),
        ("Json", [{"a": {2: 1}}], "the keys of JSON are strings, not 2"),
        ("Json", float("nan"), "not JSON compliant"),
        ("NumpyArray", np.array([object()]), "Object arrays cannot be saved when allow_pickle=False"),
        ("NumpyArrays", [np.array([object()])], "Object arrays cannot be saved when allow_pickle=False"),
    ],
)
def test_values_that_would_not_come_back_are_refused(tmp_path: Path, handler: str, value: Any, message: str) -> None:
    """Nothing is written."""
    with pytest.raises((TypeError, ValueError), match=message):
        tasks.save_artifact(tmp_path / "out", "a", value, tasks.find_handler(f"{handler}ArtifactTask"))
    assert list((tmp_path / "out").iterdir()) == []


def test_files_and_folders_are_copied(tmp_path: Path) -> None:
    """With the end of their names, and all that is in them."""
    (tmp_path / "made" / "deep").mkdir(parents=True)
    (tmp_path / "made" / "deep" / "x.csv").write_text("1,2\n")
    for handler, source in (("File", tmp_path / "made" / "deep" / "x.csv"), ("Directory", tmp_path / "made")):
        record = tasks.find_handler(f"{handler}ArtifactTask")
        info = tasks.save_artifact(tmp_path / "out", f"my {handler}", source, record)
        found = tasks.load_artifact(tmp_path / "out", info, record)
        assert (found / "deep" / "x.csv" if found.is_dir() else found).read_text() == "1,2\n"
    assert sorted(tasks.read_artifacts(tmp_path / "out")) == ["my Directory", "my File"]


def test_numpy_arrays(tmp_path: Path) -> None:
    """One; several by name, also one called ``file``; several in order."""
    one, many = tasks.find_handler("NumpyArrayArtifactTask"), tasks.find_handler("NumpyArraysArtifactTask")
    array = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(tasks.load_artifact(tmp_path, tasks.save_artifact(tmp_path, "a", array, one), one), array)
    named = {"file": array, "y": np.array(["b"])}
    back = tasks.load_artifact(tmp_path, tasks.save_artifact(tmp_path, "b", named, many), many)
    assert back.keys() == named.keys()
    assert all(np.array_equal(back[key], named[key]) for key in named)
    back = tasks.load_artifact(tmp_path, tasks.save_artifact(tmp_path, "c", [array], many), many)
    assert np.array_equal(back["arr_0"], array)


def test_data_frames(tmp_path: Path) -> None:
    """Parquet keeps types and index, CSV refuses an index."""
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    handler = tasks.find_handler("DataframeArtifactTask")
    plain = pd.DataFrame({"n": [1, 2], "t": ["a", "b"]})
    rich = pd.DataFrame({"when": pd.to_datetime(["2024-01-01", "2024-01-02"])}, index=["x", "y"])
    for name, frame, args in (("a", plain, {"format": "csv"}), ("b", plain, {}), ("c", rich, {"format": "parquet"})):
        info = tasks.save_artifact(tmp_path, name, frame, handler, args)
        pd.testing.assert_frame_equal(tasks.load_artifact(tmp_path, info, handler), frame)
    with pytest.raises(ValueError, match="CSV does not keep the index"):
        tasks.save_artifact(tmp_path, "d", rich, handler, {"format": "csv"})


def test_models(tmp_path: Path, site: FakeSite) -> None:
    """By the model file of the store."""
    site.add("dist-m", "1", {"aimm.models": {"forest": "forest_module:Forest"}}, {"forest_module": class_source()})
    plugins.initialize()
    handler = tasks.find_handler("ModelArtifactTask")
    info = tasks.save_artifact(
        tmp_path, "m", plugins.exec_instantiate("forest", None, 7), handler, {"model_type": "forest"}
    )
    assert info.path == "m.aimm"
    assert tasks.load_artifact(tmp_path, info, handler).n == 7


def test_models_of_a_manager(tmp_path: Path, site: FakeSite, manager: plugins.PluginManager) -> None:
    """The handler that a manager finds knows the model types of that one; that of another does not."""
    site.add("dist-m", "1", {"aimm.models": {"forest": "forest_module:Forest"}}, {"forest_module": class_source()})
    manager.initialize()
    handler = tasks.find_handler("ModelArtifactTask", manager=manager)
    model = manager.exec_instantiate("forest", None, 7)
    info = tasks.save_artifact(tmp_path, "m", model, handler, {"model_type": "forest"})
    assert tasks.load_artifact(tmp_path, info, handler).n == 7
    with pytest.raises(PluginNotFoundError, match="forest"):
        tasks.save_artifact(tmp_path, "n", model, tasks.find_handler("ModelArtifactTask"), {"model_type": "forest"})


def test_a_handler_outlives_no_manager(tmp_path: Path) -> None:
    """It does not keep it alive, and says that it is gone."""
    manager = plugins.PluginManager({"names": [], "entry_points": {"enabled": False}})
    handler = tasks.find_handler("ModelArtifactTask", manager=manager)
    del manager
    gc.collect()
    with pytest.raises(ReferenceError, match="the plugin manager of this task or artifact handler is gone"):
        tasks.save_artifact(tmp_path, "m", 1, handler, {"model_type": "forest"})


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the line that installs it."""
    from aimm.tasks._optional import optional

    with pytest.raises(ModuleNotFoundError, match=r'no_such_library is not installed: pip install "aimm-plugins\[x\]"'):
        optional("no_such_library", "x")


def test_an_error_inside_a_library_passes(make_module: Make) -> None:
    """A library that is there and does not work is another matter."""
    from aimm.tasks._optional import optional

    name = make_module("import no_such_library\n")
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_library'"):
        optional(name, "x")
