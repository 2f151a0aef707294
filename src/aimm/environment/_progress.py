"""From the lines that an installer writes to a progress that goes up."""

import os

from aimm._types import StateCallback

_STEPS = (
    *("Collecting", "Processing", "Looking", "Building wheel", "Saved"),
    *("Installing", "Uninstalling", "Successfully", "+", "-"),
)


class Progress:
    """Called with each line; reports a state for each that stands for a step.

    Args:
        state_cb: What gets the states; nobody if None.
        total: How many steps there are about; without it the share of the work is not known.
    """

    def __init__(self, state_cb: StateCallback | None, total: int = 0) -> None:
        self._state_cb, self._total, self._done = state_cb, total, 0

    def __call__(self, line: str) -> None:
        if self._state_cb is None or not line.lstrip(" ").startswith(_STEPS):
            return
        self._done += 1
        verb, _, what = line.strip().partition(" ")
        state: dict[str, object] = {"doing": f"{verb.lower()} {os.path.basename(what.split(' (')[0])}"[:60]}
        if self._total:
            state["progress"] = min(self._done / self._total, 0.99)
        self._state_cb(state)
