"""Training commands: what a plugin gets, what it returns, and the runs that come of it.

Plugin authors import :mod:`aimm.train.options` and :mod:`aimm.train.interfaces`, and :mod:`aimm.train.helpers` for the
rest. The command line drives a :class:`TrainingRun`; finished runs are read with :func:`list_runs` and
:func:`read_run`.
"""

from typing import TYPE_CHECKING

from aimm import lazy_names

if TYPE_CHECKING:
    from aimm.train._dataset import Dataset
    from aimm.train._run import TrainingRun, TrainRequest
    from aimm.train._runs import list_runs, read_run
    from aimm.train.interfaces import Fold, TrainInput, TrainOutput

__all__ = [
    "Dataset",
    "Fold",
    "TrainInput",
    "TrainOutput",
    "TrainRequest",
    "TrainingRun",
    "list_runs",
    "read_run",
]

_HOMES = {
    "Dataset": "_dataset",
    "Fold": "interfaces",
    "TrainInput": "interfaces",
    "TrainOutput": "interfaces",
    "TrainRequest": "_run",
    "TrainingRun": "_run",
    "list_runs": "_runs",
    "read_run": "_runs",
}

if not TYPE_CHECKING:
    __getattr__ = lazy_names(globals(), _HOMES)
