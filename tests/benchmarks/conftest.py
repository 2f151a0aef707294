"""What the benchmarks share: the original ``aimm`` in an environment of its own, and the table at the end."""

import platform
import subprocess
import sys
import venv
from datetime import date

import pytest

from benchmarks.harness import Row, table

ORIGINAL = "aimm==1.2.dev1"
_ROWS = pytest.StashKey[list[Row]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> list[Row]:
    """The rows of the table at the end."""
    return request.config.stash.setdefault(_ROWS, [])


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> str | None:
    """An interpreter that has the original; None, with a warning, where it cannot be installed."""
    folder = tmp_path_factory.mktemp("original")
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    # Its aimm/__init__.py is empty, so aimm.plugins imports without any of its dependencies.
    command = [python, "-m", "pip", "install", "--quiet", "--pre", "--no-deps", ORIGINAL]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{ORIGINAL} could not be installed, so nothing is compared with it:\n{done.stderr}", file=sys.stderr)
        return None
    return python


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every row with its aim."""
    rows = terminalreporter.config.stash.get(_ROWS, [])
    if not rows:
        return
    terminalreporter.section(f"ratios, {platform.python_implementation()} {platform.python_version()}, {date.today()}")
    for line in table(rows):
        terminalreporter.write_line(line)
    missed = [row for row in rows if row.verdict == "NOT MET"]
    aims = sum(row.aim is not None for row in rows)
    terminalreporter.write_line(f"\n{aims - len(missed)} of {aims} aims met")
