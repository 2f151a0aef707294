"""What ``initialize`` tells its caller: plain data, ready to be logged, pickled or shown."""

from typing import NamedTuple

from aimm.errors import PluginConflictError, PluginFailure
from aimm.plugins._discovery import Candidate


class Report(NamedTuple):
    """The state of every plugin.

    Attributes:
        loaded: Plugins that are imported and registered.
        lazy: Plugins that load when one of their names is used.
        failed: Plugins that do not work, and why.
        conflicts: Names that several plugins claim and the configuration does not settle.
        side_effects: What loading plugins changed in the process, in words.
    """

    loaded: tuple[Candidate, ...] = ()
    lazy: tuple[Candidate, ...] = ()
    failed: tuple[PluginFailure, ...] = ()
    conflicts: tuple[PluginConflictError, ...] = ()
    side_effects: tuple[str, ...] = ()


class Owner(NamedTuple):
    """Who owns a name.

    Attributes:
        name: Model type or data access name; a pattern in words for dynamic owners.
        plugin: Name of the plugin, or the module of a plain import.
        distribution: Its distribution, if known.
        version: Version of that distribution.
        actions: What it offers; empty as long as it is not loaded.
    """

    name: str
    plugin: str
    distribution: str | None
    version: str | None
    actions: tuple[str, ...] = ()
