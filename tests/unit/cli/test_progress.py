import os
import sys
from pathlib import Path

import pytest

from aimm.cli._progress import _Lines, progress
from terminal import run, run_on_terminal

SHOW = """
from aimm.cli._progress import progress
with progress("fit [thing]") as state_cb:
    for state in {states}:
        state_cb(state)
"""


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ({"progress": 1}, "100%"),
        ({"progress": 0.25, "loss": 0.125}, "loss=0.125"),
        ({"progress": float("inf")}, "100%"),
        ({"progress": 10**400}, "100%"),
        ({"progress": -1}, "0%"),
        ({"progress": float("nan")}, "0%"),
        ({"progress": "half"}, "fit [thing]"),
        ({"progress": None}, "fit [thing]"),
        ({}, "fit [thing]"),
        ({"note": "[/]"}, "note=[/]"),
        ({"[/red]": "[bold]"}, "[/red]=[bold]"),
        ({"note": "line\nbreak"}, "note=line"),
        ({"x": "y" * 500}, "x=yyy"),
        ("text", "text"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_a_bar_shows_any_state(state: object, text: str) -> None:
    """On a terminal, whatever a plugin reports is shown or passed over, and never an error."""
    source = f"nan, inf = float('nan'), float('inf')\n{SHOW.format(states=[state])}"
    ended, shown = run_on_terminal(sys.executable, "-c", source)
    assert ended.code == 0, shown
    assert "nan" not in shown
    assert text in shown


def test_a_bar_shows_how_far_it_is() -> None:
    """The bar has the share that is done and the other entries of the state."""
    _, shown = run_on_terminal(sys.executable, "-c", SHOW.format(states=[{"progress": 0.5, "loss": 0.125}]))
    assert "50%" in shown
    assert "loss=0.125" in shown


def test_the_bar_is_on_stderr() -> None:
    """Results in a pipe stay clean while the bar runs on the terminal."""
    source = SHOW.format(states=[{"progress": 1.0}]) + "print('result')"
    ended, shown = run_on_terminal(sys.executable, "-c", source, stdout=False)
    assert ended.out == "result\n"
    assert "100%" in shown


def test_rich_stays_out_of_pipes() -> None:
    """Without a terminal, rich is not even imported."""
    source = SHOW.format(states=[{"progress": 1.0}]) + "import sys\nprint('rich' in sys.modules)"
    assert run(sys.executable, "-c", source) == (0, "False\n", "")


def test_a_quick_job_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """In a pipe, the first second passes without a line."""
    with progress("fit") as state_cb:
        state_cb({"progress": 1.0})
    assert capfd.readouterr() == ("", "")


def test_a_long_job_prints_a_line_for_each_tenth(capfd: pytest.CaptureFixture[str]) -> None:
    """After a second, each further tenth is a line on stderr; what does not move is not repeated."""
    lines = _Lines("fit forest")
    lines._start -= 2
    for hundredth in range(0, 101, 4):
        lines({"progress": hundredth / 100, "epoch": hundredth})
    lines({"epoch": 101})
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "fit forest: 12% epoch=12"
    assert len(err.splitlines()) == 8


def test_an_error_ends_the_bar(tmp_path: Path) -> None:
    """The cursor is back and the error is itself when the block raises."""
    source = "from aimm.cli._progress import progress\nwith progress('fit'):\n    raise ValueError('boom')"
    ended, shown = run_on_terminal(sys.executable, "-c", source)
    assert ended.code == 1
    assert "ValueError: boom" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


def test_the_terminal_is_found_by_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stdout being a terminal does not bring the bar."""
    assert not os.isatty(2)
    with progress("fit") as state_cb:
        assert isinstance(state_cb, _Lines)
