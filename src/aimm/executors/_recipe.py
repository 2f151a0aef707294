"""How another process comes to the plugins that this one has, and to model instances."""

import io
import pickle
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

from aimm import plugins
from aimm.errors import ExecutorOptionError, PluginLoadError
from aimm.plugins import PluginsConfig

Registered: TypeAlias = tuple[tuple[Any, str], ...]
"""Hook plugins with their names."""


class Recipe(NamedTuple):
    """What the plugins of a manager are made from.

    Attributes:
        key: The same for the same manager and configuration.
        is_default: Whether the manager is the default one, in which plain imports declare.
        config: Its configuration.
        registered: The hook plugins that joined it at run time: a wrapper that forbids a call must see it everywhere.
    """

    key: str
    is_default: bool
    config: PluginsConfig
    registered: Registered


_recipes: WeakKeyDictionary[plugins.PluginManager, tuple[PluginsConfig, Registered, bytes]] = WeakKeyDictionary()
_here: WeakValueDictionary[str, plugins.PluginManager] = WeakValueDictionary()
"""The managers that recipes were made of in this process."""
_built: dict[bytes, plugins.PluginManager] = {}
"""Those that were made from recipes of another one."""
_guests: WeakKeyDictionary[plugins.PluginManager, tuple[bytes, list[Callable[[], None]]]] = WeakKeyDictionary()
"""The recipe that such a manager follows just now, and what takes the hook plugins of that recipe out again."""
_lock = threading.RLock()


def recipe_of(manager: plugins.PluginManager) -> bytes:
    """The pickled recipe of a manager.

    Raises:
        ExecutorOptionError: Its configuration, or a hook plugin that joined it at run time, cannot be pickled.
    """
    known = _recipes.get(manager)
    if known is None or known[0] is not manager.config or known[1] is not manager.registered:
        config, registered = manager.config, manager.registered
        recipe = Recipe(uuid.uuid4().hex, manager is plugins.default_manager, _plain(config), registered)
        try:
            content = _pickled(recipe, "the plugins cannot be pickled")
        except ExecutorOptionError:
            _find_culprit(recipe)
            raise
        known = _recipes[manager] = (config, registered, content)
        _here[recipe.key] = manager
    return known[2]


def _find_culprit(recipe: Recipe) -> None:
    """Raise the error of the part that cannot be pickled."""
    _pickled(recipe.config, "the configuration of the plugins cannot be pickled")
    for plugin, name in recipe.registered:
        _pickled(
            plugin,
            f"the hook plugin {name!r}, which joined at run time, cannot go along to another process; define it in "
            "a module, with nothing in it that cannot be pickled, or declare it as an entry point or in 'names'",
        )


def manager_of(recipe: bytes) -> plugins.PluginManager:
    """The plugins of a recipe, built once in a process; the very manager in the process that it comes from."""
    built = _built.get(recipe)
    if built is not None and _guests[built][0] == recipe:
        return built
    with _lock:
        key, is_default, config, registered = pickle.loads(recipe)
        if key in _here:
            return _here[key]
        manager = plugins.default_manager if is_default else _built.get(recipe) or plugins.PluginManager()
        if recipe not in _built:
            # A plugin that failed in the host fails here too; whether that matters the call itself will tell.
            with suppress(PluginLoadError):
                manager.initialize(config)
        if manager not in _guests or _guests[manager][0] != recipe:
            _receive(manager, recipe, registered)
        _built[recipe] = manager
        return manager


def _receive(manager: plugins.PluginManager, recipe: bytes, registered: Registered) -> None:
    """Let the hook plugins of a recipe take the place of those of the one before."""
    for leave in _guests.get(manager, (b"", []))[1]:
        leave()
    # Importing what they are made of may have registered them already.
    there = {(_kind(plugin), name) for plugin, name in manager.registered}
    missing = [(plugin, name) for plugin, name in registered if (_kind(plugin), name) not in there]
    _guests[manager] = recipe, [manager.register(plugin, name) for plugin, name in missing]


def _kind(plugin: Any) -> tuple[str, str]:
    """What tells plugins apart across processes; a script is called otherwise in a worker."""
    named = plugin if isinstance(plugin, (type, ModuleType)) else type(plugin)
    module = named.__name__ if isinstance(named, ModuleType) else named.__module__
    return "__main__" if module == "__mp_main__" else module, getattr(named, "__qualname__", "")


class _Pickler(pickle.Pickler):
    """Also takes modules, by their names."""

    def reducer_override(self, value: Any) -> Any:
        return (import_module, (value.__name__,)) if isinstance(value, ModuleType) else NotImplemented


def _pickled(value: Any, refusal: str) -> bytes:
    content = io.BytesIO()
    try:
        _Pickler(content, 5).dump(value)
    except Exception as error:
        raise ExecutorOptionError("process", f"{refusal} ({type(error).__name__}: {error})") from error
    return content.getvalue()


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
