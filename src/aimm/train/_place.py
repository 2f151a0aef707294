"""What a place for runs is, and how it tells how far it is."""

from collections.abc import Sequence
from typing import Protocol

from aimm._types import StateCallback
from aimm.errors import RunExistsError
from aimm.train._outputs import OutputFile


class Progress:
    """How far saving is: told by each file written, passed on as states."""

    def __init__(self, total: int, state_cb: StateCallback) -> None:
        self.done, self.total, self._state_cb = 0, total, state_cb
        self.hint = ""

    def wrote(self, name: str) -> None:
        """One more file is written."""
        self.done += 1
        self._state_cb({"progress": self.done / self.total, "saved": name})


class Place(Protocol):
    """Where a run goes.

    Attributes:
        shown: The place as people know it.
    """

    shown: str

    def occupied(self) -> bool | None:
        """None if the place is free; else whether it is a finished run that stands there."""
        ...

    def save(self, files: Sequence[OutputFile], metadata: bytes, tick: Progress, overwrite: bool) -> None:
        """Write everything, see that the place is still free, and make it visible with one last step."""
        ...


def refuse_occupied(place: Place, overwrite: bool) -> bool:
    """See that a run may be put at a place.

    Returns:
        Whether a finished run stands there, which is to be replaced.

    Raises:
        RunExistsError: Something stands there that may not be replaced.
    """
    occupied = place.occupied()
    if occupied is not None and not (occupied and overwrite):
        raise RunExistsError(place.shown, occupied)
    return bool(occupied)
