"""Train twenty scikit-learn models on a Dask cluster, show how far they are, and keep the best.

pip install "aimm-plugins[dask]" aimm-sklearn
python train.py                        # starts a cluster on this machine
python train.py tcp://scheduler:8786   # uses one that runs
"""

import sys
from collections.abc import Iterator
from concurrent.futures import as_completed
from contextlib import contextmanager

from distributed import LocalCluster

from aimm import executors, plugins, store

SVC, FOREST, TREE = "sklearn.svm.SVC", "sklearn.ensemble.RandomForestClassifier", "sklearn.tree.DecisionTreeClassifier"
CANDIDATES = [
    *((SVC, {"C": c, "gamma": gamma}) for c in (0.1, 1.0, 10.0, 100.0) for gamma in (0.0001, 0.001)),
    *((FOREST, {"n_estimators": n, "max_depth": depth, "random_state": 0}) for n in (10, 40) for depth in (4, 8, 12)),
    *((TREE, {"max_depth": depth, "random_state": 0}) for depth in (2, 4, 6, 8, 10, 12)),
]


@contextmanager
def cluster_at(arguments: list[str]) -> Iterator[str]:
    """The address of the cluster: the one on the command line, or that of one made for this run."""
    if arguments:
        yield arguments[0]
    else:
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
            yield cluster.scheduler_address


def main(arguments: list[str]) -> None:
    """Train all candidates and write the best to ``best.aimm``."""
    plugins.initialize()
    data = plugins.exec_data_access("sklearn.datasets.digits", None, split="train")
    test = plugins.exec_data_access("sklearn.datasets.digits", None, split="test")
    with cluster_at(arguments) as address, executors.make_executor(f"dask:{address}") as dask:
        jobs = {}
        for number, (model_type, parameters) in enumerate(CANDIDATES):

            def show(state: dict, number: int = number, model_type: str = model_type) -> None:
                print(f"{number:2} {model_type} {state}", flush=True)

            model = plugins.exec_instantiate(model_type, None, **parameters)
            job = dask.submit(plugins.exec_fit, model_type, model, data["X"], data["y"], timeout=300, state_cb=show)
            jobs[job] = model_type, parameters
        best = 0.0
        for count, job in enumerate(as_completed(jobs), start=1):
            model_type, parameters = jobs[job]
            _, predicted = plugins.exec_predict(model_type, job.result(), None, test["X"])
            accuracy = float((predicted == test["y"]).mean())
            print(f"{count} of {len(jobs)} done: {model_type} {parameters} has accuracy {accuracy:.3f}", flush=True)
            if accuracy > best:
                best, winner, kept = accuracy, jobs[job], job.result()
    store.save_model("best.aimm", winner[0], kept)
    print(f"best: {winner[0]} {winner[1]} with accuracy {best:.3f}, kept in best.aimm")


if __name__ == "__main__":
    main(sys.argv[1:])
