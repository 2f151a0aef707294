import json
import os
from pathlib import Path

import pytest

from aimm import store
from support import FakeSite
from terminal import Cli

BOMB = "import os\nos._exit(9)"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMM_STORE", str(tmp_path / "models"))


@pytest.fixture
def bomb(shop: FakeSite, fitted: Path) -> FakeSite:
    """The site, where from now on each plugin, hook plugins too, ends the process that imports it."""
    points = {"aimm.plugins": {"bomb": "bomb"}}
    shop.add("bomb", entry_points=points, modules={"bomb": BOMB, "shop_models": BOMB})
    return shop


def test_save_keeps_a_file(aimm: Cli, fitted: Path) -> None:
    """The version is told on stderr; --json prints it."""
    code, out, err = aimm("models", "save", "limits", fitted)
    assert (code, out) == (0, "")
    assert err.startswith("saved limits@1: threshold, ")
    done = aimm("models", "save", "limits", fitted, "--meta", "accuracy=0.9", "--meta", "data=spring", "--json")
    entry = json.loads(done.out)
    assert (entry["version"], entry["metadata"]) == (2, {"accuracy": 0.9, "data": "spring"})


def test_a_stored_model_predicts(aimm: Cli, fitted: Path) -> None:
    """By name, number and alias, as a file would."""
    aimm("models", "save", "limits", fitted, "--alias", "production")
    expected = aimm("predict", fitted, "--data", "numbers").out
    for model in ("limits", "limits@1", "limits@production"):
        assert aimm("predict", model, "--data", "numbers") == (0, expected, "")


def test_a_stored_model_is_not_updated(aimm: Cli, fitted: Path) -> None:
    """A version does not change."""
    aimm("models", "save", "limits", fitted)
    code, _, err = aimm("predict", "limits", "--data", "numbers", "--update")
    assert code == 2
    assert "--update writes to a model file; save a stored model as a new version instead" in err


def test_list_shows_what_is_stored(aimm: Cli, fitted: Path) -> None:
    """All, those of a model, of an alias, or with certain metadata."""
    for accuracy in (0.5, 0.9):
        aimm("models", "save", "limits", fitted, "--meta", f"accuracy={accuracy}")
    aimm("models", "save", "other", fitted, "--meta", "note=>5")
    aimm("models", "alias", "limits@1", "production")
    out = aimm("models", "list").out
    assert [line.split()[0] for line in out.splitlines()] == ["MODEL", "limits@1", "limits@2", "other@1"]
    assert out.splitlines()[1].split()[1:5] == ["production", "threshold", "shop", "1.2"]
    for options, expected in (
        (["limits"], [1, 2]),
        (["--where", "accuracy>=0.9"], [2]),
        (["--where", "accuracy < 0.9"], [1]),
        (["--where", "accuracy=null"], [1]),
        (["--where", 'note=">5"'], [1]),
        (["--alias", "production"], [1]),
        (["limits", "--alias", "latest"], [2]),
    ):
        listed = json.loads(aimm("models", "list", *options, "--json").out)
        assert [entry["version"] for entry in listed] == expected


def test_an_empty_list_says_where_it_looked(aimm: Cli, tmp_path: Path) -> None:
    """Nothing on stdout; the folder on stderr."""
    assert aimm("models", "list") == (0, "", f"no such model is stored in {tmp_path / 'models'}\n")
    other = tmp_path / "elsewhere"
    assert str(other) in aimm("models", "list", "--store", other).err


def test_show_reads_the_header_alone(process: Cli, bomb: FakeSite, fitted: Path) -> None:
    """Of a file and of a stored model; no plugin is imported."""
    shown = process("models", "show", fitted)
    assert shown.code == 0
    facts = dict(line.split(":", 1) for line in shown.out.splitlines())
    assert (facts["model_type"].strip(), facts["distribution"].strip(), facts["example"]) == ("threshold", "shop", "")
    assert json.loads(process("models", "show", fitted, "--json").out) == store.read_header(fitted)._asdict()
    assert process("models", "save", "limits", fitted, "--meta", "accuracy=0.9").code == 0
    stored = json.loads(process("models", "show", "limits@1", "--json").out)
    assert (stored["model"], stored["aliases"], stored["metadata"]) == ("limits@1", [], {"accuracy": 0.9})
    assert stored["sha256"] == store.read_header(fitted).sha256


def test_show_does_not_write_to_the_terminal_what_a_file_says(aimm: Cli, tmp_path: Path) -> None:
    """Files of the first format may hold control characters, which are shown as what they are."""
    golden = Path(__file__).parents[1] / "store" / "golden" / "format-1.aimm"
    import hashlib
    import struct

    content = golden.read_bytes()
    header = content[46:-15].replace(b'"python": "3.11.7"', b'"python": "\\u001b[2J"')
    prefix = struct.pack(">8sHI32s", content[:8], 1, len(header), hashlib.sha256(header).digest())
    (tmp_path / "old.aimm").write_bytes(prefix + header + content[-15:])
    out = aimm("models", "show", tmp_path / "old.aimm").out
    assert "\x1b" not in out
    assert r"'\x1b[2J'" in out


def test_fit_records_an_example_that_verify_replays(aimm: Cli, shop: FakeSite) -> None:
    """The first rows of the data, and what the model predicts for them."""
    assert aimm("fit", "threshold", "--data", "numbers", "--example", "2", "-o", "m.aimm").code == 0
    example = store.read_header("m.aimm").example
    assert example
    assert example["kwargs"]["X"] == [1.0, 2.0]
    assert aimm("models", "verify", "m.aimm") == (0, "m.aimm: ok (digests, example)\n", "")
    checked = json.loads(aimm("models", "verify", "m.aimm", "--no-replay", "--json").out)
    assert checked["checked"] == ["digests"]


def test_verify_finds_another_prediction(aimm: Cli, shop: FakeSite) -> None:
    """A plugin that predicts something else today is told, with both versions."""
    aimm("fit", "threshold", "--data", "numbers", "--example", "2", "-o", "m.aimm")
    source = (shop.path / "shop_models.py").read_text().replace("int(x > self.at)", "int(x <= self.at)")
    shop.remove("shop", "1.2")
    shop.add("shop", "1.3", {"aimm.models": {"threshold": "changed:Threshold"}}, {"changed": source})
    code, out, err = aimm("models", "verify", "m.aimm")
    assert (code, out) == (1, "")
    assert "warning: m.aimm: it was written by shop 1.2, installed is shop 1.3" in err
    assert "shop 1.3 on Python" in err.splitlines()[-1]


def test_verify_without_example_says_so(process: Cli, bomb: FakeSite, fitted: Path) -> None:
    """Digests are checked without any plugin, and what was not compared is told."""
    code, out, err = process("models", "verify", fitted)
    assert (code, out) == (0, f"{fitted}: ok (digests)\n")
    assert "it has no input example, so what it predicts was not compared" in err


def test_signatures_on_the_command_line(
    aimm: Cli, shop: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy that the environment names signs what fit writes, and decides what predict loads."""
    aimm("fit", "threshold", "--data", "numbers", "-o", "unsigned.aimm")
    (tmp_path / "ci.key").write_text("0123456789abcdef")
    (tmp_path / "policy.toml").write_text('require_signature = true\nsign_with = "ci"\nkeys.ci = "ci.key"\n')
    with monkeypatch.context() as patch:
        patch.setenv("AIMM_MODEL_POLICY", str(tmp_path / "policy.toml"))
        aimm("fit", "threshold", "--data", "numbers", "-o", "signed.aimm")
        assert aimm("models", "verify", "signed.aimm").out == "signed.aimm: ok (digests, signature)\n"
        for command in (["predict", "unsigned.aimm", "--data", "numbers"], ["models", "save", "a", "unsigned.aimm"]):
            code, _, err = aimm(*command)
            assert code == 1
            assert "unsigned.aimm: it is not signed, and the policy of this host requires a signature" in err
    assert "it is signed with key 'ci', which was not checked" in aimm("models", "verify", "signed.aimm").err
    monkeypatch.setenv("AIMM_MODEL_POLICY", "missing.toml")
    code, _, err = aimm("predict", "signed.aimm", "--data", "numbers")
    assert (code, "missing.toml: cannot be read" in err) == (2, True)


def test_alias_and_rm_and_gc(aimm: Cli, fitted: Path, tmp_path: Path) -> None:
    """An alias moves and goes; versions are forgotten, then their files."""
    for number in range(3):
        changed = tmp_path / f"{number}.aimm"
        aimm("fit", "threshold", "--data", "numbers", "--fit-param", f"shift={number}", "-o", changed)
        aimm("models", "save", "limits", changed)
    assert aimm("models", "alias", "limits", "production").err == "limits@production is version 3 now\n"
    assert aimm("models", "alias", "limits@1", "production", "--expect", "3").code == 0
    code, _, err = aimm("models", "alias", "limits@2", "production", "--expect", "3")
    assert (code, "limits@production is at version 1, not at 3 as expected" in err) == (1, True)
    assert aimm("models", "alias", "--remove", "limits", "production").code == 0
    assert aimm("models", "rm", "limits@2").err == "removed 1 version(s) of limits\n"
    assert json.loads(aimm("models", "gc", "--json").out) == {"files": 0, "bytes": 0}
    assert json.loads(aimm("models", "gc", "--grace", "0", "--json").out)["files"] == 1
    assert aimm("models", "rm", "limits", "--all").err == "removed 2 version(s) of limits\n"
    assert aimm("models", "gc", "--grace", "0").err.startswith("removed 2 file(s), ")
    assert os.listdir(tmp_path / "models" / "objects") == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["rm", "limits"], 2, "say which version, as in limits@3, or --all for every version of limits"),
        (["rm", "limits@1", "--all"], 2, "say which version"),
        (["rm", "limits@9"], 1, "limits has no version '9': it has 1, aliases: none"),
        (["alias", "--remove", "limits@1", "x"], 2, "--remove takes NAME and ALIAS alone"),
        (["alias", "limits", "latest"], 1, "'latest' cannot be an alias"),
        (["list", "--where", "accuracy"], 2, "--where 'accuracy': expected a key, one of = != < <= > >=, and a value"),
        (["list", "--where", "a => 0.9"], 2, "no operator '=>', only = != < <= > >=; did you mean '>='? (a text that"),
        (["list", "--where", "a=<0.9"], 2, "--where 'a=<0.9': there is no operator '=<', only"),
        (["list", "--where", "a==b"], 2, "did you mean '='?"),
        (["list", "--where", "a<>b"], 2, "did you mean '!='?"),
        (["list", "--where", "a=!b"], 2, "no operator '=!', only = != < <= > >= (a text that begins with such"),
        (["show", "limts"], 1, "no model is called 'limts'; did you mean 'limits'?"),
        (["verify", "missing.aimm"], 2, "File 'missing.aimm' does not exist, and no model is stored by this name in"),
        (["verify", "some/missing.aimm"], 2, "expected a model file, or NAME, NAME@VERSION, NAME@ALIAS"),
        (["verify", "limits@"], 2, "expected a model file, or NAME"),
        (["save", "a/b", "model.aimm"], 1, "'a/b' is not a model name"),
        (["save", "limits", "model.aimm", "--expect", "0"], 1, "limits is at version 1, not at 0 as expected"),
        (["save", "limits", "model.aimm", "--meta", "a=[1]"], 1, "expected a flat mapping"),
    ],
)
def test_what_cannot_be_done_is_explained(
    aimm: Cli, fitted: Path, arguments: list[str], code: int, message: str
) -> None:
    """Wrong usage is 2, what is not there 1."""
    aimm("models", "save", "limits", fitted)
    done = aimm("models", *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_names_are_completed(aimm: Cli, fitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names first, versions and aliases behind the @."""
    aimm("models", "save", "limits", fitted, "--alias", "production")
    for typed, expected in (("li", ["limits"]), ("limits@", ["limits@1", "limits@production"]), ("x", [])):
        with monkeypatch.context() as patch:
            patch.setenv("_AIMM_COMPLETE", "bash_complete")
            patch.setenv("COMP_WORDS", f"aimm predict {typed}")
            patch.setenv("COMP_CWORD", "2")
            assert [line.partition(",")[2] for line in aimm().out.split()] == expected


def test_completion_survives_a_broken_store(aimm: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that completes gets no message."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "index.sqlite").write_bytes(b"broken" * 1000)
    monkeypatch.setenv("_AIMM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "aimm predict li")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert aimm().out.strip() == ""
