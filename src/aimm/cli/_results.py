"""Predictions as text: CSV or JSON, whatever the plugin returned."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import click

from aimm.cli._session import Session


def write_predictions(
    session: Session, prediction: Any, output: str | None, as_json: bool, truth: list[Any] | None = None
) -> None:
    """Write predictions to a file, by its ending, or to stdout; and how many of them are right.

    Stdout stays one document: with predictions in CSV on it, the score goes to stderr.

    Args:
        session: Where stdout is.
        prediction: What ``predict`` returned.
        output: A ``.csv`` or ``.json`` file, or None for stdout.
        as_json: Whether stdout gets JSON.
        truth: What the predictions should be, for a score.

    Raises:
        click.ClickException: There is more or less truth than predictions.
    """
    plain = to_plain(prediction)
    score = {} if truth is None else _score(truth, plain)
    if output is not None:
        _write_file(output, plain)
        session.say(f"wrote {output}: {len(plain) if isinstance(plain, list) else 1} predictions")
        if score:
            session.write(_json_text(score) if as_json else _in_words(score))
    elif as_json:
        session.write(_json_text({"predictions": plain, **score} if score else plain))
    else:
        session.write(_csv_text(plain).rstrip("\n"))
        if score:
            session.say(_in_words(score))


def truth_in(data: Any) -> list[Any]:
    """What the predictions should be.

    Args:
        data: What the data access returned: a mapping with ``y``, or a tuple whose second item is the truth.

    Raises:
        click.ClickException: It holds no truth.
    """
    truth = data.get("y") if isinstance(data, Mapping) else data[1] if isinstance(data, tuple) and data[1:] else None
    plain = to_plain(truth)
    if not isinstance(plain, list):
        raise click.ClickException("--score needs data with a 'y', or a tuple whose second item is the truth")
    return plain


def _score(truth: list[Any], found: Any) -> dict[str, Any]:
    if not isinstance(found, list) or len(found) != len(truth) or not found:
        got = f"{len(found)} predictions" if isinstance(found, list) else f"one {type(found).__name__}"
        raise click.ClickException(
            f"--score needs one prediction for each of the {len(truth)} y of the data, not {got}"
        )
    if _are_measures(truth, found):
        return _fit_of_measures(truth, found)
    right = sum(one == other for one, other in zip(truth, found, strict=True))
    return {"accuracy": right / len(found), "right": right, "count": len(found)}


def _are_measures(truth: list[Any], found: list[Any]) -> bool:
    """Whether these are numbers with fractions, of which hardly two are ever equal."""
    values = [*truth, *found]
    return all(type(value) in (int, float) for value in values) and any(value % 1 for value in values)


def _fit_of_measures(truth: list[float], found: list[float]) -> dict[str, Any]:
    # Products and plain sums: what is too large or infinite becomes inf or NaN, where ** and math.fsum raise.
    try:
        mean = sum(truth) / len(truth)
        errors = [float(one - other) for one, other in zip(truth, found, strict=True)]
        spread = sum((one - mean) * (one - mean) for one in truth)
    except OverflowError:
        raise click.ClickException("--score: y or the predictions hold a whole number too large for a float") from None
    r2 = 1 - sum(error * error for error in errors) / spread if spread else None
    return {"r2": r2, "mean_absolute_error": sum(map(abs, errors)) / len(errors), "count": len(errors)}


def _in_words(score: Mapping[str, Any]) -> str:
    if "r2" in score:
        error = score["mean_absolute_error"]
        return f"R2 {_r2(score['r2'])}, mean absolute error {error:.4g} ({score['count']} values)"
    return f"accuracy {score['accuracy']:.4f} ({score['right']} of {score['count']})"


def _r2(value: float | None) -> str:
    if value is None:
        return "undefined, for all y are equal"
    return f"{value:.4f}" if math.isfinite(value) else "undefined, for some numbers are infinite, NaN or too large"


def _write_file(output: str, plain: Any) -> None:
    text = _json_text(plain) + "\n" if output.endswith(".json") else _csv_text(plain)
    with open(output, "w", encoding="utf-8", newline="") as file:
        file.write(text)


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
    return json.dumps(_speakable(plain), indent=2, default=str)


def _speakable(plain: Any) -> Any:
    # JSON has no NaN and no infinity; a reader that follows the standard would refuse the whole document.
    if isinstance(plain, float):
        return plain if math.isfinite(plain) else None
    if isinstance(plain, dict):
        return {str(key): _speakable(value) for key, value in plain.items()}
    return [_speakable(value) for value in plain] if isinstance(plain, list) else plain


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
