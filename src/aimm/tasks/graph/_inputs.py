"""What a run is given: values of parameters, and artifacts that it reads."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from aimm.errors import AimmError, GraphInputError
from aimm.tasks._artifacts import ArtifactInfo, digest, load_artifact, read_artifacts
from aimm.tasks._outputs import split_outputs
from aimm.tasks._records import HandlerRecord
from aimm.tasks._types import check_value
from aimm.tasks.graph._issues import nearest
from aimm.tasks.graph._model import MISSING
from aimm.tasks.graph._plan import Values, outputs_of
from aimm.tasks.graph._references import Reference
from aimm.tasks.graph._validate import Checked

ArtifactPath: TypeAlias = "str | os.PathLike[str] | tuple[str | os.PathLike[str], str | None]"
"""Path of an artifact, or path and name of its handler."""

BY_SUFFIX = {
    **{".txt": "String", ".bin": "Bytes", ".json": "Json", ".npy": "NumpyArray", ".npz": "NumpyArrays"},
    **{".parquet": "Dataframe", ".csv": "Dataframe", ".aimm": "Model"},
}
"""Handler of a file that nobody says more of, without ``ArtifactTask``."""


class Given(NamedTuple):
    """An artifact that was found, but not read yet."""

    path: Path
    handler: HandlerRecord
    info: ArtifactInfo | None
    sha256: str


def inputs_of(
    checked: Checked,
    parameters: Mapping[str, Any],
    artifacts: Mapping[str, ArtifactPath],
    check_types: bool,
    find_handler: Callable[[str], HandlerRecord],
) -> tuple[dict[str, Any], dict[str, Given]]:
    """The value of every parameter, and the artifacts that a run reads, found but not read.

    Raises:
        GraphInputError: Something is missing, unknown, not of its type, not there, or nobody knows its handler.
    """
    problems: list[str] = []
    values = _parameter_values(checked, parameters, check_types, problems)
    found = _find_artifacts(checked, artifacts, find_handler, problems)
    if problems:
        raise GraphInputError(checked.source.name, problems)
    return values, found


def _parameter_values(
    checked: Checked, parameters: Mapping[str, Any], check_types: bool, problems: list[str]
) -> dict[str, Any]:
    declared = checked.model.parameters
    for name in parameters:
        if name not in declared:
            problems.append(_with_hint(f"the graph has no parameter {name!r}", nearest(name, declared)))
    values = {}
    for name, parameter in declared.items():
        value = parameters.get(name, parameter.default)
        if value is MISSING:
            problems.append(f"the parameter {name!r} ({checked.parameters[name].type}) has no value and no default")
        elif parameter.type is not None and check_types:
            problem = check_value(checked.parameters[name].type, value)
            if problem:
                problems.append(f"the parameter {name!r}: {problem}")
        values[name] = value
    return values


def _find_artifacts(
    checked: Checked,
    artifacts: Mapping[str, ArtifactPath],
    find_handler: Callable[[str], HandlerRecord],
    problems: list[str],
) -> dict[str, Given]:
    declared, found = checked.inputs, {}
    for name in artifacts:
        if name not in declared:
            problems.append(_with_hint(f"the graph has no artifact input {name!r}", nearest(name, declared)))
    for name in declared:
        if name not in artifacts:
            problems.append(f"no artifact was given for the artifact input {name!r}")
            continue
        given = artifacts[name]
        path, handler = given if isinstance(given, tuple) else (given, None)
        try:
            found[name] = _find(Path(path), handler, find_handler)
        except (AimmError, OSError) as error:
            problems.append(f"the artifact input {name!r}: {error}")
    return found


def _find(path: Path, handler: str | None, find_handler: Callable[[str], HandlerRecord]) -> Given:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    info = next((one for one in read_artifacts(path.parent).values() if one.path == path.name), None)
    name = handler or (info and info.handler)
    if not name:
        stem = BY_SUFFIX.get(path.suffix.lower())
        if stem is None or path.is_dir():
            raise FileNotFoundError(f"nothing says which handler reads {path}: name one")
        name = f"aimm.{stem}ArtifactTask"
    return Given(path, find_handler(name), info, digest(path))


def read_inputs(checked: Checked, given: Mapping[str, Given], check_types: bool) -> Values:
    """Read the artifacts, and give each output of theirs its value.

    Raises:
        GraphInputError: What was read is not of the declared type.
        ArtifactError: One was altered.
    """
    values: Values = {}
    for name, one in given.items():
        contents = load_artifact(one.path.parent, one.info or one.path.name, one.handler)
        types = checked.inputs[name]
        form: Any = "one" if checked.model.artifact_inputs[name].whole else "list"
        parts = split_outputs(list(types), contents, form, f"artifact input {name!r}")
        for output, references in outputs_of(name, types):
            if output not in parts:
                raise GraphInputError(checked.source.name, [f"the artifact input {name!r} gives no {output!r}"])
            problem = check_value(types[output].type, parts[output]) if check_types else None
            if problem:
                raise GraphInputError(checked.source.name, [f"the artifact input {name!r}, {output!r}: {problem}"])
            values.update(dict.fromkeys(references, parts[output]))
    return values


def with_parameters(values: Values, parameters: Mapping[str, Any]) -> Values:
    """Add the parameters, which go before whatever else has their name."""
    values.update({Reference(name): value for name, value in parameters.items()})
    return values


def _with_hint(text: str, hint: str | None) -> str:
    return f"{text} ({hint})" if hint else text
