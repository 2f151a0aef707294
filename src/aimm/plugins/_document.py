"""Configuration documents: read safely, and checked against the JSON Schema beside this file."""

import os
from collections.abc import Mapping
from typing import Any

from aimm.errors import ConfigError

SCHEMA_ID = "aimm://plugins.yaml#"
_SCHEMA_ALIAS = "aimm://plugins/schema.yaml#"
_SCHEMA_FILE = os.path.join(os.path.dirname(__file__), "plugins.schema.json")


def config_schema(schema_id: str = SCHEMA_ID) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the configuration.

    Args:
        schema_id: ``aimm://plugins.yaml#``, or its other name ``aimm://plugins/schema.yaml#``.

    Raises:
        ConfigError: There is no schema of this id.
    """
    if schema_id not in (SCHEMA_ID, _SCHEMA_ALIAS):
        raise ConfigError(f"no schema has the id {schema_id!r}; the ids are {SCHEMA_ID!r} and {_SCHEMA_ALIAS!r}")
    import json

    with open(_SCHEMA_FILE, encoding="utf-8") as file:
        schema: dict[str, Any] = json.load(file)
    return schema


def validate(document: Any, source: str) -> None:
    """Check a document against the schema.

    Raises:
        ConfigError: It does not follow it.
    """
    from jsonschema import Draft202012Validator, validators

    # A Mapping of another kind is as good as a dict; JSON Schema only knows the latter.
    types = Draft202012Validator.TYPE_CHECKER.redefine("object", lambda _, value: isinstance(value, Mapping))
    extended = validators.extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]
    errors = sorted(extended(config_schema()).iter_errors(document), key=_likeliest_first)
    if errors:
        raise schema_error(errors[0], source)


def _likeliest_first(error: Any) -> tuple[bool, bool, list[str]]:
    # A misspelt key explains the one that is missing, and must not be hidden behind it.
    return error.validator == "required", error.validator != "additionalProperties", list(map(str, error.path))


def schema_error(error: Any, source: str, prefix: str = "") -> ConfigError:
    """Say in our words what a ``jsonschema.ValidationError`` says in its own.

    Args:
        error: The ``jsonschema.ValidationError``.
        source: The document it is about.
        prefix: Location of the checked part inside that document.
    """
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path]
    location = (prefix + "".join(steps)).removeprefix(".")
    return ConfigError(_explain(error), location, source)


_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


def _explain(error: Any) -> str:
    if not isinstance(error.schema, Mapping):
        return str(error.message)
    if error.validator == "additionalProperties" and "patternProperties" not in error.schema:
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(str(key) for key in error.instance if key not in known)
        return f"unknown key {', '.join(map(repr, unknown))}{_near(unknown[0], known)}; the keys are {', '.join(known)}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        empty = "; write 'names: []' if there is none to name" if missing[0] == "names" else ""
        return f"the key {missing[0]!r} is missing{empty}"
    expected = error.schema.get("description")
    if error.validator == "type":
        kinds = error.validator_value
        kind = " or ".join(_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
        # Descriptions that start small say what a value is, and only text needs saying too; others say what it is for.
        described = f"{expected} (text)" if kind == "text" else expected
        wanted = described if expected and expected[:1].islower() else kind
        return f"expected {wanted}, got {_shown(error.instance)}"
    if error.validator in ("pattern", "minLength") and expected:
        return f"expected {expected}, got {_shown(error.instance)}"
    return str(error.message)


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text[:60]}{'...' if len(text) > 60 else ''}"


def _near(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    match = get_close_matches(name, known, n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""


def read(path: str) -> Any:
    """The document in a YAML, TOML or JSON file.

    Raises:
        ConfigError: The file cannot be read, or does not hold a mapping.
    """
    suffix = os.path.splitext(path)[1].lower()
    language, reader = {
        ".yaml": ("YAML", _read_yaml),
        ".yml": ("YAML", _read_yaml),
        ".json": ("JSON", _read_json),
        ".toml": ("TOML", _read_toml),
    }.get(suffix, ("", None))
    if reader is None:
        raise ConfigError("expected a file name ending in .yaml, .yml, .json or .toml", source=path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", source=path) from error
    try:
        document = reader(text, path)
    except ConfigError:
        raise
    except Exception as error:  # beside their own errors, the parsers let through those of int(), datetime(), ...
        message = " ".join(str(error).split())
        raise ConfigError(f"is not valid {language}: {message}", source=path) from error
    if not isinstance(document, Mapping):
        found = "nothing" if document is None else type(document).__name__
        raise ConfigError(f"expected a mapping with the key 'names', found {found}", source=path)
    return document


def _read_toml(text: str, path: str) -> Any:
    import tomllib

    return tomllib.loads(text)


def _read_json(text: str, path: str) -> Any:
    import json

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(pairs)
        if len(seen) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ConfigError(f"the key {twice!r} stands twice in one mapping", source=path)
        return seen

    return json.loads(text, object_pairs_hook=once)


def _read_yaml(text: str, path: str) -> Any:
    import yaml

    class OnceLoader(yaml.SafeLoader):
        """A safe loader that refuses a key that stands twice."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen: set[tuple[str, str]] = set()
            for key_node, _ in node.value:
                if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
                    continue
                key = key_node.tag, key_node.value
                if key in seen:
                    line = key_node.start_mark.line + 1
                    raise ConfigError(f"the key {key_node.value!r} stands twice in one mapping", f"line {line}", path)
                seen.add(key)
            return super().construct_mapping(node, deep)

    return yaml.load(text, OnceLoader)
