"""The command line as a process, and a distribution with something of everything to use it on."""

from pathlib import Path

import pytest

from support import FakeSite
from terminal import AIMM, Cli, Run, run

MODELS = '''
    import json
    from aimm import plugins


    class Threshold(plugins.Model):
        """Predicts 1 above the mean of what it was fitted to, else 0."""

        def __init__(self, at=0.0, note=""):
            self.at, self.note, self.calls = at, note, 0

        def fit(self, X, y=None, shift=0):
            self.at = sum(X) / len(X) + shift
            return self

        def predict(self, X, shape="list"):
            self.calls += 1
            found = [int(x > self.at) for x in X]
            return {"list": found, "rows": [[x, p] for x, p in zip(X, found)]}.get(shape, shape)

        def serialize(self):
            return json.dumps([self.at, self.note, self.calls]).encode()

        @classmethod
        def deserialize(cls, instance_bytes):
            model = cls()
            model.at, model.note, model.calls = json.loads(bytes(instance_bytes))
            return model
'''
DATA = """
    def numbers(split=None, seed=0):
        X = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0 + seed]
        y = [0, 0, 0, 1, 1, 1]
        part = {None: slice(None), "train": slice(0, None, 2), "test": slice(1, None, 2)}[split]
        return {"X": X[part], "y": y[part], "names": ["a", "b"]}

    def pairs(count=2):
        return [1.0, 3.0, 5.0, 7.0][:count], [0, 1, 1, 1][:count]

    def plain(**options):
        return [1.0, 3.0]
"""


@pytest.fixture
def process(site: FakeSite) -> Cli:
    """Run ``aimm`` as a process that sees the fake site."""

    def invoke(*arguments: str | Path) -> Run:
        return run(*AIMM, *arguments, env={"PYTHONPATH": str(site.path)})

    return invoke


@pytest.fixture
def shop(site: FakeSite) -> FakeSite:
    """The site with the distribution ``shop 1.2``: a model type ``threshold``, and data ``numbers, pairs, plain``."""
    site.add(
        "shop",
        "1.2",
        {
            "aimm.models": {"threshold": "shop_models:Threshold"},
            "aimm.data_access": {name: f"shop_data:{name}" for name in ("numbers", "pairs", "plain")},
        },
        {"shop_models": MODELS, "shop_data": DATA},
        "Thresholds for everybody",
    )
    return site


@pytest.fixture
def fitted(aimm: Cli, shop: FakeSite, tmp_path: Path) -> Path:
    """A model file of ``threshold``, fitted to ``numbers``."""
    file = tmp_path / "model.aimm"
    assert aimm("fit", "threshold", "--data", "numbers", "-o", file).code == 0
    return file
