"""Pages about porting, whose original side needs a framework that the tests do not have otherwise."""

import json

import pytest

from docs.pages import DOCS, read_blocks
from environments import Environment

PAGE = DOCS / "how-to" / "port-from-mlflow.md"
IN_MLFLOW = """
    import json, warnings

    warnings.simplefilter("ignore")  # those of another project
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ParamSchema, ParamSpec
    from mlflow_model import Threshold

    def load(folder, signature=None):
        artifacts = {"settings": "settings.json"}
        mlflow.pyfunc.save_model(folder, python_model=Threshold(), artifacts=artifacts, signature=signature)
        return mlflow.pyfunc.load_model(folder)

    takes = ModelSignature(params=ParamSchema([ParamSpec("limit", "double", 0.0)]))  # else MLflow drops parameters
    told = load("told", takes).predict([2.0, 4.0], params={"limit": 5.0})
    print(json.dumps([load("saved").predict([2.0, 4.0]), told]))
"""
HERE = """
    import glob, json

    from aimm import plugins
    import threshold

    plugins.model(threshold.Threshold)
    model = threshold.Threshold.from_pyfunc(*glob.glob("saved/artifacts/settings.json"))
    calls = {}, {"limit": 5.0}
    print(json.dumps([plugins.exec_predict("threshold.Threshold", model, None, [2.0, 4.0], **c)[1] for c in calls]))
"""


@pytest.mark.timeout(900)
def test_a_ported_mlflow_model_predicts_what_it_did_in_mlflow(venv: Environment) -> None:
    """The class of the page, saved and loaded by MLflow, and its port, which takes over the artifact that it kept."""
    venv.pip("install", "mlflow-skinny<4", "pandas")
    for block in read_blocks(PAGE):
        if block.file in ("mlflow_model.py", "threshold.py"):
            (venv.site / block.file).write_text(block.text)
    (venv.path / "settings.json").write_text(json.dumps({"limit": 2.5}))
    there = venv.run_python(IN_MLFLOW, MLFLOW_DISABLE_TELEMETRY="true")
    assert there.code == 0, there.err
    here = venv.run_python(HERE)
    assert here.code == 0, here.err
    assert json.loads(here.out) == json.loads(there.out) == [[False, True], [False, False]]
