"""The typing tests have enough in them; mypy and pyright themselves, as ``nox -s types`` runs them, do the rest."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"  # type: ignore\[[a-z-]+\]  # pyright: ignore\[\w+(?:, \w+)*\]$")


def test_each_wrong_use_is_marked_for_both_type_checkers() -> None:
    """At least forty lines are to be refused, each by both; nothing is excused in the file of right uses."""
    folder = ROOT / "tests" / "typing"
    wrong = (folder / "wrong.py").read_text(encoding="utf-8").splitlines()
    marked = [line for line in wrong if "ignore[" in line]
    assert len(marked) >= 40
    assert [line for line in marked if not MARK.search(line)] == []
    assert "ignore" not in (folder / "right.py").read_text(encoding="utf-8")


def test_a_mark_without_a_mistake_is_refused() -> None:
    """Both type checkers are strict, look at both files, and report marks that nothing needs."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tools["mypy"]["strict"]
    assert "warn_unused_ignores" not in tools["mypy"]  # strict has it
    assert "tests/typing" in tools["mypy"]["files"]
    assert tools["pyright"]["typeCheckingMode"] == "strict"
    assert tools["pyright"]["reportUnnecessaryTypeIgnoreComment"] == "error"
    assert not tools["pyright"]["enableTypeIgnoreComments"]
    assert tools["pyright"]["include"] == ["tests/typing"]
