"""Points around two centres, always the same for one seed."""

import random
from typing import Any


def points(split: str | None = None, seed: int = 0, count: int = 100) -> dict[str, Any]:
    """Draw points.

    Args:
        split: ``train`` or ``test``, one half each; all of them if not given.
        seed: What the drawing starts from.
        count: How many there are.
    """
    draw = random.Random(seed)
    y = [number % 2 for number in range(count)]
    X = [[draw.gauss(4 * label, 1), draw.gauss(-4 * label, 1)] for label in y]
    part = {None: slice(None), "train": slice(count // 2), "test": slice(count // 2, None)}[split]
    return {"X": X[part], "y": y[part], "rows": X[part]}
