"""The only composer: configuration → discovery → loading → registry → routes.

Several managers live side by side; the functions of :mod:`aimm.plugins` belong to the default one.
"""

import sys
from _thread import RLock  # all that is needed of threading, at a tenth of its price
from collections.abc import Callable, Iterable
from typing import Any

from aimm import errors
from aimm.plugins._config import Conf, PluginsConfig, load_config
from aimm.plugins._discovery import Candidate, Found, discover
from aimm.plugins._execute import Calls
from aimm.plugins._finder import Finder
from aimm.plugins._plugin_set import PluginSet
from aimm.plugins._registry import (
    EXPLICIT,
    Key,
    Record,
    Registry,
    Source,
    default_registry,
)
from aimm.plugins._report import Owner, Report
from aimm.plugins._routes import Entry, Route


class PluginManager(Calls):
    """Finds, loads and calls plugins.

    Args:
        conf: As for :meth:`initialize`, which is called with it; without it the manager starts empty.
        registry: Where records live; a new registry if not given.

    Raises:
        ConfigError: See :meth:`initialize`.
        PluginLoadError: See :meth:`initialize`.
    """

    def __init__(self, conf: Conf = None, *, registry: Registry | None = None) -> None:
        super().__init__()
        self._registry = Registry() if registry is None else registry
        self._lock = RLock()
        self._initializing = RLock()
        self._generation = 0
        self._set = PluginSet(self._registry, self._tables, self._reset_all)
        self._finder = Finder(self._registry, self._set)
        self._registered: tuple[tuple[Any, str], ...] = ()
        self._kinds: dict[str, Callable[[str], Record]] = {}
        self._registry.watch(self._reset)
        if conf is not None:
            self.initialize(conf)

    def initialize(self, conf: Conf = None) -> Report:
        """Find every plugin, and import those that the configuration names and the hook plugins.

        All other plugins are imported when one of their names is first used. A second call adds to the first; what is
        loaded stays loaded, what failed is tried again.

        Args:
            conf: Configuration that follows the schema under id ``aimm://plugins.yaml#``; or the path of a YAML, TOML
                or JSON file that holds it; or None for ``{"names": []}``.

        Returns:
            What is loaded, what will load when used, what failed, and which names are contested.

        Raises:
            ConfigError: The configuration is wrong; nothing was changed.
            PluginLoadError: A plugin that the configuration names failed (or any plugin, if ``strict``). Everything
                else was loaded first; the error carries the report.
        """
        config = load_config(conf)
        with self._initializing:
            _notice_new_modules()
            config = self._set.config.merged_with(config)
            self._set.update(config, discover(config))
            self._reset_all()
            for candidate in self._set.eager():
                self._set.ensure(candidate)
            report = self.report
            loud = self._loud_failures(report)
            conflicts = report.conflicts if config.strict else ()
            if loud or conflicts:
                raise errors.PluginLoadError(loud, report, conflicts)
            return report

    def unload_all(self) -> None:
        """Forget every plugin and declaration; ``initialize`` registers them again."""
        with self._initializing:
            self._set.forget()
            self._registry.clear()
            self._registered = ()
            self._reset_all()

    @property
    def config(self) -> PluginsConfig:
        """The configuration that ``initialize`` got, all calls together; another process starts from it likewise."""
        return self._set.config

    @property
    def report(self) -> Report:
        """The state of every plugin just now, as ``initialize`` returns it."""
        states = self._set.states.copy()
        done = {candidate: state for candidate, state in states.items() if state.loaded or state.failure}
        failed = [state.failure for state in done.values() if state.failure]
        made = Report(
            loaded=(candidate for candidate, state in done.items() if state.loaded),
            failed=(*failed, *self._set.found.failures()),
            conflicts=self._set.clashes(),
            side_effects=(f"{c.name}: {effect}" for c, state in done.items() for effect in state.effects),
        )
        return made.about(self._set.found, done)

    def register(self, plugin: Any, name: str | None = None) -> Callable[[], None]:
        """Join a hook plugin, a module or object with ``hookimpl`` functions, at run time.

        Args:
            plugin: The module or object.
            name: What to call it in messages; its type or module name if not given.

        Returns:
            A function that takes it out again.

        Raises:
            DeclarationError: It has no hook implementation, or one does not fit.
            ConfigError: The configuration has settings under its name that do not follow its schema.
            DuplicateError: A model type that it lists is taken.
        """
        from aimm.plugins._hooks import read_hook_plugin

        module = getattr(plugin, "__name__", type(plugin).__module__)
        source = Source(module, name or getattr(plugin, "__name__", type(plugin).__name__), rank=EXPLICIT)
        hooks = read_hook_plugin(plugin, source)
        if hooks is None:
            raise errors.DeclarationError(f"{plugin!r} has no function marked with plugins.hookimpl")
        self._set.join(hooks)
        entry = (plugin, source.plugin or "")
        with self._lock:
            self._registered = (*self._registered, entry)

        def leave() -> None:
            self._set.leave(hooks)
            with self._lock:
                self._registered = tuple(held for held in self._registered if held is not entry)

        return leave

    @property
    def registered(self) -> tuple[tuple[Any, str], ...]:
        """The hook plugins that joined at run time, each with its name; another process needs them too."""
        return self._registered

    def route(self, model_type: str) -> Route:
        """Resolve a model type once, for hot loops; see :class:`Route`.

        Args:
            model_type: Name of the model type.

        Raises:
            PluginNotFoundError: Nobody owns this model type.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
        """
        self._finder.require(model_type)
        return Route(
            model_type,
            lambda action, name: self._tables[action].setdefault(name, Entry(action, name, self._bind)),
        )

    def parameters(self, name: str, action: str) -> list[str] | None:
        """The names of the arguments that an action takes from its caller.

        Args:
            name: Model type, or data access name.
            action: The action.

        Returns:
            Names in positional order, without instance and state callback; None if they cannot be known.

        Raises:
            PluginNotFoundError: Nobody owns this name.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
        """
        record = self._finder.find(action, name)
        if record.hook_arguments is not None:
            return self._set.hooks.parameters(record, name, action) if self._set.hooks else None
        from aimm.plugins._signature import parameter_names

        return parameter_names(record)

    def owners(self, kind: str = "model type") -> list[Owner]:
        """Who owns which name, without importing anything.

        Args:
            kind: ``model type`` or ``data access``.

        Returns:
            One entry for each name, sorted; then one for each plugin that decides dynamically.
        """
        return self._finder.owners(kind)

    def owner(self, name: str, action: str) -> Owner:
        """Who owns one action of a name; loads the owner.

        Args:
            name: Model type, or data access name.
            action: The action.

        Raises:
            PluginNotFoundError: Nobody owns this name.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
        """
        source = self._finder.find(action, name).source
        return Owner(name, source.plugin or source.module, source.distribution, source.version, (action,))

    def owner_record(self, name: str, action: str) -> Record:
        """What was registered for one action of a name: the function and how it wants to be called; loads the owner.

        Args:
            name: Model type, or data access name.
            action: The action.

        Raises:
            PluginNotFoundError: Nobody owns this name.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
        """
        return self._finder.find(action, name)

    def discover(self, conf: Conf = None) -> Found:
        """Find every plugin without importing any, and without changing the manager.

        Args:
            conf: As for :meth:`initialize`; it adds to what this manager was initialised with.

        Raises:
            ConfigError: The configuration is wrong.
        """
        return discover(self._set.config.merged_with(load_config(conf)))

    def load(self, candidate: Candidate) -> "errors.PluginFailure | None":
        """Load one plugin now, whether or not its names are contested.

        Args:
            candidate: What to load, as :meth:`discover` found it.

        Returns:
            Why it does not work; None if it does.
        """
        return self._set.ensure(candidate).failure

    def target(self, group: str, name: str) -> Any:
        """The object that an entry point points at, for groups whose plugins are used directly; loads it if need be.

        Args:
            group: Entry-point group, such as ``aimm.train``.
            name: Name that the entry point answers to.

        Raises:
            PluginNotFoundError: No entry point of the group has this name.
            PluginConflictError: Two have.
            PluginUnavailableError: Its plugin is broken.
        """
        return self._finder.target(group, name)

    def require(self, candidate: Candidate, kind: str, name: str) -> tuple[Any, ...]:
        """Load the plugin that owns a name.

        Args:
            candidate: The plugin.
            kind: What is asked of it.
            name: The name that it owns.

        Returns:
            What its declaration points at: an object or module; of a plugin directory, all its modules.

        Raises:
            PluginUnavailableError: It does not load; the original exception is the cause.
        """
        return self._set.require(candidate, kind, name).targets

    def records(self, kind: str) -> tuple[Record, ...]:
        """Every record of one kind, in the order of registration."""
        return tuple(record for record in self._registry.records() if record.kind == kind)

    def record(self, kind: str, name: str) -> Record | None:
        """The record of this kind and name, if it is registered by now; nothing is loaded for it."""
        return self._registry.get(kind, name)

    def add_kind(self, kind: str, find: Callable[[str], Record]) -> None:
        """Have somebody else find the owners of one kind of routed call, for packages beside this one.

        Args:
            kind: The kind, one of those that have a hook.
            find: Gives the record of a name, or raises.
        """
        self._kinds[kind] = find

    def entry(self, kind: str, name: str) -> Entry:
        """What calls the one owner of a name through the wrappers; it finds that owner anew when plugins change.

        Args:
            kind: The kind of call.
            name: The name.
        """
        return self._tables[kind].get(name) or self._entry(kind, name)

    def candidates(self) -> tuple[Candidate, ...]:
        """Every plugin that the last ``initialize`` found, loaded or not."""
        return self._set.found.candidates

    def _reset(self, keys: Iterable[Key]) -> None:
        with self._lock:
            self._generation += 1
            for kind, name in keys:
                if entry := self._tables.get(kind, {}).get(name):
                    entry.reset()

    def _reset_all(self) -> None:
        self._reset([(kind, name) for kind, table in self._tables.items() for name in list(table)])

    def _bind(self, entry: Entry) -> None:
        while True:
            generation = self._generation
            find = self._kinds.get(entry.action)
            record = find(entry.name) if find else self._finder.find(entry.action, entry.name)
            with self._lock:
                # Finding may load a plugin, and other threads go on: what was found must still be true when it is set.
                if generation == self._generation:
                    entry.set(record, self._set.hooks.wrapped(entry.action) if self._set.hooks else None)
                    # Under the same lock, or a change just now would miss an entry that is in no table yet.
                    self._tables[entry.action].setdefault(entry.name, entry)
                    return

    def _loud_failures(self, report: Report) -> "list[errors.PluginFailure]":
        strict = self._set.config.strict
        if strict is not None:
            return list(report.failed) if strict else []
        asked = self._set.config.settings
        return [
            failure
            for failure in report.failed
            if (failure.distribution is None and failure.stage != "discover")
            or (failure.stage in ("settings", "configure") and failure.plugin in asked)
        ]


def _notice_new_modules() -> None:
    """Have imports see files made a moment ago.

    ``importlib.invalidate_caches`` does the same and, since Python 3.13, imports ``importlib.metadata`` for it, which
    takes longer than everything else that ``initialize`` does.
    """
    for folder, finder in list(sys.path_importer_cache.items()):
        if finder is None:
            sys.path_importer_cache.pop(folder, None)
        elif hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()


default_manager = PluginManager(registry=default_registry)
"""The manager behind the functions of :mod:`aimm.plugins`, and behind declarations made by a plain import."""
