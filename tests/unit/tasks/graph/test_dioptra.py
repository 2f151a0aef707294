"""A plugin directory and a graph as they are written for Dioptra run after two import lines are changed."""

import shutil
from pathlib import Path

import pytest

from aimm import plugins
from aimm.tasks.graph import run, validate

WRITTEN = Path(__file__).parents[3] / "dioptra"
LINES = {
    "from dioptra import pyplugs": "from aimm import tasks as pyplugs",
    "from dioptra.sdk.api.artifact import ArtifactTaskInterface": "from aimm.tasks import ArtifactTaskInterface",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy with the two lines changed, and nothing else."""
    shutil.copytree(WRITTEN, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    changed = 0
    for file in (tmp_path / "words_plugin").glob("*.py"):
        lines = file.read_text().splitlines(keepends=True)
        changed += sum(line.strip() in LINES for line in lines)
        file.write_text("".join(LINES[line.strip()] + "\n" if line.strip() in LINES else line for line in lines))
    assert changed == 2
    (tmp_path / "poem.txt").write_text("a rose is a rose")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_runs_as_it_is(folder: Path) -> None:
    """All forms of steps, types, an artifact input, escapes, dropped outputs, a handler of a built-in name."""
    plugins.initialize({"names": [], "directories": [str(folder / "words_plugin")]})
    assert [issue.kind for issue in validate("experiment.yaml") if issue.severity == "error"] == []
    poem = ("poem.txt", "words_plugin.artifacts.StringArtifactTask")
    result = run("experiment.yaml", {"full_name": "Bob Ray"}, {"poem": poem}, out="out")
    assert (result["message"], result["last"], result["most_used"]) == ("$5, Bob", "Ray Ray", ("a", 2))
    assert (folder / "out" / "greeting.md").read_text() == "$5, Bob"
    assert result.artifacts["repeated"].handler == "words_plugin.artifacts.StringArtifactTask"
    assert [step.name for step in result.steps].index("begin") < [step.name for step in result.steps].index("last")
