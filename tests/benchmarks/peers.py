"""What is measured beside us: how each library lists the plugins of a group, and gets one of them by name.

Each does so in its own shortest way. plux and stevedore offer no public call that lists names without importing what
is behind them, so their nearest internal one stands in; pluggy cannot list at all; plux's managers import every plugin
of a namespace to get one, so it takes part in lists only.
"""

from typing import NamedTuple

GROUP = "bench_plugins"
"""A group that all peers can read; ours reads the same names in ``aimm.models``."""


class Peer(NamedTuple):
    """One line of the plot.

    Attributes:
        name: What it is called.
        imports: The statement that imports it.
        lists: The expression whose value is the names of all plugins; None if it has none.
        finds: The expression whose value is the plugin {name}, imported; None if it has none.
        resolves: The expression whose value is where the plugin {name} is, not imported; measured for ours alone.
        is_warm: Whether caches on disk are filled before; None if it has no cache.
    """

    name: str
    imports: str
    lists: str | None
    finds: str | None
    is_warm: bool | None = None
    resolves: str | None = None


OURS = Peer(
    "aimm",
    "from aimm import plugins",
    "[c.name for c in plugins.discover().candidates]",
    "plugins.initialize() and plugins.route({name!r}).instantiate()",
    resolves="plugins.discover().contenders('aimm.models', {name!r})",
)
STDLIB = Peer(
    "importlib.metadata",
    "import importlib.metadata as m",
    f"[e.name for e in m.entry_points(group={GROUP!r})]",
    f"[e.load() for e in m.entry_points(group={GROUP!r}, name={{name!r}})]",
)
BACKPORT = STDLIB._replace(name="importlib_metadata", imports="import importlib_metadata as m")
STEVEDORE = Peer(
    "stevedore",
    "from stevedore import DriverManager, NamedExtensionManager",
    f"[e.name for e in NamedExtensionManager({GROUP!r}, names=[]).list_entry_points()]",
    f"DriverManager({GROUP!r}, {{name!r}}, invoke_on_load=False).driver",
)
PLUX = Peer(
    "plux",
    "from plux.runtime.cache import EntryPointsCache",
    f"[e.name for e in EntryPointsCache.instance().get_entry_points()[{GROUP!r}]]",
    None,
)
PLUGGY = Peer(
    "pluggy",
    "import pluggy",
    None,
    f"pluggy.PluginManager('x').load_setuptools_entrypoints({GROUP!r}, name={{name!r}})",
)
CATALOGUE = Peer(
    "catalogue",
    "import catalogue",
    "[e.name for e in catalogue.create('bench', 'plugins', entry_points=True)._get_entry_points()]",
    "catalogue.create('bench', 'plugins', entry_points=True).get({name!r})",
)


def _cold(peer: Peer) -> Peer:
    return peer._replace(name=f"{peer.name}, cold", is_warm=False)


def _warm(peer: Peer) -> Peer:
    return peer._replace(name=f"{peer.name}, warm", is_warm=True)


PEERS = (
    _warm(OURS),
    _cold(OURS),
    STDLIB,
    BACKPORT,
    _warm(STEVEDORE),
    _cold(STEVEDORE),
    _warm(PLUX),
    _cold(PLUX),
    PLUGGY,
    CATALOGUE,
)
