import shutil
import sys
from pathlib import Path

import pytest

from aimm.cli import main
from support import FakeSite
from terminal import Cli, Run, run

BASH = shutil.which("bash")


@pytest.fixture
def bombs(shop: FakeSite) -> FakeSite:
    """Beside ``shop``, plugins of every group that end the process when they are imported."""
    points = {group: {f"bomb{n}": "bomb:B"} for n, group in enumerate(("aimm.plugins", "aimm.models"))}
    shop.add("bomb", entry_points=points, modules={"bomb": "import os\nos._exit(9)"})
    return shop


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(aimm: Cli, shell: str) -> None:
    """Each shell has its script, which calls aimm back."""
    code, out, err = aimm("completion", shell)
    assert (code, err) == (0, "")
    assert f"_AIMM_COMPLETE={shell}_complete" in out


def ask(site: FakeSite, words: str, index: int) -> Run:
    environment = {
        "_AIMM_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(index),
        "PYTHONPATH": str(site.path),
    }
    return run(sys.executable, "-P", "-m", "aimm.cli", env=environment)


@pytest.mark.parametrize(
    ("words", "index", "expected"),
    [
        ("aimm p", 1, {"plugins", "predict"}),
        ("aimm plugins ", 2, {"list", "show", "doctor", "schema"}),
        ("aimm types ", 2, {"list", "show"}),
        ("aimm fit ", 2, {"threshold", "shop_models.Threshold", "bomb1"}),
        ("aimm fit thr", 2, {"threshold"}),
        ("aimm types show bo", 3, {"bomb1", "bomb.B"}),
        ("aimm plugins show bo", 3, {"bomb0", "bomb1", "bomb.B"}),
        ("aimm fit threshold --data p", 4, {"pairs", "plain"}),
        ("aimm fit threshold --data numbers --split ", 6, {"train", "test"}),
        ("aimm completion ", 2, {"bash", "zsh", "fish"}),
    ],
)
def test_names_are_completed_without_importing_a_plugin(
    bombs: FakeSite, words: str, index: int, expected: set[str]
) -> None:
    """Commands, plugins, model types and data, though each plugin would end the process at import."""
    code, out, err = ask(bombs, words, index)
    assert err == ""
    assert code in (0, 1)
    assert expected <= {line.partition(",")[2] for line in out.splitlines()}


def test_completion_in_this_process(
    shop: FakeSite, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The variables that the script sets make main complete instead of run."""
    monkeypatch.setenv("_AIMM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "aimm fit thr")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert main() == 0
    assert capfd.readouterr().out == "plain,threshold\n"


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_a_real_bash_completes(bombs: FakeSite, tmp_path: Path) -> None:
    """Bash reads the script, asks it as the tab key would, and gets the names."""
    command = tmp_path / "bin" / "aimm"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m aimm.cli "$@"\n')
    command.chmod(0o755)
    script = """
        eval "$(aimm completion bash)"
        COMP_WORDS=(aimm fit threshold --data num); COMP_CWORD=4; COMP_LINE="${COMP_WORDS[*]}"
        _aimm_completion aimm num --data
        echo "got: ${COMPREPLY[*]}"
    """
    environment = {"PATH": f"{command.parent}:/usr/bin:/bin", "PYTHONPATH": str(bombs.path)}
    done = run(str(BASH), "--norc", "-c", script, env=environment)
    assert done.err == ""
    assert done.out == "got: numbers\n"
