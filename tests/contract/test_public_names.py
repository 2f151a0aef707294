"""The public names: pinned, documented, and with the signatures of the original to the letter."""

import ast
import importlib
import inspect
import itertools
import typing
from pathlib import Path
from typing import Any, Callable, Dict, List  # noqa: UP035 - the seed's own words

import pytest

import aimm
from aimm import plugins

PUBLIC = {
    "aimm.cli": ["main"],
    "aimm.executors": [
        *("Call", "Carried", "DaskExecutor", "Executor", "InlineExecutor", "Job", "Kept", "ManagerCall", "Packed"),
        *("Predicted",),
        *("ProcessExecutor", "executor_names", "get_executor", "keep", "make_executor", "predict_partitions", "submit"),
    ],
    "aimm.plugins": [
        *("ByteString", "Candidate", "ConfigureHook", "DataAccessWrapper", "DeserializeHook", "DeserializeWrapper"),
        *("FitHook", "FitWrapper", "Found", "InstantiateHook", "InstantiateWrapper", "Model", "ModelLike"),
        *("ModelTypesHook", "Owner", "ParametersHook", "PluginFailedHook", "PluginLoadedHook", "PluginManager"),
        *("PluginsConfig", "PredictHook", "PredictWrapper", "Report", "ResolveModelTypeHook", "RunTaskWrapper"),
        *("SerializeHook", "SerializeWrapper", "SettingsSchemaHook", "SimilarModelTypesHook"),
        *("Route", "StateCallback", "aexec_data_access", "aexec_deserialize", "aexec_fit", "aexec_instantiate"),
        *("aexec_predict", "aexec_serialize", "config_schema", "data_access", "default_manager", "deserialize"),
        *("discover", "exec_data_access", "exec_deserialize", "exec_fit", "exec_instantiate", "exec_predict"),
        *("exec_serialize", "fit", "hookimpl", "initialize", "instantiate", "load_config", "model", "owner"),
        *("owners", "parameters", "predict", "register", "route", "safe_mode", "serialize", "unload_all"),
    ],
    "aimm.store": [
        *("Condition", "Example", "FORMAT_VERSION", "GRACE", "Header", "Index", "ModelFile", "ModelStore"),
        *("ModelVersion", "Objects", "OtherVersion", "Policy", "Value", "default_policy", "default_root"),
        *("load_model", "load_policy", "migration", "open_model", "pack_model", "read_header", "save_model"),
        *("unpack_model", "verify_model"),
    ],
    "aimm.testing": [
        *("Arguments", "Check", "Distribution", "Example", "Report", "Result", "call", "check_model", "check_plugin"),
        *("checks", "parametrize"),
    ],
    "aimm.train": [
        *("Dataset", "Fold", "TrainInput", "TrainOutput", "TrainRequest", "TrainingRun", "list_runs", "read_run"),
    ],
    "aimm.train.helpers": [
        *("LazyPluginGroup", "fill_basic_metadata", "lazy_import", "raise_parameter_error", "user_name"),
    ],
    "aimm.train.interfaces": ["Dataset", "Fold", "TrainInput", "TrainOutput"],
    "aimm.train.options": ["kfold_opt", "pass_train"],
    "aimm.tasks": [
        *("ArtifactInfo", "ArtifactTaskInterface", "HandlerRecord", "Output", "Parameter", "TaskRecord", "call"),
        *("call_task", "exists", "find_handler", "find_task", "funcs", "get", "handlers", "info", "load_artifact"),
        *("names", "read_artifacts", "register", "save_artifact", "split_outputs", "tasks", "unchanged"),
    ],
    "aimm.tasks.graph": [
        *("Graph", "GraphResult", "Issue", "KINDS", "Plan", "PlannedStep", "Prepared", "Ref", "Task", "graph_schema"),
        *("plan", "prepare", "run", "validate"),
    ],
}
"""Every name that others may rely on. A change here is a change for users: say so in CHANGELOG.md."""

ORIGINAL = {
    "initialize": "conf",
    "data_access": "name, state_cb_arg_name=None",
    "instantiate": "model_type, state_cb_arg_name=None",
    "fit": "model_types, state_cb_arg_name=None, instance_arg_name=None",
    "predict": "model_types, state_cb_arg_name=None, instance_arg_name=None",
    "serialize": "model_types",
    "deserialize": "model_types",
    "model": "cls",
    "exec_data_access": "name, state_cb=<callable>, *args, **kwargs",
    "exec_instantiate": "model_type, state_cb=<callable>, *args, **kwargs",
    "exec_fit": "model_type, instance, state_cb=<callable>, *args, **kwargs",
    "exec_predict": "model_type, instance, state_cb=<callable>, *args, **kwargs",
    "exec_serialize": "model_type, instance",
    "exec_deserialize": "model_type, instance_bytes",
}
"""The signatures of seed 001; ``conf`` is optional here."""

CALLBACK = typing.Callable[[Dict], None]  # type: ignore[type-arg]  # noqa: UP006
ANNOTATIONS: dict[str, dict[str, Any]] = {
    "exec_data_access": {"name": str, "state_cb": CALLBACK, "args": Any, "kwargs": Any, "return": Any},
    "exec_instantiate": {"model_type": str, "state_cb": CALLBACK, "args": Any, "kwargs": Any, "return": Any},
    "exec_fit": {
        **{"model_type": str, "instance": Any, "state_cb": CALLBACK, "args": Any, "kwargs": Any},
        "return": Any,
    },
    "exec_predict": {
        **{"model_type": str, "instance": Any, "state_cb": CALLBACK, "args": Any, "kwargs": Any},
        "return": tuple[Any, Any],
    },
    "exec_serialize": {"model_type": str, "instance": Any, "return": plugins.ByteString},
    "exec_deserialize": {"model_type": str, "instance_bytes": plugins.ByteString, "return": Any},
}


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_these(package: str) -> None:
    """``__all__`` is what this test says, and every name in it exists."""
    module = importlib.import_module(package)
    assert sorted(module.__all__) == sorted(PUBLIC[package])
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("package", PUBLIC)
def test_a_star_import_gives_the_public_names(package: str) -> None:
    """``from package import *`` gives these names, lazy ones included, and no other."""
    namespace: dict[str, Any] = {}
    exec(f"from {package} import *", namespace)
    assert namespace.keys() - {"__builtins__"} == set(PUBLIC[package])


@pytest.mark.parametrize(("package", "name"), [(package, name) for package in PUBLIC for name in PUBLIC[package]])
def test_every_public_name_is_documented(package: str, name: str) -> None:
    """Functions, classes and constants have a docstring that begins with a sentence, and so have their methods."""
    value = getattr(importlib.import_module(package), name)
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        assert _documented_constant(name), f"{name} = ... needs a string below it"
        return
    assert (inspect.getdoc(value) or "").partition("\n")[0].endswith(".")
    members = vars(value).items() if inspect.isclass(value) else ()
    methods = [member for key, member in members if not key.startswith("_") and inspect.isroutine(member)]
    assert all(inspect.getdoc(method) for method in methods)


def _documented_constant(name: str) -> bool:
    for file in Path(aimm.__file__).parent.rglob("*.py"):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for statement, below in itertools.pairwise(body):
            stored = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            if name in stored and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                return True
    return False


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The package says that it has no such attribute, as every module does."""
    with pytest.raises(AttributeError, match=r"module 'aimm\.plugins' has no attribute 'nothing'"):
        plugins.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ORIGINAL)
def test_signatures_are_those_of_the_original(name: str) -> None:
    """Names, order, kinds and defaults of all parameters are the seed's."""
    parameters = dict(inspect.signature(getattr(plugins, name)).parameters)
    if name == "initialize":
        assert parameters["conf"].default is None
        parameters["conf"] = parameters["conf"].replace(default=inspect.Parameter.empty)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters.values()]
    shown = [f"{p.name}=<callable>" if callable(p.default) and p.default is not p.empty else str(p) for p in bare]
    assert ", ".join(shown) == ORIGINAL[name]


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_annotations_are_those_of_the_original(name: str) -> None:
    """So are the types of the parameters and of the results."""
    assert typing.get_type_hints(getattr(plugins, name)) == ANNOTATIONS[name]


@pytest.mark.parametrize("name", [name for name in ORIGINAL if name.startswith("exec_")])
def test_the_default_callback_takes_a_state_and_does_nothing(name: str) -> None:
    """The default of ``state_cb`` is a function that can be called, as in the original."""
    parameter = inspect.signature(getattr(plugins, name)).parameters.get("state_cb")
    assert parameter is None or parameter.default({"progress": 1}) is None


@pytest.mark.parametrize("name", [name for name in ORIGINAL if name.startswith("exec_")])
def test_the_awaitable_twin_has_the_same_signature(name: str) -> None:
    """``aexec_*`` takes exactly what ``exec_*`` takes."""
    twin = getattr(plugins, f"a{name}")
    assert inspect.iscoroutinefunction(twin)
    assert inspect.signature(twin) == inspect.signature(getattr(plugins, name))


def test_the_state_callback_is_the_original_alias() -> None:
    """``StateCallback`` is ``Callable[[Dict], None]`` to the letter."""
    assert plugins.StateCallback == Callable[[Dict], None]  # type: ignore[type-arg]  # noqa: UP006
    assert plugins.fit.__annotations__["model_types"] == List[str]  # noqa: UP006


def test_model_is_an_abstract_base_class() -> None:
    """``Model`` has four abstract members, of which ``deserialize`` is a class method, and a type of predictions."""
    assert plugins.Model.__abstractmethods__ == {"fit", "predict", "serialize", "deserialize"}
    assert inspect.ismethod(plugins.Model.deserialize)
    with pytest.raises(TypeError, match="abstract"):
        plugins.Model()  # type: ignore[abstract]
    assert str(inspect.signature(plugins.Model.fit)) == "(self, *args: Any, **kwargs: Any) -> Any"
    assert str(inspect.signature(plugins.Model.predict)) == "(self, *args: Any, **kwargs: Any) -> +Prediction"
