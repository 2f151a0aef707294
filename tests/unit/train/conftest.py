"""Training plugins: one in the form that ravenML plugins have, one that keeps what it made."""

import pytest

from support import FakeSite

CORE = """
import click
from aimm.train.options import kfold_opt, pass_train
from aimm.train.interfaces import TrainInput, TrainOutput

@click.group(help='Top level command group description')
@click.pass_context
@kfold_opt
def gauge(ctx, kfold):
    pass

@gauge.command()
@pass_train
@click.pass_context
def train(ctx, train: TrainInput):
    # If the context (ctx) has a TrainInput already, it is passed as "train"
    # If it does not, the constructor is called AUTOMATICALLY
    # by Click because the @pass_train decorator is set to ensure
    # object creation, after which the created object is passed as "train"
    # after training, create an instance of TrainOutput and return it
    result = TrainOutput()
    return result               # return result back up the command chain
"""
"""The skeleton of ``core.py`` as ravenML gives it, with ``ravenml`` replaced by ``aimm``."""

COMMANDS = """
import click

### OPTIONS ###
# put all local command options here


### COMMANDS ###
@click.group()
@click.pass_context
def more(ctx):
    pass

@more.command()
def hello():
    click.echo('Sub command group command here!')
"""
"""The skeleton of ``commands.py``."""

JOIN = """
from aimm_gauge.more.commands import more

gauge.add_command(more)         # this assumes that the command group defined in core.py is named gauge
"""


@pytest.fixture
def skeleton(site: FakeSite) -> FakeSite:
    """The site with the distribution ``aimm-gauge 0.1``, made of the skeletons, declared as they declare it."""
    site.add(
        "aimm_gauge",
        "0.1",
        {"aimm.plugins.train": {"gauge": "aimm_gauge.core:gauge"}},
        {"aimm_gauge.more.commands": COMMANDS, "aimm_gauge.core": CORE + JOIN},
        "Training plugin for aimm",
    )
    return site


@pytest.fixture
def trainer(site: FakeSite) -> FakeSite:
    """The site with the distribution ``trainers 2.1``: a command ``mean-of`` that fits a mean and keeps files."""
    site.add(
        "trainers",
        "2.1",
        {"aimm.train": {"mean_of": "trainers:mean_of"}, "aimm.data_access": {"numbers": "trainers:numbers"}},
        {"trainers": TRAINERS},
        "Means of numbers",
    )
    return site


TRAINERS = '''
import json
import click
from aimm.train.interfaces import TrainInput, TrainOutput
from aimm.train.options import kfold_opt, pass_train


def numbers(count=10, seed=0):
    return [float(number + seed) for number in range(count)]


@click.group(help="Fit means.")
@kfold_opt
def mean_of(kfold):
    pass


@mean_of.command()
@click.option("--shift", type=float, default=0.0)
@pass_train
def fit(train: TrainInput, shift):
    """Fit the mean of numbers."""
    print("chatter")
    data = train.dataset.load(train.state_cb)
    held = data
    if train.fold:
        taken, left = train.fold.split(len(data))
        data, held = [data[i] for i in taken], [data[i] for i in left]
    mean = sum(data) / len(data) + shift
    train.state_cb({"progress": 1.0})
    model = train.work_path / "model.json"
    model.write_text(json.dumps(mean))
    (train.work_path / "plots").mkdir()
    (train.work_path / "plots" / "log.txt").write_text("log")
    train.plugin_metadata["architecture"] = "mean"
    error = sum(abs(x - mean) for x in held) / len(held)
    return TrainOutput(model, [train.work_path / "plots"], {"error": error})


@mean_of.command()
@pass_train
def needy(train):
    """Read a key of the configuration."""
    (train.work_path / "half.txt").write_text(str(train.plugin_config["optimizer"]["rate"]))
    raise ValueError("diverged")


@mean_of.command()
@pass_train
def quiet(train):
    """Return nothing."""
'''
