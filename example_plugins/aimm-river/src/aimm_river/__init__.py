"""River's online models and data sets as plugins of aimm.

Importing this package imports nothing else: the entry points name its modules, which load when they are first used.
"""

from typing import Any

__version__ = "0.1.0"


def aimm_examples() -> dict[str, Any]:
    """Give the conformance kit something to learn and to predict."""
    from aimm_river._examples import examples

    return examples()
