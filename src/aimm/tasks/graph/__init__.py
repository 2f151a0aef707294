"""Task graphs: steps that call tasks and pass values on; checked as a whole, then run.

A graph is read with :meth:`Graph.load` or built in Python; :func:`validate` tells everything that is wrong with it,
:func:`run` runs it.
"""

from aimm.tasks.graph._build import Ref, Task
from aimm.tasks.graph._graph import Graph
from aimm.tasks.graph._issues import KINDS, Issue
from aimm.tasks.graph._resume import Plan, PlannedStep
from aimm.tasks.graph._run import GraphResult, Prepared, plan, prepare, run, validate
from aimm.tasks.graph._schema import graph_schema

__all__ = [
    "KINDS",
    "Graph",
    "GraphResult",
    "Issue",
    "Plan",
    "PlannedStep",
    "Prepared",
    "Ref",
    "Task",
    "graph_schema",
    "plan",
    "prepare",
    "run",
    "validate",
]
