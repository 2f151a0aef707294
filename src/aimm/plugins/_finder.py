"""From a name to the record of its one owner, or to an error that says why there is none.

A name is looked for, in this order, among the records, among the candidates that declare it (its owner is loaded then),
and among the plugins that decide dynamically.
"""

from collections.abc import Iterable
from typing import Any

from aimm import errors
from aimm._types import ACTIONS, MODEL_ACTIONS
from aimm.plugins._discovery import conflict, kind_of, safe_mode, same_owner
from aimm.plugins._index import canonical_name
from aimm.plugins._plugin_set import PluginSet
from aimm.plugins._registry import DECLARED, EXPLICIT, PREFERRED, Record, Registry, Source, default_registry
from aimm.plugins._report import Owner


class Finder:
    """Finds owners for one manager.

    Args:
        registry: The records.
        plugin_set: The plugins, loaded and not.
    """

    def __init__(self, registry: Registry, plugin_set: PluginSet) -> None:
        self._registry, self._set = registry, plugin_set

    def find(self, action: str, name: str) -> Record:
        """The record of the one owner of a name; loads that owner if need be.

        Args:
            action: The action.
            name: Model type, or data access name.

        Raises:
            PluginNotFoundError: Nobody owns this name.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
        """
        record = self._find(action, name)
        if record is None:
            raise self.unknown(action, name)
        return record

    def _find(self, action: str, name: str) -> Record | None:
        if not isinstance(name, str):
            return None
        record = self._registry.get(action, name)
        if record is None or record.source.rank < PREFERRED:
            self._load_owner(action, name, record)
            record = self._registry.get(action, name)
        if clash := self._set.clash(action, name):
            raise clash
        if record is None and action in MODEL_ACTIONS:
            record = self._resolve_dynamically(action, name)
        return record

    def target(self, group: str, name: str) -> Any:
        """The object that the one entry point of this name points at; loads it if need be.

        Raises:
            PluginNotFoundError: No entry point of the group has this name.
            PluginConflictError: Two have.
            PluginUnavailableError: Its plugin is broken.
        """
        name = canonical_name(group, name, "") or name
        rivals = self._set.found.contenders(group, name)
        if len(rivals) > 1:
            raise conflict(group, name, rivals)
        if not rivals:
            known = sorted({known for candidate in self._set.found.in_group(group) for known in candidate.names})
            raise errors.PluginNotFoundError(kind_of(group), name, known)
        return self._set.require(rivals[0], kind_of(group), name).targets[0]

    def _load_owner(self, action: str, name: str, record: Record | None) -> None:
        group = "aimm.data_access" if action == "data_access" else "aimm.models"
        wanted = self._set.config.prefer.get(name)
        if record and record.source.rank == EXPLICIT and wanted is None:
            return
        rivals = self._set.found.contenders(group, name, wanted=record is None)
        preferred = wanted is not None and any(same_owner(wanted, rival.choice) for rival in rivals)
        if not rivals or (record and record.source.rank == EXPLICIT and not preferred):
            return
        if len(rivals) > 1:
            raise conflict(group, name, rivals)
        (owner,) = rivals
        if record and record.source.rank == DECLARED and not preferred and not self._set.is_from(record, owner):
            described = [record.source.describe(), f"{owner.distribution} {owner.version} ({owner.value})"]
            raise errors.PluginConflictError(kind_of(group), name, described, [record.source.choice, owner.choice])
        self._set.require(owner, action, name)

    def _resolve_dynamically(self, action: str, name: str) -> Record | None:
        claiming, failing = self._set.hooks.claimants(name) if self._set.hooks else ([], [])
        if len(claiming) > 1:
            wanted = self._set.config.prefer.get(name)
            claiming = [p for p in claiming if wanted and same_owner(wanted, p.source.choice)] or claiming
        if len(claiming) > 1:
            sources = [plugin.source for plugin in claiming]
            raise errors.PluginConflictError(
                "model type", name, [s.describe() for s in sources], [s.choice for s in sources]
            )
        if claiming:
            self._set.assign(name, claiming[0])
        elif failing:
            from aimm.plugins._loader import in_words

            plugin, error = failing[0]
            hint = f"{plugin.source.describe()} could not say whether it owns it: {in_words(error)}"
            raise self.unknown(action, name, hint) from error
        return self._registry.get(action, name)

    def require(self, model_type: str) -> None:
        """See that somebody offers at least one action of a model type; loads its owner.

        Args:
            model_type: The model type.

        Raises:
            PluginNotFoundError: Nobody does.
            PluginConflictError: Two plugins own it.
            PluginUnavailableError: Its owner is broken.
        """
        refusal = None
        for action in MODEL_ACTIONS:
            try:
                if self._find(action, model_type):
                    return
            except errors.PluginNotFoundError as error:
                refusal = error
        if refusal is None:
            raise self.unknown("model type", model_type)
        raise errors.PluginNotFoundError(
            "model type", refusal.name, refusal.known, refusal.hints
        ) from refusal.__cause__

    def unknown(self, action: str, name: str, *hints: str) -> "errors.PluginNotFoundError":
        """The error for a name that nobody owns, with every reason for it that is known."""
        if not isinstance(name, str):
            return errors.PluginNotFoundError(
                action, repr(name), hints=(f"a name is a string, not {type(name).__name__}",)
            )
        kind = "data access" if action == "data_access" else "model type"
        known = sorted({owner.name for owner in self.owners(kind)} - {"(dynamic)"})
        return errors.PluginNotFoundError(action, name, known, (*hints, *self._hints(kind, name, known, bool(hints))))

    def _hints(self, kind: str, name: str, known: list[str], is_unsure: bool) -> Iterable[str]:
        from difflib import get_close_matches

        offers = sorted({r.kind for r in self._registry.records() if r.name == name and r.kind in ACTIONS})
        similar = self._set.hooks.similar(name) if self._set.hooks and kind == "model type" and not offers else []
        if offers:
            yield f"its owner offers only {', '.join(offers)}"
        elif near := get_close_matches(name, [*known, *similar], n=1) or [
            *(one for one in known if one.endswith(f".{name}")),
            *similar,
        ]:
            yield f"did you mean {near[0]!r}?"
        if not self._set.initialized:
            yield self._uninitialized()
        elif safe_mode():
            yield "AIMM_SAFE_MODE is on, so no third-party plugin is loaded"
        group = "aimm.data_access" if kind == "data access" else "aimm.models"
        for left_out in self._set.found.excluded:
            if left_out.group == group and name in left_out.names:
                yield f"distribution {left_out.distribution} declares it, but the configuration excludes it"
        if self._set.hooks and kind == "model type":
            asked = [p.source.describe() for p in self._set.hooks.plugins if "resolve_model_type" in p.hooks]
            if asked and not offers and not is_unsure:
                yield f"{' and '.join(asked)} may own further names, but not this one"
        for candidate, state in self._set.states.copy().items():
            if state.failure and candidate.group not in ("aimm.models", "aimm.data_access"):
                yield f"{state.failure.owner} failed to load and may have declared it: {state.failure.cause}"

    def _uninitialized(self) -> str:
        if self._registry is default_registry:
            return "initialize() has not run: call aimm.plugins.initialize(), or import the plugin's module"
        return (
            "initialize() has not run for this PluginManager: call its own initialize(), "
            "for aimm.plugins.initialize() is that of the default one"
        )

    def owners(self, kind: str = "model type") -> list[Owner]:
        """Who owns which name, without importing anything.

        Args:
            kind: ``model type`` or ``data access``.

        Returns:
            One entry for each name, sorted; then one for each plugin that decides dynamically.
        """
        actions = MODEL_ACTIONS if kind == "model type" else ("data_access",)
        group = "aimm.models" if kind == "model type" else "aimm.data_access"
        found: dict[tuple[str, Source], list[str]] = {}
        for record in self._registry.records():
            if record.kind in actions:
                source = record.source._replace(module=record.source.plugin or record.source.module, rank=0)
                found.setdefault((record.name, source), []).append(record.kind)
        owners = [
            Owner(name, s.module, s.distribution, s.version, tuple(sorted(held, key=actions.index)))
            for (name, s), held in found.items()
        ]
        taken = {owner.name for owner in owners}
        lazy = [c for c in self._set.found.in_group(group) if c.name not in taken]
        owners += [Owner(c.name, c.name, c.distribution, c.version) for c in lazy]
        hooks = self._set.hooks.plugins if self._set.hooks and kind == "model type" else ()
        dynamic = [_dynamic_owner(plugin) for plugin in hooks if "resolve_model_type" in plugin.hooks]
        return sorted(owners) + dynamic


def _dynamic_owner(plugin: Any) -> Owner:
    source, actions = plugin.source, tuple(action for action in MODEL_ACTIONS if action in plugin.hooks)
    return Owner("(dynamic)", source.plugin or source.module, source.distribution, source.version, actions)
