"""What the commands for boosted trees share."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """How trees are boosted.

    Attributes:
        rounds: Number of trees.
        rate: How much each tree counts.
        seed: Decides how they are grown.
    """

    rounds: int
    rate: float
    seed: int


Tell = Callable[[dict[Any, Any]], None]
"""Takes how far a training is."""
