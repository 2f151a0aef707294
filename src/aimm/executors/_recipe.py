"""How another process comes to the plugins that this one has, and to model instances."""

import pickle
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakValueDictionary

from aimm import plugins
from aimm.errors import ExecutorOptionError, PluginLoadError
from aimm.plugins import PluginsConfig


class Recipe(NamedTuple):
    """What the plugins of a manager are made from.

    Attributes:
        key: The same for the same manager and configuration.
        is_default: Whether the manager is the default one, in which plain imports declare.
        config: Its configuration.
    """

    key: str
    is_default: bool
    config: PluginsConfig


_recipes: WeakKeyDictionary[plugins.PluginManager, tuple[PluginsConfig, bytes]] = WeakKeyDictionary()
_here: WeakValueDictionary[str, plugins.PluginManager] = WeakValueDictionary()
"""The managers that recipes were made of in this process."""
_built: dict[bytes, plugins.PluginManager] = {}
"""Those that were made from recipes of another one."""


def recipe_of(manager: plugins.PluginManager) -> bytes:
    """The pickled recipe of a manager.

    Raises:
        ExecutorOptionError: Its configuration cannot be pickled.
    """
    known = _recipes.get(manager)
    if known is None or known[0] is not manager.config:
        config = manager.config
        recipe = Recipe(uuid.uuid4().hex, manager is plugins.default_manager, _plain(config))
        try:
            content = pickle.dumps(recipe, 5)
        except Exception as error:
            reason = f"the configuration of the plugins cannot be pickled: {error}"
            raise ExecutorOptionError("process", reason) from error
        known = _recipes[manager] = (config, content)
        _here[recipe.key] = manager
    return known[1]


def manager_of(recipe: bytes) -> plugins.PluginManager:
    """The plugins of a recipe, built once in a process; the very manager in the process that it comes from."""
    built = _built.get(recipe)
    if built is not None:
        return built
    key, is_default, config = pickle.loads(recipe)
    if key in _here:
        return _here[key]
    manager = plugins.default_manager if is_default else plugins.PluginManager()
    # A plugin that failed in the host fails here too; whether that matters the call itself will tell.
    with suppress(PluginLoadError):
        manager.initialize(config)
    _built[recipe] = manager
    return manager


class ManagerCall:
    """A function whose first argument is the plugins of a manager, in whatever process it runs.

    Args:
        function: The function; importable.
        manager: Whose plugins.
        action: What it does, for messages, such as ``task``.
        name: To what.
        owner: Whose that is.
    """

    def __init__(
        self, function: Callable[..., Any], manager: plugins.PluginManager, action: str, name: str, owner: str
    ) -> None:
        self.function, self.manager = function, manager
        self.action, self.name, self.owner = action, name, owner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self.manager, *args, **kwargs)

    def __reduce__(self) -> Any:
        return _call_again, (self.function, recipe_of(self.manager), self.action, self.name, self.owner)


def _call_again(function: Callable[..., Any], recipe: bytes, *words: str) -> ManagerCall:
    return ManagerCall(function, manager_of(recipe), *words)


class Carried:
    """A model instance that is pickled by its own plugin's ``serialize``; unpickled, it is the instance itself.

    Args:
        manager: Whose plugins.
        model_type: Its model type.
        instance: The instance.
    """

    def __init__(self, manager: plugins.PluginManager, model_type: str, instance: Any) -> None:
        self.manager, self.model_type, self.instance = manager, model_type, instance

    def __reduce_ex__(self, protocol: Any) -> Any:
        from aimm.executors._call import instance_bytes

        content: Any = instance_bytes(self.manager, "serialize", self.model_type, self.instance)
        if protocol >= 5:
            content = pickle.PickleBuffer(content)
        return _carried_again, (recipe_of(self.manager), self.model_type, content)


def _carried_again(recipe: bytes, model_type: str, content: Any) -> Any:
    return manager_of(recipe).exec_deserialize(model_type, bytes(content))


def _plain(config: PluginsConfig) -> PluginsConfig:
    settings = {name: dict(values) for name, values in config.settings.items()}
    return config._replace(prefer=dict(config.prefer), settings=settings)
