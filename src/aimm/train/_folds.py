"""Cross-validation: the same command once for each fold, and one result of all of them."""

from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from typing import Any

from aimm.errors import OutputError
from aimm.train._plain import plain
from aimm.train.interfaces import Fold, TrainInput, TrainOutput


def run_folds(call: Callable[[TrainInput], Any], train: TrainInput, count: int) -> TrainOutput | None:
    """Call once for each fold and join what comes back.

    Args:
        call: Runs the command with the input of one fold.
        train: The input of the whole.
        count: How many folds there are.

    Returns:
        None if every fold returned None.

    Raises:
        OutputError: A fold returned something else than a TrainOutput, or only some returned one.
    """
    outputs, parts = [], []
    for index in range(count):
        part = train.for_fold(Fold(index, count))
        outputs.append(call(part))
        parts.append(part)
    train.plugin_metadata["folds"] = [part.plugin_metadata for part in parts]
    if all(output is None for output in outputs):
        return None
    for number, output in enumerate(outputs, start=1):
        if not isinstance(output, TrainOutput):
            raise OutputError(f"fold {number}", f"is no TrainOutput, as it is for other folds, but {output!r}")
    joined = TrainOutput(metrics=join_metrics([output.metrics for output in outputs]))
    joined.folds = tuple(outputs)
    return joined


def join_metrics(metrics: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The metrics of all folds as one: mean and standard deviation of numbers, and every value.

    Args:
        metrics: Those of each fold.

    Returns:
        Name of a metric to ``folds``, its values, None where a fold has none; and, if all that there are are numbers,
        ``mean`` and ``std`` (of a sample, with n - 1; 0 for a single value).
    """
    joined: dict[str, Any] = {}
    for name in dict.fromkeys(name for one in metrics for name in one):
        values = [plain(one.get(name)) for one in metrics]
        numbers = [value for value in values if value is not None]
        joined[name] = {"folds": values}
        if numbers and all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers):
            joined[name] |= {"mean": fmean(numbers), "std": stdev(numbers) if len(numbers) > 1 else 0.0}
    return joined
