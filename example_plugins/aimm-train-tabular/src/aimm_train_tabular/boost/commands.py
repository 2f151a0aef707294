"""The commands for boosted trees."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from aimm.train.helpers import lazy_import
from aimm.train.interfaces import TrainInput, TrainOutput
from aimm.train.options import pass_train
from aimm_train_tabular.boost.interfaces import Settings, Tell
from aimm_train_tabular.boost.options import rate_opt, rounds_opt
from aimm_train_tabular.options import seed_opt, test_size_opt
from aimm_train_tabular.table import Table
from aimm_train_tabular.training import evaluate

ensemble = lazy_import("sklearn.ensemble", "ensemble")


### COMMANDS ###
@click.group()
@click.pass_context
def boost(ctx: click.Context) -> None:
    """Train boosted trees."""


@boost.command()
@rounds_opt
@rate_opt
@seed_opt
@test_size_opt
@pass_train
def cpu(train: TrainInput, rounds: int, rate: float, seed: int, test_size: float) -> TrainOutput:
    """Train with scikit-learn."""
    settings = Settings(rounds, rate, seed)
    learn, test = Table.of(train.dataset, train.state_cb).parts(train.fold, seed, test_size)
    model = ensemble.GradientBoostingClassifier(n_estimators=rounds, learning_rate=rate, random_state=seed)
    model.fit(learn.X, learn.y, monitor=_monitor(settings, train.state_cb))
    train.plugin_metadata.update(architecture="gradient boosting", **settings._asdict())
    return evaluate(train.work_path, model, learn, test)


@boost.command()
@rounds_opt
@rate_opt
@seed_opt
@test_size_opt
@click.option("--device", default="cuda", show_default=True, help="Where to train, as XGBoost calls it.")
@pass_train
def gpu(train: TrainInput, rounds: int, rate: float, seed: int, test_size: float, device: str) -> TrainOutput:
    """Train with XGBoost, which the extra 'gpu' brings."""
    try:
        from xgboost import XGBClassifier
    except ImportError as error:
        raise click.UsageError(f'{error}: pip install "aimm-train-tabular[gpu]"') from error
    import numpy as np

    settings = Settings(rounds, rate, seed)
    table = Table.of(train.dataset, train.state_cb)
    names, codes = np.unique(table.y, return_inverse=True)  # XGBoost wants classes 0, 1, 2, ...
    learn, test = replace(table, y=codes).parts(train.fold, seed, test_size)
    model = XGBClassifier(n_estimators=rounds, learning_rate=rate, random_state=seed, device=device)
    model.fit(learn.X, learn.y)
    train.state_cb({"progress": 1.0})
    train.plugin_metadata.update(
        architecture="XGBoost", device=device, classes=[str(name) for name in names], **settings._asdict()
    )
    return evaluate(train.work_path, model, learn, test, _save_xgboost)


def _monitor(settings: Settings, tell: Tell) -> Any:
    def after_each_tree(index: int, model: Any, _: Any) -> bool:
        tell({"progress": (index + 1) / settings.rounds})
        return False  # go on

    return after_each_tree


def _save_xgboost(model: Any, folder: Path) -> Path:
    model.save_model(folder / "model.ubj")
    return folder / "model.ubj"
