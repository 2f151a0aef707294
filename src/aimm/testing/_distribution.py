"""Installed distributions made for a test, and a manager that sees no others."""

import importlib
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aimm import plugins


class Distribution:
    """A distribution that looks installed: real modules, and metadata beside them.

    Args:
        site: The folder that plays ``site-packages``; whoever makes it puts it on ``sys.path``.
        name: Name of the distribution.
        files: Path of each file, relative to ``site``, to its content, which is dedented.
        entry_points: Group to its entry points, each a name and what it points at.
        version: Version of the distribution.

    Attributes:
        site: The folder.
        name: The name.
        version: The version.
    """

    def __init__(
        self,
        site: Path,
        name: str,
        files: Mapping[str, str],
        entry_points: Mapping[str, Mapping[str, str]],
        version: str = "1.0",
    ) -> None:
        self.site, self.name, self.version = site, name, version
        written = [self._write(path, textwrap.dedent(content).lstrip()) for path, content in files.items()]
        lines = [
            line
            for group, declared in entry_points.items()
            for line in (f"[{group}]", *(f"{entry} = {value}" for entry, value in declared.items()), "")
        ]
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        written += [
            self._write(f"{info}/METADATA", metadata),
            self._write(f"{info}/entry_points.txt", "\n".join(lines)),
        ]
        self._write(f"{info}/RECORD", "".join(f"{file.relative_to(site).as_posix()},,\n" for file in written))
        importlib.invalidate_caches()

    def _write(self, path: str, content: str) -> Path:
        file = self.site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
        return file


class IsolatedManager(plugins.PluginManager):
    """A manager that sees the distributions of one test, and no other installed plugin unless it is asked for.

    Asking is a configuration with entry points: ``{"names": [], "entry_points": {"include": ["acme"]}}``.

    Attributes:
        distributions: Names of the distributions that it sees.
    """

    def __init__(self) -> None:
        self.distributions: list[str] = []
        super().__init__()

    def initialize(self, conf: Any = None) -> plugins.Report:
        """Find the plugins of this test; see :meth:`aimm.plugins.PluginManager.initialize`.

        Raises:
            ConfigError: The configuration is wrong; nothing was changed.
            PluginLoadError: A plugin that the configuration names failed.
        """
        return super().initialize(self._narrowed(conf))

    def discover(self, conf: Any = None) -> plugins.Found:
        """Find the plugins of this test without importing any.

        Raises:
            ConfigError: The configuration is wrong.
        """
        return super().discover(self._narrowed(conf))

    def _narrowed(self, conf: Any) -> Any:
        if conf is None:
            conf = {"names": []}
        if not isinstance(conf, Mapping) or "entry_points" in conf:
            return conf
        return {**conf, "entry_points": {"enabled": bool(self.distributions), "include": list(self.distributions)}}
