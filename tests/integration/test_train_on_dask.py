"""The example that trains twenty models on a Dask cluster, as its users run it."""

import re
from pathlib import Path

import pytest

from environments import ROOT, Environment, build_wheel, clean_environment
from terminal import run


@pytest.mark.timeout(900)
def test_twenty_models_are_trained_and_the_best_is_kept(venv: Environment, base: Path, tmp_path: Path) -> None:
    """Every model reports and ends, and the model file of the best one is there."""
    build_wheel(ROOT / "example_plugins" / "aimm-sklearn", tmp_path / "wheel", base)
    venv.pip("install", "pebble>=5.1", "distributed>=2024.8", *(tmp_path / "wheel").glob("*.whl"))
    script = ROOT / "example_plugins" / "train-on-dask" / "train.py"
    done = run(venv.python, str(script), cwd=tmp_path, env=clean_environment())
    assert done.code == 0, done.out + done.err
    assert "20 of 20 done" in done.out
    assert len({line.split()[0] for line in done.out.splitlines() if "'progress'" in line}) == 20
    accuracy = re.search(r"best: sklearn.* with accuracy ([0-9.]+)", done.out)
    assert accuracy
    assert float(accuracy[1]) > 0.95
    assert (
        venv.aimm("predict", tmp_path / "best.aimm", "--data", "sklearn.datasets.digits", "--split", "test").code == 0
    )
