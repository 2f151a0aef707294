"""Noticing that a task changed a value which others hold too.

The rule: what a task gets is not its own. It may read it, and must return a new value instead of changing it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aimm.errors import ChangedValueError


@contextmanager
def unchanged(task: str, values: Mapping[str, Any]) -> Iterator[None]:
    """See that a block leaves values as they are; what cannot be compared is not watched.

    Args:
        task: The task that runs in the block.
        values: What others hold too, under descriptions such as ``argument 'rows'``.

    Raises:
        ChangedValueError: One was changed, even if the block raises nothing.
    """
    before = {what: fingerprint(value) for what, value in values.items()}
    yield
    changed = [what for what, old in before.items() if old is not None and fingerprint(values[what]) != old]
    if changed:
        raise ChangedValueError(task, changed)


def fingerprint(value: Any) -> str | None:
    """A digest of a value: of its pickle, else of its ``repr`` if that says more than an address; None if neither."""
    import pickle

    try:
        # Twice through pickle: objects that are equal but shared differently would have different pickles.
        content = pickle.dumps(pickle.loads(pickle.dumps(value, protocol=5)), protocol=5)
    except Exception:  # noqa: BLE001 - whatever an object's own code raises, it cannot be pickled
        content = _shown(value)
    return hashlib.sha256(content).hexdigest() if content else None


def _shown(value: Any) -> bytes:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - nor shown
        return b""
    return b"" if f"0x{id(value):x}" in text or " object at 0x" in text else text.encode("utf-8", "replace")
