"""The instance that all model types share: a river pipeline, and what it went through."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aimm_river._batch import Label, Task, check_rows, check_truth

MOST_STATES = 100
"""A fit never reports more states: whoever shows progress wants a bar, not a stream."""


@dataclass
class Statistics:
    """What a model went through so far.

    Attributes:
        learned: Rows that it learned from.
        predicted: Rows that it predicted.
        judged: Rows that it predicted and was then told the truth of.
        loss: Sum over the judged rows: of wrong labels for a classifier, of absolute errors for a regression model.
    """

    learned: int = 0
    predicted: int = 0
    judged: int = 0
    loss: float = 0.0

    @property
    def mean_loss(self) -> float | None:
        """The progressive validation score; None before the first judged row."""
        return self.loss / self.judged if self.judged else None


@dataclass
class OnlineModel:
    """One online model: it learns row by row and can predict at any time.

    Attributes:
        model_type: Its model type.
        parameters: What it was instantiated with, complete.
        pipeline: The river pipeline, steps by name.
        task: What it predicts.
        statistics: What it went through.
    """

    model_type: str
    parameters: dict[str, float]
    pipeline: Any
    task: Task
    statistics: Statistics = field(default_factory=Statistics)

    def fit(
        self, X: Iterable[Mapping[str, Any]], y: Iterable[Any], state_cb: Callable[[dict[str, Any]], None]
    ) -> "OnlineModel":
        """Learn a batch, row by row; learning another batch later goes on from there.

        Args:
            X: Rows, each a dict of feature name to number.
            y: One true value for each row.
            state_cb: Receives ``{"progress": 0..1, "rows": rows learned from this batch}``.

        Returns:
            This very model.

        Raises:
            TypeError: Something in the batch is of the wrong kind; nothing was learned.
            ValueError: A value is not finite, or the lengths differ; nothing was learned.
        """
        rows = check_rows(X)
        truth = check_truth(y, self.task, len(rows))
        total = len(rows)
        stride = max(1, -(-total // MOST_STATES))
        for done, (row, value) in enumerate(zip(rows, truth, strict=True), 1):
            self._learn(row, value)
            if done % stride == 0 and done < total:
                state_cb({"progress": done / total, "rows": done})
        state_cb({"progress": 1.0, "rows": total})
        return self

    def predict(self, X: Iterable[Mapping[str, Any]], y: Iterable[Any] | None = None) -> list[Label | None]:
        """Predict each row and, where the truth is given, learn from it before the next row.

        Args:
            X: Rows, each a dict of feature name to number.
            y: One true value for each row, which the model sees after it has predicted that row.

        Returns:
            One prediction for each row; None from a model that needs to learn a row first.

        Raises:
            TypeError: Something in the batch is of the wrong kind; nothing was learned.
            ValueError: A value is not finite, or the lengths differ; nothing was learned.
        """
        rows = check_rows(X)
        if y is None:
            return [self._predict(row) for row in rows]
        truth = check_truth(y, self.task, len(rows))
        return [self._predict_then_learn(row, value) for row, value in zip(rows, truth, strict=True)]

    def _predict_then_learn(self, row: dict[str, float], truth: Label) -> Label | None:
        prediction = self._predict(row)
        self.statistics.judged += 1
        self.statistics.loss += self.task.loss(truth, prediction)
        self._learn(row, truth)
        return prediction

    def _predict(self, row: dict[str, float]) -> Label | None:
        prediction: Any = self.pipeline.predict_one(row)
        self.statistics.predicted += 1
        # river hands out numpy's scalars here and there, which json.dumps refuses.
        return float(prediction) if isinstance(prediction, float) else prediction

    def _learn(self, row: dict[str, float], truth: Label) -> None:
        self.pipeline.learn_one(row, truth)
        self.statistics.learned += 1
