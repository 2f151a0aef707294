"""Run plugins elsewhere: in killable worker processes, or on a Dask cluster.

::

    from aimm import executors, plugins

    job = executors.submit("process", plugins.exec_fit, "my.model", instance, X, y, state_cb=print, timeout=60)
    fitted = job.result()
"""

from typing import TYPE_CHECKING

from aimm import lazy_names
from aimm.executors._call import Call, Kept, Packed, keep
from aimm.executors._executor import Executor
from aimm.executors._inline import InlineExecutor
from aimm.executors._job import Job
from aimm.executors._names import executor_names, get_executor, make_executor, submit
from aimm.executors._recipe import Carried, ManagerCall
from aimm.executors._scale import Predicted, predict_partitions

if TYPE_CHECKING:
    from aimm.executors._dask import DaskExecutor
    from aimm.executors._process import ProcessExecutor

__all__ = [
    "Call",
    "Carried",
    "DaskExecutor",
    "Executor",
    "InlineExecutor",
    "Job",
    "Kept",
    "ManagerCall",
    "Packed",
    "Predicted",
    "ProcessExecutor",
    "executor_names",
    "get_executor",
    "keep",
    "make_executor",
    "predict_partitions",
    "submit",
]

_LAZY = {"ProcessExecutor": "_process", "DaskExecutor": "_dask"}


if not TYPE_CHECKING:
    __getattr__ = lazy_names(globals(), _LAZY)
