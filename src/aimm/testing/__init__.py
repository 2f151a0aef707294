"""Check that a plugin keeps its contract, and build what tests of plugins need.

Nothing is imported until it is named: pytest loads this package at each start, wherever ``aimm`` is installed.
"""

from typing import TYPE_CHECKING

from aimm import lazy_names

if TYPE_CHECKING:
    from aimm.testing._checks import Check, checks
    from aimm.testing._distribution import Distribution
    from aimm.testing._examples import Arguments, Example, call
    from aimm.testing._model import check_model
    from aimm.testing._parametrize import parametrize
    from aimm.testing._plugin import check_plugin
    from aimm.testing._report import Report, Result

_HOMES = {
    "Arguments": "_examples",
    "Check": "_checks",
    "Distribution": "_distribution",
    "Example": "_examples",
    "Report": "_report",
    "Result": "_report",
    "call": "_examples",
    "check_model": "_model",
    "check_plugin": "_plugin",
    "checks": "_checks",
    "parametrize": "_parametrize",
}

__all__ = [
    "Arguments",
    "Check",
    "Distribution",
    "Example",
    "Report",
    "Result",
    "call",
    "check_model",
    "check_plugin",
    "checks",
    "parametrize",
]

if not TYPE_CHECKING:
    __getattr__ = lazy_names(globals(), _HOMES)
