"""A model as a class."""

import json
from collections.abc import Sequence

from aimm import plugins

Rows = Sequence[Sequence[float]]


@plugins.model
class Nearest(plugins.Model):
    """Predicts the class whose mean is nearest."""

    def __init__(self, power: float = 2.0) -> None:
        self.power = power
        self.means: dict[str, list[float]] = {}

    def fit(self, X: Rows, y: Sequence[int]) -> "Nearest":
        """Keep the mean of each class."""
        for label in sorted(set(y)):
            members = [row for row, found in zip(X, y, strict=True) if found == label]
            self.means[str(label)] = [sum(column) / len(members) for column in zip(*members, strict=True)]
        return self

    def predict(self, X: Rows) -> list[int]:
        """The nearest class of each row."""
        return [int(min(self.means, key=lambda label: self._distance(row, self.means[label]))) for row in X]

    def serialize(self) -> bytes:
        """Power and means as JSON."""
        return json.dumps([self.power, self.means]).encode()

    @classmethod
    def deserialize(cls, instance_bytes: plugins.ByteString) -> "Nearest":
        """Read what serialize wrote."""
        model = cls()
        model.power, model.means = json.loads(bytes(instance_bytes))
        return model

    def _distance(self, row: Sequence[float], mean: Sequence[float]) -> float:
        return sum(abs(a - b) ** self.power for a, b in zip(row, mean, strict=True))
