"""Saving a run, so that at each moment either the whole of it can be seen, or nothing."""

import json
from collections.abc import Sequence
from typing import Any

from aimm._types import StateCallback
from aimm.errors import RunExistsError, SaveError, TrainError
from aimm.train._outputs import OutputFile
from aimm.train._place import Place, Progress, refuse_occupied
from aimm.train._remote import is_remote


def place_of(artifact_path: str) -> Place:
    """The place behind a path or URL.

    Raises:
        MissingExtraError: What it takes to reach it is not installed.
        TrainError: The protocol is unknown.
    """
    if is_remote(artifact_path):
        from aimm.train._saving_remote import RemotePlace

        return RemotePlace(artifact_path)
    from aimm.train._saving_local import LocalPlace

    return LocalPlace(artifact_path)


def check_free(place: Place, overwrite: bool) -> bool:
    """See that a run may be saved here, before hours are spent on it.

    Returns:
        Whether a finished run stands there, which is to be replaced.

    Raises:
        RunExistsError: Something stands there that may not be replaced.
        TrainError: The place cannot be reached.
    """
    try:
        return refuse_occupied(place, overwrite)
    except RunExistsError:
        raise
    except Exception as error:
        raise TrainError(f"{place.shown} cannot be reached: {in_words(error)}") from error


def save(
    place: Place, files: Sequence[OutputFile], metadata: dict[str, Any], overwrite: bool, state_cb: StateCallback
) -> None:
    """Save a run: whole, or not at all.

    Args:
        place: Where it goes.
        files: Its files.
        metadata: What ``metadata.json`` says.
        overwrite: Whether to replace a finished run.
        state_cb: Told how far it is.

    Raises:
        RunExistsError: Something stands there that may not be replaced; perhaps only since a moment ago.
        SaveError: It could not be written. No part of it can be seen, and the files are where they were.
    """
    replacing = check_free(place, overwrite)
    tick = Progress(len(files) + 1, state_cb)
    text = json.dumps(metadata, indent=2, ensure_ascii=False).encode()
    try:
        place.save(files, text, tick, overwrite)
    except RunExistsError:
        raise
    except Exception as error:  # fsspec's file systems raise what their libraries raise
        kept = [str(file.source) for file in files]
        hint = tick.hint or ("the run that stood there is as it was" if replacing else "")
        raise SaveError(place.shown, in_words(error), tick.done, tick.total, kept, hint) from error


def in_words(error: BaseException) -> str:
    """What went wrong, without the decoration of an OSError."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
