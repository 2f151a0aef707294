"""Files of every format version stay readable, for ever: the files beside this module are never written again."""

import re
from pathlib import Path

import pytest

from aimm import plugins, store
from aimm.store._layout import FORMAT_VERSION
from support import FakeSite, model_source

GOLDEN = sorted((Path(__file__).parent / "golden").glob("format-*.aimm"))
POLICY = store.Policy(keys={"golden": b"the key of the golden files"})


@pytest.fixture
def host(site: FakeSite) -> plugins.PluginManager:
    """A manager with the plugin that wrote the files."""
    modules = {"golden_plugin": model_source("golden")}
    site.add("aimm-golden", "1.5", {"aimm.models": {"golden": "golden_plugin"}}, modules)
    return plugins.PluginManager({"names": []})


def test_there_is_one_of_each_format() -> None:
    """Who raises the format version adds a file."""
    assert [int(re.sub(r"\D", "", path.stem)) for path in GOLDEN] == list(range(1, FORMAT_VERSION + 1))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_old_file_is_read(path: Path, host: plugins.PluginManager) -> None:
    """Header, payload, signature and instance are what they were."""
    opened = store.open_model(path, policy=POLICY)
    assert opened.format_version == int(re.sub(r"\D", "", path.stem))
    assert opened.header[:3] == ("golden", "aimm-golden", "1.5")
    assert opened.payload == b"[1, 2, 'three']"
    assert opened.load(manager=host) == [1, 2, "three"]
    assert store.unpack_model(path.read_bytes(), policy=POLICY).header == store.read_header(path) == opened.header


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_old_file_is_stored_as_it_is(path: Path, host: plugins.PluginManager, tmp_path: Path) -> None:
    """A store keeps files of any format."""
    models = store.ModelStore(tmp_path / "models")
    entry = models.add("golden", path)
    assert models.load("golden", manager=host)[1] == [1, 2, "three"]
    assert (tmp_path / "models" / "objects" / f"{entry.identity}.aimm").read_bytes() == path.read_bytes()


def test_the_example_in_an_old_file_is_replayed(host: plugins.PluginManager) -> None:
    """The second format has an example, whose digest is still right."""
    opened = store.open_model(GOLDEN[1], policy=POLICY)
    assert (opened.header.signed_by, opened.replay(manager=host)) == ("golden", True)
