"""From a fitted classifier to what is kept of it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aimm import store
from aimm.errors import PluginNotFoundError
from aimm.train.interfaces import TrainOutput
from aimm_train_tabular.table import Table


def evaluate(
    folder: Path, model: Any, learn: Table, test: Table, save: Callable[[Any, Path], Path] | None = None
) -> TrainOutput:
    """Test a fitted classifier, and write it down with what it learned.

    Args:
        folder: Where the files go.
        model: The classifier.
        learn: What it was fitted to.
        test: What it was not.
        save: Writes the model into the folder and returns the file; :func:`save_sklearn` if not given.

    Returns:
        The model; ``report.json``, scores of each class; ``confusion.csv``; ``importances.csv``.
    """
    from sklearn.metrics import (
        accuracy_score,
        balanced_accuracy_score,
        classification_report,
        confusion_matrix,
        f1_score,
    )

    found = model.predict(test.X)
    report, confusion, importances = (folder / name for name in ("report.json", "confusion.csv", "importances.csv"))
    scores = classification_report(test.y, found, output_dict=True, zero_division=0.0)
    report.write_text(json.dumps(scores, indent=2), encoding="utf-8")
    classes = [str(one) for one in model.classes_]
    matrix = confusion_matrix(test.y, found, labels=model.classes_).tolist()
    _write(confusion, ["true", *classes], [[name, *row] for name, row in zip(classes, matrix, strict=True)])
    ranked = sorted(zip(test.features, model.feature_importances_, strict=True), key=lambda pair: -pair[1])
    _write(importances, ["feature", "importance"], [[name, f"{value:.6f}"] for name, value in ranked])
    metrics = {
        "accuracy": float(accuracy_score(test.y, found)),
        "balanced_accuracy": float(balanced_accuracy_score(test.y, found)),
        "f1": float(f1_score(test.y, found, average="macro")),
        "rows_trained_on": len(learn),
        "rows_tested_on": len(test),
    }
    return TrainOutput((save or save_sklearn)(model, folder), [report, confusion, importances], metrics)


def save_sklearn(model: Any, folder: Path) -> Path:
    """Write a model of ``sklearn.ensemble``, so that no code runs when it is read.

    Returns:
        ``model.aimm``, a model file, if an installed plugin owns models of this type; else ``model.skops``.
    """
    from skops.io import dump

    file = folder / "model.aimm"
    try:
        store.save_model(file, f"sklearn.ensemble.{type(model).__name__}", model)
    except PluginNotFoundError:
        file = folder / "model.skops"
        dump(model, file)
    return file


def _write(file: Path, heading: list[str], rows: list[list[Any]]) -> None:
    with open(file, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([heading, *rows])
