"""The plugins of one manager: what was found, what is loaded, what is broken, what is contested.

Loading is a transaction: a plugin is imported into a scratch registry, checked and configured; only then are its
records merged and its hooks joined.
"""

import sys
from _thread import RLock  # all that is needed of threading, at a tenth of its price
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aimm import errors
from aimm.plugins._config import NO_CONFIG, PluginsConfig
from aimm.plugins._discovery import Candidate, Found, same_owner
from aimm.plugins._registry import (
    DECLARED,
    EXPLICIT,
    PREFERRED,
    UNDECLARED,
    Key,
    Record,
    Registry,
    Source,
)
from aimm.plugins._routes import Entry

if TYPE_CHECKING:
    from aimm.plugins._hooks import HookLayer, HookPlugin
    from aimm.plugins._loader import Loaded

_loading = RLock()
"""One for all plugins: two that use each other must not wait for each other; an import changes the whole process."""


class PluginState:
    """How far one candidate got.

    Attributes:
        loaded: What it gave, once it is loaded.
        failure: Why it does not work, if it does not.
        error: The original exception behind the failure.
        records: What it registered or would have registered, had nobody of higher rank owned the name.
        effects: What its import changed in the process, in words.
        busy: Whether it is being loaded by the thread that holds the lock.
        hooks: Its hook plugins.
        settings: The settings they were configured with.
    """

    def __init__(self) -> None:
        self.loaded: Loaded | None = None
        self.failure: errors.PluginFailure | None = None
        self.error: BaseException | None = None
        self.records: tuple[Record, ...] = ()
        self.effects: list[str] = []
        self.busy = False
        self.hooks: tuple[HookPlugin, ...] = ()
        self.settings: Mapping[str, Any] | None = None


class PluginSet:
    """The plugins of one manager.

    Args:
        registry: Where the records of loaded plugins go.
        tables: The manager's entries, which wrapped calls go back to.
        rewrapped: Called when wrappers came or went.
    """

    def __init__(
        self, registry: Registry, tables: Mapping[str, Mapping[str, Entry]], rewrapped: Callable[[], None]
    ) -> None:
        self._registry, self._tables, self._rewrapped = registry, tables, rewrapped
        self._joining = RLock()
        self.forget()

    def forget(self) -> None:
        """Go back to knowing nothing."""
        self.initialized = False
        self.config, self.found = NO_CONFIG, Found()
        self.hooks: HookLayer | None = None
        self._clashes: dict[Key, list[Record]] = {}
        self.states: dict[Candidate, PluginState] = {}

    def update(self, config: PluginsConfig, found: Found) -> None:
        """Take over a configuration and what was discovered with it; failures get another chance.

        Raises:
            ConfigError: A loaded plugin does not accept its new settings; nothing was changed.
        """
        self._configure_anew(config)
        before = self.config.prefer
        self.initialized, self.config, self.found = True, config, found
        for state in self.states.values():
            state.failure = state.error = None
        names = before.keys() | config.prefer.keys()
        self._prefer_anew({name for name in names if before.get(name) != config.prefer.get(name)})

    def _configure_anew(self, config: PluginsConfig) -> None:
        """Hand new settings to plugins that are loaded already, once all of them are known to fit."""
        changed = [
            (state, candidate.name)
            for candidate, state in self.states.items()
            if state.hooks and config.settings.get(candidate.name) != state.settings
        ]
        for state, name in changed:
            check_settings(state.hooks, name, config.settings.get(name))
        for state, name in changed:
            state.settings = config.settings.get(name)
            hand_over(state.hooks, state.settings)

    def _prefer_anew(self, names: set[str]) -> None:
        """Settle once more who owns these names, because ``prefer:`` changed."""
        self._clashes = {key: rivals for key, rivals in self._clashes.items() if key[1] not in names}
        held = [r for r in self._registry.records() if r.name in names and r.source.rank == PREFERRED]
        if held:
            self._registry.discard(record.key for record in held)
        for candidate, state in list(self.states.items()):
            records = [record for record in state.records if record.name in names]
            if records:
                self._merge(records, candidate)

    def clashes(self) -> "list[errors.PluginConflictError]":
        """The names that several loaded plugins own, though no entry point told."""
        return list(filter(None, (self.clash(*key) for key in list(self._clashes))))

    def clash(self, kind: str, name: str) -> "errors.PluginConflictError | None":
        """The conflict of several loaded plugins that own a name, unless somebody of higher rank does."""
        rivals = self._clashes.get((kind, name), [])
        held = self._registry.get(kind, name)
        if not rivals or (held and held.source.rank > rivals[0].source.rank):
            return None
        sources = sorted({record.source.describe(): record.source for record in rivals}.items())
        return errors.PluginConflictError(kind, name, [text for text, _ in sources], [s.choice for _, s in sources])

    def is_from(self, record: Record, owner: Candidate) -> bool:
        """Whether a record came from a candidate, or from another one that points at the same object."""
        brought_by = record.source.plugin, record.source.distribution
        return any((c.name, c.distribution) == brought_by and c.target == owner.target for c in list(self.states))

    def eager(self) -> list[Candidate]:
        """The candidates that load at ``initialize``, without those whose plugin name is contested.

        Nobody could know what they declare without: what the configuration names, and hook plugins.
        """
        found = self.found
        hooks = [c for c in found.in_group("aimm.plugins") if found.contenders(c.group, c.name) == (c,)]
        return [*found.explicit, *hooks]

    def ensure(self, candidate: Candidate) -> PluginState:
        """Load a candidate unless that was done or tried before; the state says how it went."""
        state = self.states.setdefault(candidate, PluginState())
        if state.loaded is None and state.failure is None:
            with _loading:
                if state.busy:
                    return _circular(candidate)
                if state.loaded is None and state.failure is None:
                    self._load(candidate, state)
        return state

    def require(self, candidate: Candidate, kind: str, name: str) -> "Loaded":
        """Load a candidate because a name that it owns is used.

        Args:
            candidate: The candidate.
            kind: What is asked of it.
            name: The name.

        Raises:
            PluginUnavailableError: It does not load; the original exception is the cause.
        """
        while True:
            state = self.ensure(candidate)
            if failure := state.failure:
                raise errors.PluginUnavailableError(kind, name, failure) from state.error
            if state.loaded:  # else another thread has given the failure another chance
                return state.loaded

    def _load(self, candidate: Candidate, state: PluginState) -> None:
        from aimm.plugins._loader import BrokenPluginError, load

        state.busy = True
        try:
            state.effects = []
            loaded = load(candidate, state.effects)
            self._commit(loaded, state)
            state.loaded = loaded
        except BrokenPluginError as error:
            state.failure, state.error = error.failure, error.__cause__
        finally:
            state.busy = False
        if state.failure:
            _log(state.failure)
            self._tell("plugin_failed", failure=state.failure)
        else:
            who = {
                "plugin": candidate.name,
                "distribution": candidate.distribution,
                "version": candidate.version,
            }
            self._tell("plugin_loaded", **who)

    def _commit(self, loaded: "Loaded", state: PluginState) -> None:
        from aimm.plugins._loader import broken

        candidate, stage = loaded.candidate, "check"
        try:
            plugins = self._hook_plugins(loaded)
            if candidate.group == "aimm.plugins" and not plugins and not loaded.records:
                raise errors.DeclarationError(
                    f"{candidate.value} has neither hook implementations (marked with plugins.hookimpl) nor "
                    "decorated functions"
                )
            stage = "settings"
            settings = self.config.settings.get(candidate.name)
            check_settings(plugins, candidate.name, settings)
            stage = "configure"
            hand_over(plugins, settings)
            stage = "check"
            records = [record for plugin in plugins for record in self._static_records(plugin, candidate)]
            stage = "register"
            records = [*self._stamped(loaded), *records]
            self._merge(records, candidate)
            state.records, state.hooks, state.settings = tuple(records), tuple(plugins), settings
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise broken(candidate, stage, error) from error
        for plugin in plugins:
            self.add_hooks(plugin)

    def _stamped(self, loaded: "Loaded") -> list[Record]:
        candidate = loaded.candidate
        return [
            record._replace(source=self._source(candidate, record.name, record.source.module, candidate.names))
            for record in loaded.records
        ]

    def _source(self, candidate: Candidate, name: str, module: str, declared: Iterable[str]) -> Source:
        source = Source(module, candidate.name, candidate.distribution, candidate.version)
        return source._replace(rank=self._rank(candidate.is_explicit, name in declared))

    @staticmethod
    def _rank(explicit: bool, declared: bool) -> int:
        return EXPLICIT if explicit else DECLARED if declared else UNDECLARED

    def _preferred(self, record: Record) -> Record:
        wanted = self.config.prefer.get(record.name)
        if wanted is None or not same_owner(wanted, record.source.choice):
            return record
        return record._replace(source=record.source._replace(rank=PREFERRED))

    def _merge(self, records: list[Record], candidate: Candidate) -> None:
        ranked = [self._preferred(record) for record in records]
        if candidate.is_explicit:
            self._registry.add(ranked)
            return
        for clash in self._registry.merge(ranked):
            rivals = self._clashes.get(clash.first.key, [])
            if not rivals or rivals[0].source.rank < clash.first.source.rank:
                rivals = [clash.first]
            self._clashes[clash.first.key] = [*rivals, clash.second]

    def _hook_plugins(self, loaded: "Loaded") -> list["HookPlugin"]:
        if not any(map(has_hooks, loaded.targets)):
            return []
        from aimm.plugins._hooks import read_hook_plugin

        known = [plugin.plugin for plugin in self.hooks.plugins] if self.hooks else []
        source = self._source(loaded.candidate, "", loaded.candidate.module, ())
        # A plugin that is reached twice, by its entry point and by its module's name, is one.
        found = [read_hook_plugin(target, source) for target in loaded.targets if not any(target is k for k in known)]
        return [plugin for plugin in found if plugin]

    def _static_records(self, plugin: "HookPlugin", candidate: Candidate) -> list[Record]:
        return [
            record
            for model_type in plugin.static_model_types()
            for record in plugin.owned_records(model_type, self._rank(candidate.is_explicit, declared=True))
        ]

    def assign(self, model_type: str, plugin: "HookPlugin") -> None:
        """Register a model type that a plugin claims by ``resolve_model_type``, unless it has left meanwhile."""
        rank = self._rank(plugin.source.rank >= EXPLICIT, declared=False)
        with self._joining:
            if self.hooks and any(plugin is held for held in self.hooks.plugins):
                self._registry.merge(map(self._preferred, plugin.owned_records(model_type, rank)))

    def join(self, plugin: "HookPlugin") -> None:
        """Take in a hook plugin that no candidate brings.

        Raises:
            ConfigError: Its settings do not follow its schema.
            DeclarationError: It lists something else than names of model types.
            DuplicateError: A model type that it lists is taken.
        """
        name = plugin.source.plugin or ""
        settings = self.config.settings.get(name)
        check_settings([plugin], name, settings)
        hand_over([plugin], settings)
        self._registry.add(r for t in plugin.static_model_types() for r in plugin.owned_records(t, EXPLICIT))
        self.add_hooks(plugin)

    def leave(self, plugin: "HookPlugin") -> None:
        """Take a hook plugin out again, with every model type that it owns."""
        functions = plugin.hooks.values()
        with self._joining:
            self.remove_hooks(plugin)
            self._registry.discard(r.key for r in self._registry.records() if any(r.function is f for f in functions))

    def add_hooks(self, plugin: "HookPlugin") -> None:
        """Join a hook plugin: its wrappers see every later call."""
        from aimm.plugins._hooks import HookLayer

        with self._joining:
            if self.hooks is None:
                self.hooks = HookLayer(self._tables)
            self.hooks.add(plugin)
            self._rewrapped()

    def remove_hooks(self, plugin: "HookPlugin") -> None:
        """Take a hook plugin out again."""
        with self._joining:
            if self.hooks is not None:
                self.hooks.remove(plugin)
                self._rewrapped()

    def _tell(self, event: str, **arguments: Any) -> None:
        for plugin, error in self.hooks.tell(event, **arguments) if self.hooks else ():
            from aimm.plugins._loader import in_words

            _logger().warning("%s: %s failed: %s", plugin.source.describe(), event, in_words(error))


def check_settings(plugins: Iterable["HookPlugin"], name: str, settings: Mapping[str, Any] | None) -> None:
    """Check the settings of a plugin against its own schema.

    Raises:
        ConfigError: They do not follow it, or the plugin takes none.
    """
    location = f"settings.{name}"
    for plugin in plugins:
        plugin.check_settings(settings or {}, location)
    if settings is not None and not any("configure" in plugin.hooks for plugin in plugins):
        raise errors.ConfigError("this plugin takes no settings: it does not implement configure", location)


def hand_over(plugins: Iterable["HookPlugin"], settings: Mapping[str, Any] | None) -> None:
    """Configure a plugin; each of its hook plugins gets settings of its own."""
    for plugin in plugins:
        plugin.call("configure", settings=dict(settings or {}))


def has_hooks(target: Any) -> bool:
    """Whether anything in a module or object is marked with ``hookimpl``; costs no import of pluggy."""
    if "pluggy" not in sys.modules:
        return False
    from inspect import getattr_static

    found = (getattr_static(target, name, None) for name in dir(target))
    return any(isinstance(getattr_static(getattr(f, "__func__", f), "aimm_impl", None), dict) for f in found)


def _circular(candidate: Candidate) -> PluginState:
    from aimm.plugins._loader import broken

    state = PluginState()
    error = errors.DeclarationError("the plugin uses one of its own names while it is being imported")
    state.failure, state.error = broken(candidate, "import", error).failure, error
    return state


def _log(failure: "errors.PluginFailure") -> None:
    # One line: whoever uses the plugin gets the whole story as an error, and the doctor tells it at any time.
    _logger().warning("%s; 'aimm plugins doctor' says what to do", failure.summary)
    _logger().debug("%s", failure.traceback)


def _logger() -> Any:
    import logging

    return logging.getLogger("aimm.plugins")
