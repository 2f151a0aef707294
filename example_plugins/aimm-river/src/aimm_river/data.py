"""Real data sets that river's own package contains: reading them needs no network.

``split`` cuts by position and never shuffles. The rows are a stream: a model that learns row by row is judged by what
comes later, and drawing test rows from the middle would let it learn from their future.
"""

from itertools import islice
from typing import Any, Literal, TypedDict

TRAIN_FRACTION = 0.8
Split = Literal["train", "test"]


class Data(TypedDict):
    """Rows in the order of the stream, and the true value of each."""

    X: list[dict[str, float]]
    y: list[Any]


def phishing(*, split: Split | None = None, limit: int | None = None) -> Data:
    """Fetch 1,250 web pages by nine features; True is one that phishes.

    Args:
        split: ``train`` for the first 80 % of the stream, ``test`` for the rest, None for all.
        limit: At most that many rows, from the beginning of the part.
    """
    return _part("Phishing", split, limit)


def bananas(*, split: Split | None = None, limit: int | None = None) -> Data:
    """Fetch 5,300 points of two classes shaped like bananas, which no line separates.

    Args:
        split: ``train`` for the first 80 % of the stream, ``test`` for the rest, None for all.
        limit: At most that many rows, from the beginning of the part.
    """
    return _part("Bananas", split, limit)


def image_segments(*, split: Split | None = None, limit: int | None = None) -> Data:
    """Fetch 2,310 image segments by 18 features, of seven classes such as ``sky``.

    Args:
        split: ``train`` for the first 80 % of the stream, ``test`` for the rest, None for all.
        limit: At most that many rows, from the beginning of the part.
    """
    return _part("ImageSegments", split, limit)


def trump_approval(*, split: Split | None = None, limit: int | None = None) -> Data:
    """Fetch 1,001 days of approval ratings by five pollsters; the value is the rating that a model made of them.

    Args:
        split: ``train`` for the first 80 % of the days, ``test`` for the rest, None for all.
        limit: At most that many rows, from the beginning of the part.
    """
    return _part("TrumpApproval", split, limit)


def _part(name: str, split: Split | None, limit: int | None) -> Data:
    if split not in (None, "train", "test"):
        raise ValueError(f"split must be 'train', 'test' or None, got {split!r}")
    if limit is not None and (not isinstance(limit, int) or limit < 0):
        raise ValueError(f"limit must be a whole number of rows or None, got {limit!r}")
    # Imported only now, so that a wrong argument costs nothing.
    from river import datasets

    rows = list(getattr(datasets, name)())
    cut = int(len(rows) * TRAIN_FRACTION)
    part = {"train": rows[:cut], "test": rows[cut:]}.get(split or "", rows)
    chosen = list(islice(part, limit))
    return {"X": [row for row, _ in chosen], "y": [truth for _, truth in chosen]}
