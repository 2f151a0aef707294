"""The configuration: one checked document, frozen. What only some documents need stands in ``_document``."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from aimm import errors

Conf: TypeAlias = "Mapping[str, Any] | str | os.PathLike[str] | PluginsConfig | None"


class PluginsConfig(NamedTuple):
    """One checked configuration.

    Attributes:
        names: Modules to import, in this order.
        entry_points: Whether entry points are looked for.
        include: Patterns of distribution names that may load.
        exclude: Patterns of distribution names that never load.
        directories: Absolute paths of plugin directories.
        prefer: Contested name to the distribution, module or plugin that owns it.
        strict: Whether failures raise; None means those of plugins named in the document do.
        settings: Plugin name to its settings.
        given: The top-level keys that the document has.
    """

    names: tuple[str, ...] = ()
    entry_points: bool = True
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    prefer: Mapping[str, str] = {}
    strict: bool | None = None
    settings: Mapping[str, Mapping[str, Any]] = {}
    given: frozenset[str] = frozenset()

    def merged_with(self, later: "PluginsConfig") -> "PluginsConfig":
        """This configuration and a later one: lists and mappings add up, other keys count where the later has them."""
        chosen = later if "entry_points" in later.given else self
        return PluginsConfig(
            names=tuple(dict.fromkeys(self.names + later.names)),
            entry_points=chosen.entry_points,
            include=chosen.include,
            exclude=chosen.exclude,
            directories=tuple(dict.fromkeys(self.directories + later.directories)),
            prefer={**self.prefer, **later.prefer},
            strict=later.strict if "strict" in later.given else self.strict,
            settings={**self.settings, **later.settings},
            given=self.given | later.given,
        )


NO_CONFIG = PluginsConfig()
"""The configuration of who gives none."""


def load_config(conf: Conf = None) -> PluginsConfig:
    """Read and check a configuration.

    Args:
        conf: A mapping; or the path of a YAML, TOML or JSON file; or None for ``{"names": []}``; or a configuration
            that was checked before.

    Raises:
        ConfigError: The file cannot be read or the document does not follow the schema.
    """
    if isinstance(conf, PluginsConfig):
        return conf
    if conf is None:
        return NO_CONFIG
    if isinstance(conf, Mapping):
        return _checked(conf, "configuration", "")
    if isinstance(conf, (str, os.PathLike)):
        path = os.path.abspath(os.fspath(conf))
        from aimm.plugins._document import read

        return _checked(read(path), path, os.path.dirname(path))
    raise errors.ConfigError(f"expected a mapping or the path of a YAML, TOML or JSON file, not {type(conf).__name__}")


def _checked(document: Any, source: str, base: str) -> PluginsConfig:
    if not _is_plainly_valid(document):
        from aimm.plugins._document import validate

        validate(document, source)
    points = document.get("entry_points", {})
    return PluginsConfig(
        names=tuple(document["names"]),
        entry_points=points.get("enabled", True),
        include=tuple(points.get("include", ("*",))),
        exclude=tuple(points.get("exclude", ())),
        directories=tuple(
            os.path.abspath(os.path.join(base, os.path.expanduser(path))) for path in document.get("directories", ())
        ),
        prefer=dict(document.get("prefer", {})),
        strict=document.get("strict"),
        settings={name: dict(values) for name, values in document.get("settings", {}).items()},
        given=frozenset(document),
    )


def _is_plainly_valid(document: Any) -> bool:
    # The common document needs no jsonschema, whose import costs more than everything else initialize does.
    if type(document) is not dict or list(document) != ["names"] or type(document["names"]) is not list:
        return False
    return all(
        type(name) is str and name.isascii() and all(part.isidentifier() for part in name.split("."))
        for name in document["names"]
    )
