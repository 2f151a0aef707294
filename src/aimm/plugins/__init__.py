"""Find, load and call plugins.

Plugin authors use the decorators, :class:`Model` and :func:`model`, or :data:`hookimpl`. Callers use
:func:`initialize` and the ``exec_*`` functions. Hosts that want several independent sets of plugins use
:class:`PluginManager`, of which all functions here are methods.
"""

from typing import TYPE_CHECKING

from aimm import lazy_names
from aimm._types import ByteString, StateCallback
from aimm.plugins._config import PluginsConfig, load_config
from aimm.plugins._decorators import data_access, deserialize, fit, instantiate, predict, serialize
from aimm.plugins._discovery import Candidate, Found, safe_mode
from aimm.plugins._manager import PluginManager, default_manager
from aimm.plugins._model import Model, model
from aimm.plugins._report import Owner, Report
from aimm.plugins._routes import Route

if TYPE_CHECKING:
    from aimm.plugins._document import config_schema
    from aimm.plugins._protocols import (
        ConfigureHook,
        DataAccessWrapper,
        DeserializeHook,
        DeserializeWrapper,
        FitHook,
        FitWrapper,
        InstantiateHook,
        InstantiateWrapper,
        ModelLike,
        ModelTypesHook,
        ParametersHook,
        PluginFailedHook,
        PluginLoadedHook,
        PredictHook,
        PredictWrapper,
        ResolveModelTypeHook,
        RunTaskWrapper,
        SerializeHook,
        SerializeWrapper,
        SettingsSchemaHook,
        SimilarModelTypesHook,
    )
    from aimm.plugins.hookspecs import hookimpl

__all__ = [
    "ByteString",
    "Candidate",
    "ConfigureHook",
    "DataAccessWrapper",
    "DeserializeHook",
    "DeserializeWrapper",
    "FitHook",
    "FitWrapper",
    "Found",
    "InstantiateHook",
    "InstantiateWrapper",
    "Model",
    "ModelLike",
    "ModelTypesHook",
    "Owner",
    "ParametersHook",
    "PluginFailedHook",
    "PluginLoadedHook",
    "PluginManager",
    "PluginsConfig",
    "PredictHook",
    "PredictWrapper",
    "Report",
    "ResolveModelTypeHook",
    "Route",
    "RunTaskWrapper",
    "SerializeHook",
    "SerializeWrapper",
    "SettingsSchemaHook",
    "SimilarModelTypesHook",
    "StateCallback",
    "aexec_data_access",
    "aexec_deserialize",
    "aexec_fit",
    "aexec_instantiate",
    "aexec_predict",
    "aexec_serialize",
    "config_schema",
    "data_access",
    "default_manager",
    "deserialize",
    "discover",
    "exec_data_access",
    "exec_deserialize",
    "exec_fit",
    "exec_instantiate",
    "exec_predict",
    "exec_serialize",
    "fit",
    "hookimpl",
    "initialize",
    "instantiate",
    "load_config",
    "model",
    "owner",
    "owners",
    "parameters",
    "predict",
    "register",
    "route",
    "safe_mode",
    "serialize",
    "unload_all",
]

initialize = default_manager.initialize
unload_all = default_manager.unload_all
exec_data_access = default_manager.exec_data_access
exec_instantiate = default_manager.exec_instantiate
exec_fit = default_manager.exec_fit
exec_predict = default_manager.exec_predict
exec_serialize = default_manager.exec_serialize
exec_deserialize = default_manager.exec_deserialize
aexec_data_access = default_manager.aexec_data_access
aexec_instantiate = default_manager.aexec_instantiate
aexec_fit = default_manager.aexec_fit
aexec_predict = default_manager.aexec_predict
aexec_serialize = default_manager.aexec_serialize
aexec_deserialize = default_manager.aexec_deserialize
discover = default_manager.discover
route = default_manager.route
parameters = default_manager.parameters
owner = default_manager.owner
owners = default_manager.owners
register = default_manager.register


_PROTOCOLS = (
    *("ConfigureHook", "DataAccessWrapper", "DeserializeHook", "DeserializeWrapper", "FitHook", "FitWrapper"),
    *("InstantiateHook", "InstantiateWrapper", "ModelLike", "ModelTypesHook", "ParametersHook", "PluginFailedHook"),
    *("PluginLoadedHook", "PredictHook", "PredictWrapper", "ResolveModelTypeHook", "RunTaskWrapper", "SerializeHook"),
    *("SerializeWrapper", "SettingsSchemaHook", "SimilarModelTypesHook"),
)
_LATER = {
    "config_schema": "_document",
    "hookimpl": "hookspecs",
    **dict.fromkeys(_PROTOCOLS, "_protocols"),
}
"""Names whose modules load when they are first used: pluggy, for one, costs as much as all of this package."""

if not TYPE_CHECKING:
    __getattr__ = lazy_names(globals(), _LATER)
