"""The JSON Schema of graph files: the grammar, and the arguments of the artifact handlers that are installed."""

import json
import os
from collections import Counter
from typing import Any

from aimm.plugins import PluginManager
from aimm.tasks._catalog import catalog_of
from aimm.tasks._records import HandlerRecord
from aimm.tasks._register import ARTIFACT

_FILE = os.path.join(os.path.dirname(__file__), "graph.schema.json")


def graph_schema(*, installed: bool = True, manager: PluginManager | None = None) -> dict[str, Any]:
    """The JSON Schema (2020-12) of graph files, for editors and other programs.

    It says what :func:`validate` says of the form of a document; what belongs together (references, types of values,
    cycles) only :func:`validate` tells.

    Args:
        installed: Whether it knows the installed artifact handlers, with what their ``validation()`` says of their
            arguments; their plugins are loaded. Without, it is the grammar alone.
        manager: Whose plugins count; the default one if not given.
    """
    with open(_FILE, encoding="utf-8") as file:
        schema: dict[str, Any] = json.load(file)
    if not installed:
        return schema
    catalog = catalog_of(manager)
    catalog.load_all()
    records = [catalog.handler(name) for name in catalog.names(ARTIFACT)]
    names = _names(records)
    handler = schema["$defs"]["handler"]
    known = sorted(name for given in names.values() for name in given)
    handler["properties"]["name"] = {"anyOf": [{"enum": known}, {"type": "string", "pattern": "\\."}]}
    handler["allOf"] = [_arguments_of(record, names[record.name]) for record in records]
    return schema


def _names(records: list[HandlerRecord]) -> dict[str, list[str]]:
    """What a graph calls each handler: its full name, and that of its class where it means no other.

    A handler of a plugin goes before a built-in one. Other ends of the full name work too, but are not listed.
    """
    full = Counter(record.class_name for record in records if not record.name.startswith("aimm."))
    names = {}
    for record in records:
        is_free = record.class_name not in full if record.name.startswith("aimm.") else full[record.class_name] == 1
        names[record.name] = [record.name, record.class_name] if is_free else [record.name]
    return names


def _arguments_of(record: HandlerRecord, names: list[str]) -> dict[str, Any]:
    given = {"$ref": "#/$defs/given"}
    args = record.schema | {
        "properties": {name: {"anyOf": [one, given]} for name, one in record.schema["properties"].items()}
    }
    then: dict[str, Any] = {"properties": {"args": args}}
    if record.schema["required"]:
        then["required"] = ["args"]
    return {"if": {"required": ["name"], "properties": {"name": {"enum": names}}}, "then": then}
