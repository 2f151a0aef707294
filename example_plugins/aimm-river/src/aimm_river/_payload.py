"""Instances as bytes: a JSON document that holds numbers and names, and nothing that could run.

JSON writes a float with as many digits as make it the same float again, so what is read back predicts and learns bit
for bit as what was written. The document is checked as a whole before a model is made of it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict

from aimm.plugins import ByteString
from aimm_river._checks import Fields, PayloadError, read_json
from aimm_river._online import OnlineModel, Statistics
from aimm_river._states import STATES

FORMAT = "aimm-river"
VERSION = 1


def pack(model: OnlineModel) -> bytes:
    """Turn an instance into bytes.

    Raises:
        ValueError: Its state holds a number that is not finite.
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "model_type": model.model_type,
        "parameters": model.parameters,
        "statistics": asdict(model.statistics),
        "steps": {name: STATES[name].dump(step) for name, step in model.pipeline.steps.items()},
    }
    try:
        return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:
        raise ValueError(
            f"this {model.model_type} cannot be serialised: a number in it is no longer finite, so it has diverged; "
            "go back to the instance that was saved last, or start anew with a smaller learning rate"
        ) from error


def unpack(content: ByteString, model_type: str, build: Callable[..., OnlineModel]) -> OnlineModel:
    """Turn bytes back into an instance.

    Args:
        content: What :func:`pack` returned.
        model_type: The model type that the bytes must be of.
        build: Its ``instantiate`` function.

    Raises:
        PayloadError: The bytes are something else.
    """
    document = Fields(read_json(content), "the document")
    document.expect("format", FORMAT, "these are not bytes of this plugin")
    document.expect("version", VERSION, "upgrade aimm-river to the version that wrote them")
    document.expect("model_type", model_type, "deserialise them under the model type that they are of")
    document.only("format", "version", "model_type", "parameters", "statistics", "steps")
    model = _build(document.inner("parameters"), build)
    model.statistics = _statistics(document.inner("statistics"))
    states = document.inner("steps")
    states.only(*model.pipeline.steps)
    for name, step in model.pipeline.steps.items():
        STATES[name].load(step, states.inner(name))
    return model


def _build(parameters: Fields, build: Callable[..., OnlineModel]) -> OnlineModel:
    parameters.only(*build().parameters)
    try:
        return build(**{name: parameters.number(name) for name in parameters})
    except ValueError as error:
        raise PayloadError(f"{parameters.where}: {error}") from error


def _statistics(fields: Fields) -> Statistics:
    fields.only("learned", "predicted", "judged", "loss")
    counts = {name: fields.count(name) for name in ("learned", "predicted", "judged")}
    return Statistics(**counts, loss=fields.number("loss", least=0.0))
