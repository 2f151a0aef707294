"""Running the command line as in an environment where nobody owns the models of scikit-learn, whatever is installed."""

import os
import subprocess
import sys
from pathlib import Path

CONFIG = "{names: [], directories: [plugins], entry_points: {exclude: [aimm-sklearn]}}"


def aimm(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ``aimm``; modules in the folder ``plugins`` are plugins."""
    (cwd / "plugins").mkdir(exist_ok=True)
    (cwd / "aimm.yaml").write_text(CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "aimm.cli", *map(str, words)]
    variables = {**os.environ, "AIMM_CONFIG": str(cwd / "aimm.yaml")}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=variables)
