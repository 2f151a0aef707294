import json
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from aimm import store
from aimm.store import _disk
from support import FakeSite, class_source
from terminal import Cli

FIT = ("fit", "threshold", "--data", "numbers")


@pytest.mark.usefixtures("shop")
def test_fit_writes_a_model_file(aimm: Cli) -> None:
    """The file holds the fitted model; the message on stderr says what was written, stdout stays empty."""
    code, out, err = aimm(*FIT, "-o", "m.aimm")
    assert (code, out) == (0, "")
    header = store.read_header("m.aimm")
    assert (header.model_type, header.distribution, header.version) == ("threshold", "shop", "1.2")
    assert err == f"wrote m.aimm: threshold, {header.length} bytes, sha256 {header.sha256[:12]}...\n"


@pytest.mark.usefixtures("shop")
def test_a_file_is_no_name_of_data(aimm: Cli) -> None:
    """Who gives a file for the name is told where files go; who misspells a name is not."""
    Path("my table.csv").write_text("a,b\n1,2\n")
    code, _, err = aimm("fit", "threshold", "--data", "my table.csv", "-o", "m.aimm")
    assert code == 1
    assert "no plugin for data_access of 'my table.csv'" in err
    assert "that is a file: --data takes the name of what reads it, as in --data-param 'path=my table.csv'\n" in err
    assert "that is a file" not in aimm("fit", "threshold", "--data", "nombers", "-o", "m.aimm").err


@pytest.mark.usefixtures("shop")
def test_fit_as_json_prints_the_header(aimm: Cli) -> None:
    """--json gives scripts the whole header."""
    header = json.loads(aimm(*FIT, "-o", "m.aimm", "--json").out)
    assert header == store.read_header("m.aimm")._asdict()


def test_predict_prints_csv(aimm: Cli, fitted: Path) -> None:
    """A heading and one prediction on each line."""
    code, out, err = aimm("predict", fitted, "--data", "numbers")
    assert (code, out, err) == (0, "prediction\n0\n0\n0\n1\n1\n1\n", "")


def test_predict_prints_json(aimm: Cli, fitted: Path) -> None:
    """--json gives the predictions themselves."""
    assert json.loads(aimm("predict", fitted, "--data", "numbers", "--json").out) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("name", ["out.csv", "out.json"])
def test_predict_writes_a_file(aimm: Cli, fitted: Path, name: str) -> None:
    """The ending decides; the message goes to stderr."""
    code, out, err = aimm("predict", fitted, "--data", "numbers", "-o", name)
    assert (code, out) == (0, "")
    assert err == f"wrote {name}: 6 predictions\n"
    assert "0" in Path(name).read_text()


def test_predict_in_a_new_process(process: Cli, shop: FakeSite, tmp_path: Path) -> None:
    """A model fitted by one process predicts in another."""
    assert process(*FIT, "-o", tmp_path / "m.aimm").code == 0
    done = process("predict", tmp_path / "m.aimm", "--data", "numbers", "--score", "-o", tmp_path / "out.csv")
    assert (done.code, done.out) == (0, "accuracy 1.0000 (6 of 6)\n")


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ([], 3.5),
        (["--fit-param", "shift=1"], 4.5),
        (["--split", "train"], 3.0),
        (["--split", "test"], 4.0),
        (["--seed", "6"], 4.5),
        (["--data-param", "seed=6"], 4.5),
        (["--data-param", 'split="train"'], 3.0),
        (["--split", "test", "--seed", "3", "--fit-param", "shift=0.5"], 5.5),
    ],
)
@pytest.mark.usefixtures("shop")
def test_options_reach_data_access_and_fit(aimm: Cli, options: list[str], at: float) -> None:
    """--split, --seed and --data-param go to the data access, --fit-param to fit."""
    assert aimm(*FIT, *options, "-o", "m.aimm").code == 0
    assert _state("m.aimm")[0] == at


@pytest.mark.usefixtures("shop")
def test_params_reach_instantiate(aimm: Cli) -> None:
    """--param goes to the constructor, JSON or text."""
    assert aimm(*FIT, "--param", "at=9", "--param", "note=just text", "-o", "m.aimm").code == 0
    assert _state("m.aimm")[1] == "just text"


def test_predict_params_reach_predict(aimm: Cli, fitted: Path) -> None:
    """--predict-param goes to predict."""
    out = aimm("predict", fitted, "--data", "numbers", "--predict-param", "shape=rows", "--split", "train").out
    assert out == "prediction_0,prediction_1\n1.0,0\n3.0,0\n5.0,1\n"


def _state(file: str | Path) -> list[object]:
    content = Path(file).read_bytes()
    state: list[object] = json.loads(content[-store.read_header(file).length :])
    return state


@pytest.mark.parametrize(
    ("data", "options", "at"), [("pairs", [], 2.0), ("pairs", ["--data-param", "count=4"], 4.0), ("plain", [], 2.0)]
)
@pytest.mark.usefixtures("shop")
def test_every_shape_of_data_serves_fit_and_predict(aimm: Cli, data: str, options: list[str], at: float) -> None:
    """A tuple goes by position, anything else as the one argument."""
    assert aimm("fit", "threshold", "--data", data, *options, "-o", "m.aimm").code == 0
    assert _state("m.aimm")[0] == at
    assert aimm("predict", "m.aimm", "--data", data, *options).out.startswith("prediction\n0\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--param", "C"], "--param 'C': expected key=value"),
        (["--param", "C=1", "--param", "C=2"], "--param 'C' is given twice"),
        (["--fit-param", "=1"], "--fit-param '=1': expected key=value"),
        (["--data-param", "a-b=1"], "--data-param 'a-b=1': expected key=value"),
        (["--split", "train", "--data-param", "split=test"], "'split' is given by --split and by --data-param"),
        (["--data-param", "state_cb=1"], "--data-param state_cb=...: a data access cannot take an argument of this"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_wrong_options_of_fit(aimm: Cli, options: list[str], message: str) -> None:
    """Exit code 2, usage and the message, and no file."""
    code, out, err = aimm(*FIT, *options, "-o", "m.aimm")
    assert (code, out) == (2, "")
    assert "Usage: aimm fit" in err
    assert message in err
    assert not Path("m.aimm").exists()


@pytest.mark.parametrize("option", ["--split=train", "--seed=0"])
@pytest.mark.usefixtures("shop")
def test_split_and_seed_are_refused_where_nobody_takes_them(aimm: Cli, option: str) -> None:
    """A data access without parts is not silently used whole."""
    code, _, err = aimm("fit", "threshold", "--data", "pairs", option, "-o", "m.aimm")
    assert code == 2
    assert "data access 'pairs' takes no" in err
    assert "it takes count" in err


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("missing/m.aimm", "does not exist"),
        ("", "--output is empty: expected a file name"),
        (".", "is a directory"),
    ],
)
def test_the_output_is_checked_before_anything_runs(aimm: Cli, site: FakeSite, output: str, message: str) -> None:
    """A wrong -o is found before a plugin is imported, not after an hour of fitting."""
    site.add("bomb", entry_points={"aimm.models": {"threshold": "bomb:B"}}, modules={"bomb": "import os\nos._exit(9)"})
    code, _, err = aimm(*FIT, "-o", output)
    assert code == 2
    assert message in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.usefixtures("shop")
def test_a_folder_without_permission_is_found_early(aimm: Cli, tmp_path: Path) -> None:
    """A folder that cannot be written to is wrong usage."""
    (tmp_path / "locked").mkdir(mode=0o500)
    code, _, err = aimm(*FIT, "-o", tmp_path / "locked" / "m.aimm")
    assert code == 2
    assert "cannot be written to" in err


@pytest.mark.parametrize(("output", "message"), [("out.txt", "ends in .csv or .json"), ("no/out.csv", "not exist")])
def test_the_output_of_predict_is_checked_first(aimm: Cli, fitted: Path, output: str, message: str) -> None:
    """A name without a known ending, or in no folder, is wrong usage."""
    code, out, err = aimm("predict", fitted, "--data", "numbers", "-o", output)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "treshold", "--data", "numbers", "-o", "m.aimm"], "did you mean 'threshold'?"),
        (["fit", "threshold", "--data", "number", "-o", "m.aimm"], "did you mean 'numbers'?"),
        (["fit", "Threshold", "--data", "numbers", "-o", "m.aimm"], "did you mean 'threshold'?"),
        (
            ["fit", "threshold", "--data", "numbers", "--param", "C=1", "-o", "m.aimm"],
            "unexpected keyword argument 'C'",
        ),
        (["fit", "threshold", "--data", "numbers", "--fit-param", "e=1", "-o", "m.aimm"], "argument 'e'"),
        (["fit", "threshold", "--data", "numbers", "--data-param", "n=1", "-o", "m.aimm"], "argument 'n'"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_names_and_arguments_that_nobody_knows(aimm: Cli, arguments: list[str], message: str) -> None:
    """Exit code 1, the message of whoever refused it, and whose plugin that was."""
    code, out, err = aimm(*arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert not Path("m.aimm").exists()


def test_predicting_leaves_the_file_alone(aimm: Cli, fitted: Path) -> None:
    """Without --update an instance that changed by predicting is forgotten."""
    before = fitted.read_bytes()
    assert aimm("predict", fitted, "--data", "numbers").code == 0
    assert fitted.read_bytes() == before


@pytest.mark.parametrize("stored", [False, True], ids=["file", "stored"])
def test_a_model_file_is_read_once(aimm: Cli, fitted: Path, monkeypatch: pytest.MonkeyPatch, stored: bool) -> None:
    """What was verified is what is loaded: nobody can exchange the file in between."""
    assert aimm("models", "save", "kept", fitted, "--store", "models").code == 0
    monkeypatch.setenv("AIMM_STORE", "models")
    opened, real = [], _disk.open_file

    def open_file(path: str) -> BinaryIO:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(_disk, "open_file", open_file)
    assert aimm("predict", "kept" if stored else fitted, "--data", "numbers").code == 0
    assert len(opened) == 1


def test_update_writes_the_instance_back(aimm: Cli, fitted: Path) -> None:
    """With --update the file holds the instance after predicting."""
    for count in (1, 2):
        assert aimm("predict", fitted, "--data", "numbers", "--update").code == 0
        assert _state(fitted)[2] == count


def test_score_with_csv_on_stdout(aimm: Cli, fitted: Path) -> None:
    """The predictions stay parseable, the score goes to stderr."""
    code, out, err = aimm("predict", fitted, "--data", "numbers", "--split", "test", "--score")
    assert (code, out, err) == (0, "prediction\n0\n1\n1\n", "accuracy 1.0000 (3 of 3)\n")


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ([], "all rows"),
        (["--seed", "3"], "all rows"),
        (["--split", "train"], "the rows of --split train"),
        (["--data-param", "split=train"], "the rows of --split train"),
        (["--data-param", "split=test"], None),
        (["--split", "test"], None),
    ],
)
def test_a_score_on_rows_that_fit_may_have_seen_is_told(
    aimm: Cli, fitted: Path, options: list[str], rows: str | None
) -> None:
    """Where the data have parts, stderr says that only --split test scores rows that were left out."""
    done = aimm("predict", fitted, "--data", "numbers", *options, "--score", "-o", "p.csv")
    told = f"this scores {rows}, which fit may have seen; the rest: --split test, with the seed of fit\n"
    assert (done.code, done.err) == (0, ("" if rows is None else told) + f"wrote p.csv: {_rows('p.csv')} predictions\n")


def _rows(file: str) -> int:
    return len(Path(file).read_text().splitlines()) - 1


def test_data_without_parts_are_scored_without_a_word(aimm: Cli, fitted: Path) -> None:
    """Nothing is said of a split that the data access does not take."""
    assert aimm("predict", fitted, "--data", "pairs", "--score", "-o", "p.csv").err == "wrote p.csv: 2 predictions\n"


@pytest.mark.usefixtures("shop")
def test_fit_to_a_part_with_a_seed_says_how_to_get_the_rest(aimm: Cli) -> None:
    """The model file does not know the seed, without which predict would draw the rows another way."""
    err = aimm(*FIT, "--split", "train", "--seed", "0", "-o", "m.aimm").err
    told = "the rows left out: --split test --seed 0; with another seed, some of them were in this fit"
    assert err.splitlines()[1:] == [told]


def test_score_as_json(aimm: Cli, fitted: Path) -> None:
    """One document with predictions and score."""
    shown = json.loads(aimm("predict", fitted, "--data", "pairs", "--data-param", "count=4", "--score", "--json").out)
    assert shown == {"predictions": [0, 0, 1, 1], "accuracy": 0.75, "right": 3, "count": 4}


def test_a_score_without_truth_is_refused_before_predicting(aimm: Cli, fitted: Path) -> None:
    """Data without y: exit code 1, nothing printed, nothing updated."""
    before = fitted.read_bytes()
    code, out, err = aimm("predict", fitted, "--data", "plain", "--score", "--update")
    assert (code, out) == (1, "")
    assert err.startswith("aimm: --score needs data with a 'y'")
    assert fitted.read_bytes() == before


def _flip(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: b"", "it is empty, not a model file"),
        (lambda content: b"PK\x03\x04" * 50, "it is not a model file of aimm"),
        (lambda content: content[:-1], "its payload should have"),
        (lambda content: content + b"x", "its payload should have"),
        (lambda content: content[:60], "its header is cut short or was altered"),
        (lambda content: _flip(content, 60), "its signature was altered"),
        (lambda content: _flip(content, 90), "its header is cut short or was altered"),
        (lambda content: _flip(content, -1), "its payload was altered"),
        (lambda content: content.replace(b"\r\n", b"\n"), "text-mode copy"),
        (lambda content: _flip(content, 9), "format version 3"),
    ],
)
def test_a_damaged_file_is_refused_before_any_import(
    process: Cli, shop: FakeSite, tmp_path: Path, damage: object, message: str
) -> None:
    """Exit code 1 and what is wrong, though every plugin, hook plugins too, would end the process at import."""
    file = tmp_path / "m.aimm"
    assert process(*FIT, "-o", file).code == 0
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    points = {"aimm.plugins": {"bomb": "bomb"}, "aimm.models": {"other": "bomb:B"}}
    shop.add("bomb", entry_points=points, modules={"bomb": "import os\nos._exit(9)"})
    code, out, err = process("predict", file, "--data", "numbers")
    assert (code, out) == (1, "")
    assert err.startswith(f"aimm: {file}: ")
    assert message in err


def test_a_file_of_a_missing_plugin_says_what_to_install(aimm: Cli, fitted: Path, shop: FakeSite) -> None:
    """The header knows which distribution wrote the file."""
    shop.remove("shop", "1.2")
    code, out, err = aimm("predict", fitted, "--data", "numbers")
    assert (code, out) == (1, "")
    assert f"{fitted} was written by shop 1.2; pip install shop==1.2" in err


OWNER = """
    from aimm import plugins

    @plugins.hookimpl
    def model_types(): return ["owned"]
    @plugins.hookimpl
    def instantiate(kwargs): return [kwargs]
    @plugins.hookimpl
    def fit(instance, args, kwargs): return [*instance, args, kwargs]
    @plugins.hookimpl
    def predict(instance, args, kwargs): return [str(args), str(sorted(kwargs))]
    @plugins.hookimpl
    def serialize(instance): return repr(instance).encode()
    @plugins.hookimpl
    def deserialize(instance_bytes): return []
"""
PARAMETERS = """
    @plugins.hookimpl
    def parameters(model_type, action): return ["y", "names"] if action == "fit" else ["names"]
"""


@pytest.mark.parametrize(
    ("hook", "fitted_with", "predicted_with"),
    [
        (PARAMETERS, "'names', 'y'", "['names']"),
        ("", "'X', 'names', 'y'", "['X']"),
    ],
)
def test_the_parameters_hook_decides_what_an_action_gets(
    aimm: Cli, shop: FakeSite, hook: str, fitted_with: str, predicted_with: str
) -> None:
    """An owner that says which arguments it takes gets those; without it fit gets all and predict gets X."""
    shop.add("owning", entry_points={"aimm.plugins": {"owning": "owning"}}, modules={"owning": OWNER + hook})
    assert aimm("fit", "owned", "--data", "numbers", "-o", "m.aimm", "--param", "a=1").code == 0
    *_, kwargs = eval(Path("m.aimm").read_bytes()[-store.read_header("m.aimm").length :])
    assert str(sorted(kwargs))[1:-1] == fitted_with
    assert json.loads(aimm("predict", "m.aimm", "--data", "numbers", "--json").out) == ["()", predicted_with]


def test_data_that_fits_nothing_is_wrong_usage(aimm: Cli, shop: FakeSite) -> None:
    """The message lists what the data has and what the action takes."""
    source = "def table(): return {'rows': 1}"
    shop.add("table", entry_points={"aimm.data_access": {"table": "table_data:table"}}, modules={"table_data": source})
    code, _, err = aimm("fit", "threshold", "--data", "table", "-o", "m.aimm")
    assert code == 2
    assert "the data has rows, but fit takes X, y, shift" in err


def test_a_contested_type_is_settled_by_the_configuration(aimm: Cli, shop: FakeSite, tmp_path: Path) -> None:
    """The error gives the line to put into the configuration, and with it the command works."""
    rival = class_source("Threshold").replace("y=None, ", "y=None, names=None, ")
    shop.add("rival", "3.0", {"aimm.models": {"threshold": "rival_models:Threshold"}}, {"rival_models": rival})
    code, _, err = aimm(*FIT, "-o", "m.aimm")
    assert code == 1
    line = err.partition("put '")[2].partition("'")[0]
    assert line == "prefer: {threshold: rival}"
    (tmp_path / "conf.yaml").write_text(f"names: []\n{line}\n")
    assert aimm("--config", tmp_path / "conf.yaml", *FIT, "-o", "m.aimm").code == 0
    assert store.read_header("m.aimm").distribution == "rival"
