"""The core of the plugin: its top level command group, from which everything flows."""

import click

from aimm.train.interfaces import TrainInput, TrainOutput
from aimm.train.options import kfold_opt, pass_train
from aimm_train_tabular.boost.commands import boost
from aimm_train_tabular.options import seed_opt, test_size_opt
from aimm_train_tabular.table import Table
from aimm_train_tabular.training import evaluate


@click.group(help="Train classifiers on tables.")
@click.pass_context
@kfold_opt
def tabular(ctx: click.Context, kfold: int | None) -> None:
    """Hold the commands together; ``--kfold K`` runs a training once for each of K folds."""


@tabular.command()
@click.option(
    "--trees",
    type=click.IntRange(min=1),
    help="Number of trees.  [default: 'trees' in the section 'plugin' of the configuration, or 100]",
)
@seed_opt
@test_size_opt
@pass_train
def forest(train: TrainInput, trees: int | None, seed: int, test_size: float) -> TrainOutput:
    """Train a random forest."""
    from sklearn.ensemble import RandomForestClassifier

    count = trees or int(train.plugin_config.get("trees", 100))
    learn, test = Table.of(train.dataset, train.state_cb).parts(train.fold, seed, test_size)
    model = RandomForestClassifier(n_estimators=0, random_state=seed, warm_start=True)
    steps = min(count, 10)  # a part of the trees at a time, so that there is progress to tell
    for step in range(1, steps + 1):
        model.set_params(n_estimators=count * step // steps).fit(learn.X, learn.y)
        train.state_cb({"progress": step / steps, "trees": model.n_estimators})
    train.plugin_metadata.update(architecture="random forest", trees=count, seed=seed)
    return evaluate(train.work_path, model, learn, test)


tabular.add_command(boost)
