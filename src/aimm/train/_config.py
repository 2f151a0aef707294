"""The training configuration: the file of ``aimm train --config``, and the keys that are ours in it."""

import os
from collections.abc import Mapping
from typing import Any

from aimm.errors import ConfigError, MissingInputError

KEYS: dict[str, tuple[tuple[type, ...], str]] = {
    "dataset": ((str, Mapping), "the name of a data access, a path or a URL; or a mapping with 'name' and 'arguments'"),
    "artifact_path": ((str,), "a path or a URL, as text"),
    "plugin_cache": ((str,), "a folder, as text"),
    "overwrite": ((bool,), "true or false"),
    "metadata": ((Mapping,), "a mapping"),
    "plugin": ((Mapping,), "a mapping"),
}
"""Every key that means something to ``aimm``, what it may hold, and that in words; plugins may read further ones."""


class Section(dict[str, Any]):
    """A mapping of the training configuration: a dict whose missing keys explain themselves.

    Args:
        values: Its content; mappings in it become sections too.
        path: Where it stands in the configuration, such as ``plugin.optimizer``; empty for the whole of it.
        source: The file; None if there is none.

    Raises:
        MissingInputError: From ``section[key]``, for a key that it lacks.
    """

    def __init__(self, values: Mapping[str, Any] | None = None, path: str = "", source: str | None = None) -> None:
        self.path, self.source = path, source
        super().__init__({key: self._nested(key, value) for key, value in (values or {}).items()})

    def _nested(self, key: str, value: Any) -> Any:
        return Section(value, self._place(key), self.source) if isinstance(value, Mapping) else value

    def _place(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else str(key)

    def __missing__(self, key: str) -> Any:
        raise MissingInputError(self._place(key), self.source)


def read_config(path: str | None) -> Section:
    """Read and check a training configuration.

    Args:
        path: A YAML, TOML or JSON file; None for an empty configuration.

    Raises:
        ConfigError: It cannot be read, or one of our keys holds something else than it should.
    """
    if path is None:
        return Section()
    document = _parse(path)
    if document is None:
        document = {}
    if not isinstance(document, Mapping):
        raise ConfigError(f"expected a mapping, found {type(document).__name__}", source=path)
    for key, value in document.items():
        _check(key, value, path)
    return Section(document, source=path)


def _check(key: Any, value: Any, path: str) -> None:
    from difflib import get_close_matches

    if key in KEYS:
        kinds, wanted = KEYS[key]
        if not isinstance(value, kinds):
            raise ConfigError(f"expected {wanted}, got {type(value).__name__} {value!r}", str(key), path)
    elif close := get_close_matches(str(key), KEYS, n=1, cutoff=0.8):
        raise ConfigError(f"unknown key {key!r}; did you mean {close[0]!r}?", source=path)


def _parse(path: str) -> Any:
    suffix = os.path.splitext(path)[1].lower()
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", source=path) from error
    try:
        if suffix in (".yaml", ".yml"):
            import yaml

            return yaml.safe_load(text)
        if suffix == ".toml":
            import tomllib

            return tomllib.loads(text)
        if suffix == ".json":
            import json

            return json.loads(text)
    except Exception as error:  # beside their own errors, the parsers let through those of int(), datetime(), ...
        message = " ".join(str(error).split())
        raise ConfigError(f"is not valid {suffix[1:].upper()}: {message}", source=path) from error
    raise ConfigError("expected a file name ending in .yaml, .yml, .json or .toml", source=path)
