"""The reference is complete: what the code has stands in it, and the words and links of the pages are right."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from aimm import errors, plugins, store, tasks, testing, train
from aimm.cli._app import root
from aimm.plugins import _scan
from aimm.store import _layout
from aimm.tasks import graph
from aimm.train import helpers, options
from docs.pages import DOCS, ROOT, all_pages, read_blocks

REFERENCE = DOCS / "reference"
EVERY_TEXT = [*all_pages(), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


def read(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def directives(name: str) -> list[str]:
    """What the autodoc directives of a page document."""
    return re.findall(r"^\.\. (?:auto|py:data)\w*:: ([\w.]+)", read(name), re.MULTILINE)


def test_public_names() -> None:
    """Every public name of aimm.plugins is documented, once; the marker of hooks is on the page of hooks."""
    documented = sorted(name.removeprefix("aimm.plugins.") for name in directives("plugins.md"))

    assert documented == sorted({*plugins.__all__} - {"hookimpl"})
    assert "aimm.plugins.hookspecs.hookimpl" in directives("hooks.md")


def test_store() -> None:
    """Every public name of aimm.store is documented, and every field of the header."""
    documented = {name.removeprefix("aimm.store.") for name in directives("store.md")} - {"aimm.store"}
    fields = re.findall(r"^\| `(\w+)` \| (?:string|integer|object)", read("model-files.md"), re.MULTILINE)

    assert documented == set(store.__all__)
    assert fields == list(store.Header._fields)


def test_train() -> None:
    """Every public name of aimm.train is documented, once."""
    documented = sorted(name.removeprefix("aimm.train.") for name in directives("train.md"))
    own = [f"options.{name}" for name in options.__all__] + [f"helpers.{name}" for name in helpers.__all__]

    assert documented == sorted([*train.__all__, *own])


def test_tasks() -> None:
    """Every public name of aimm.tasks is documented."""
    documented = {name.removeprefix("aimm.tasks.") for name in directives("tasks.md")} - {"aimm.tasks"}

    assert documented == set(tasks.__all__)


def test_graph() -> None:
    """Every public name of aimm.tasks.graph is documented, and every kind of issue."""
    documented = {name.removeprefix("aimm.tasks.graph.") for name in directives("graph.md")} - {"aimm.tasks.graph"}
    kinds = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", read("graph.md").partition("## Issues")[2], re.MULTILINE))

    assert documented == set(graph.__all__)
    assert kinds == graph.KINDS


def test_magic() -> None:
    """The magic bytes of model files are those of the code."""
    assert f"`{_layout.MAGIC.hex(' ').upper()}`" in read("model-files.md")


def test_errors() -> None:
    """Every error class is documented, once."""
    found = {name: getattr(errors, name) for name in dir(errors)}
    classes = [name for name, cls in found.items() if isinstance(cls, type) and issubclass(cls, Exception)]
    documented = [name.removeprefix("aimm.errors.") for name in directives("errors.md")]

    assert sorted(documented) == sorted([*classes, "PluginFailure", "aimm.errors"])


def keys(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in schema["properties"].items():
        if "properties" in part:
            yield from keys(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", part


def test_configuration() -> None:
    """Every key of the schema stands in the table with its default, and has a section."""
    page, schema = read("configuration.md"), plugins.config_schema()
    table = page.partition("## Keys")[2].partition("###")[0]
    rows = dict(re.findall(r"^\| `([\w.]+)` \| [^|]+ \| ([^|]+) \|", table, re.MULTILINE))
    defaults = {key: f"`{json.dumps(part['default'])}`" for key, part in keys(schema) if "default" in part}

    assert list(rows) == [key for key, _ in keys(schema)]
    assert {key: rows[key] for key in defaults} == defaults
    assert re.findall(r"^### `(\w+)`", page, re.MULTILINE) == list(schema["properties"])
    assert f"`{schema['$id']}`" in page
    assert "`aimm://plugins/schema.yaml#`" in page


def commands(command: click.Command, path: str = "") -> Iterator[str]:
    yield path.strip()
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            assert found
            yield from commands(found, f"{path} {name}")


def test_command_line() -> None:
    """Every command has a heading and, below it, its help, which Sphinx takes from the command."""
    page = read("command-line.md")
    expected = list(commands(root))

    found = re.findall(r"^##+ `aimm ?([\w ]*)`\n\n```\{aimm-help\}", page, re.MULTILINE)

    assert sorted(found) == sorted(expected)
    assert [path.strip() for path in re.findall(r"^```\{aimm-help\}(.*)", page, re.MULTILINE)] == found


def test_entry_points() -> None:
    """Every entry-point group is in the table."""
    assert [group for group in _scan.GROUPS if f"`{group}`" not in read("entry-points.md")] == []


@pytest.mark.parametrize("path", EVERY_TEXT, ids=lambda path: str(path.relative_to(ROOT)))
def test_links(path: Path) -> None:
    """Every link to a file leads to one."""
    links = re.findall(
        r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.S | re.M)
    )

    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", all_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_page(path: Path) -> None:
    """A page begins with its title, gives every block a language, and uses the words of the project."""
    text = path.read_text("utf-8")

    assert text.startswith("# ")
    assert [block.line for block in read_blocks(path) if not block.language] == []
    assert re.findall(r"\b(?:extension|add-?on|driver)s?\b", text, re.IGNORECASE) == []
    assert re.findall(r"/(?:home|root|work|tmp)/\S*", text) == []


def test_every_page_can_be_reached() -> None:
    """The table of contents of a folder names each of its pages."""
    for page in all_pages():
        listed = (page.parent / "index.md").read_text("utf-8") if page.parent.name != "example-plugins" else ""
        listed = listed or (DOCS / "index.md").read_text("utf-8")
        assert page.name == "index.md" or re.search(rf"^(?:[\w-]+/)?{page.stem}$", listed, re.MULTILINE), page


def test_testing() -> None:
    """Every public name of aimm.testing is documented, and every check stands in a table with its claim and hint."""
    documented = {name.removeprefix("aimm.testing.") for name in directives("testing.md")} - {"aimm.testing"}
    rows = re.findall(r"^\| `([\w-]+)` \| (.*) \| (.*) \|$", read("testing.md").partition("## Checks")[2], re.MULTILINE)

    assert documented == set(testing.__all__)
    assert sorted(rows) == sorted((c.name, c.claim.replace("``", "`"), c.hint) for c in testing.checks())
