"""Predictions as text: CSV or JSON, whatever the plugin returned."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from aimm.cli._session import Session


def write_predictions(session: Session, prediction: Any, output: str | None, as_json: bool) -> None:
    """Write predictions to a file, by its ending, or to stdout.

    Args:
        session: Where stdout is.
        prediction: What ``predict`` returned.
        output: A ``.csv`` or ``.json`` file, or None for stdout.
        as_json: Whether stdout gets JSON.
    """
    plain = to_plain(prediction)
    if output is None:
        session.write(_json_text(plain) if as_json else _csv_text(plain).rstrip("\n"))
        return
    with open(output, "w", encoding="utf-8", newline="") as file:
        file.write(_json_text(plain) + "\n" if output.endswith(".json") else _csv_text(plain))
    rows = len(plain) if isinstance(plain, list) else 1
    session.say(f"wrote {output}: {rows} predictions")


def accuracy(data: Any, prediction: Any) -> str:
    """The share of predictions that equal the truth in the data.

    Args:
        data: What the data access returned: a mapping with ``y``, or a tuple whose second item is the truth.
        prediction: What ``predict`` returned.

    Raises:
        click.ClickException: The data has no truth, or as many of it as there are predictions.
    """
    truth = data.get("y") if isinstance(data, Mapping) else data[1] if isinstance(data, tuple) and data[1:] else None
    expected, found = to_plain(truth), to_plain(prediction)
    if not isinstance(expected, list) or not isinstance(found, list) or len(expected) != len(found) or not found:
        raise click.ClickException("--score needs data with a 'y' of the same length as the predictions")
    right = sum(one == other for one, other in zip(expected, found, strict=True))
    return f"accuracy {right / len(found):.4f} ({right} of {len(found)})"


def to_plain(value: Any) -> Any:
    """Arrays, series and data frames as lists and dicts; everything else as it is."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict(orient="records")
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [to_plain(item) for item in value]
    return value


def _json_text(plain: Any) -> str:
    return json.dumps(plain, indent=2, default=str)


def _csv_text(plain: Any) -> str:
    rows = plain if isinstance(plain, list) else [plain]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows and all(isinstance(row, dict) for row in rows):
        columns = list(dict.fromkeys(key for row in rows for key in row))
        writer.writerow(columns)
        writer.writerows([_cell(row.get(column, "")) for column in columns] for row in rows)
    elif rows and all(isinstance(row, list) for row in rows):
        width = max(map(len, rows))
        writer.writerow([f"prediction_{number}" for number in range(width)])
        writer.writerows([_cell(item) for item in row] for row in rows)
    else:
        writer.writerow(["prediction"])
        writer.writerows([_cell(row)] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, default=str) if isinstance(value, (list, dict)) else value
