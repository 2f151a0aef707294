import os
import random
import shutil
import sys
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from packaging.version import Version

from aimm.plugins._scan import (
    GROUPS,
    Declared,
    IndexEntry,
    _Metadata,
    _newest_last,
    normalised,
    parse_entry_points,
    scan,
)
from support import FakeSite, entry_points_text

MODELS = {"aimm.models": {"forest": "forest_mod:Forest"}}
STRANGER = {"console_scripts": {"tool": "tool:main"}}


def build_index(*folders: Path | str) -> Declared:
    return scan(map(str, folders))._replace(stamps={}, is_settled=True)


def names(index: Declared) -> list[str]:
    return [entry.name for entry in index.entries]


def messages(index: Declared) -> str:
    return "\n".join(f"{p.distribution}: {p.path}: {p.message}" for p in index.problems)


# What is found


def test_an_entry_carries_everything(site: FakeSite) -> None:
    """Group, name, value, distribution, version, summary and the file that declares it."""
    info = site.add("my-dist", "2.1", MODELS, summary="Trees")
    entry = IndexEntry(
        "aimm.models", "forest", "forest_mod:Forest", "my-dist", "2.1", "Trees", str(info / "entry_points.txt")
    )
    assert build_index(site.path) == Declared((entry,), ())


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_of_ours_is_read(site: FakeSite, group: str) -> None:
    """The six groups of the architecture."""
    site.add("d", entry_points={group: {"n": "m"}, **STRANGER})
    assert [(e.group, e.name) for e in build_index(site.path).entries] == [(group, "n")]


def test_aimm_plugins_train_is_read_as_aimm_train(site: FakeSite) -> None:
    """A plain ``ravenml`` → ``aimm`` in a plugin's setup gives that name."""
    site.add("d", entry_points={"aimm.plugins.train": {"c": "m:c"}})
    assert [e.group for e in build_index(site.path).entries] == ["aimm.train"]


def test_nothing_is_imported(site: FakeSite) -> None:
    """The index is static."""
    site.add("d", entry_points=MODELS, modules={"forest_mod": "raise SystemExit"})
    before = set(sys.modules)
    build_index(site.path)
    assert not any("forest" in name for name in set(sys.modules) - before)


def test_ordinary_folders_need_no_importlib_metadata(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its import costs more than the whole scan."""
    site.add("d", entry_points=MODELS)
    monkeypatch.setitem(sys.modules, "importlib_metadata", None)
    assert names(build_index(site.path)) == ["forest"]


def test_the_index_does_not_depend_on_directory_order(tmp_path: Path) -> None:
    """Written in any order, the entries are the same."""
    stems, orders = [f"d{i}" for i in range(12)], []
    for attempt in range(3):
        site = FakeSite(tmp_path / str(attempt))
        for stem in random.sample(stems, len(stems)):
            site.add(stem, entry_points={"aimm.models": {f"{stem}-m": "x"}})
        orders.append([entry._replace(path="") for entry in build_index(site.path).entries])
    assert orders[0] == orders[1] == orders[2] == sorted(orders[0])


def test_a_change_is_seen_at_once(site: FakeSite) -> None:
    """Nothing is remembered from one build to the next."""
    site.add("d", entry_points=MODELS)
    build_index(site.path)
    site.add("d", entry_points={"aimm.models": {"forestt": "forest_mod:Forest"}})
    assert names(build_index(site.path)) == ["forestt"]


# Which copy counts


def test_the_first_folder_wins(tmp_path: Path) -> None:
    """As for imports; the shadowed copy contributes nothing, under any spelling of its name."""
    one, two = FakeSite(tmp_path / "one"), FakeSite(tmp_path / "two")
    one.add("My.Dist", "1.0", {"aimm.models": {"a": "x"}}, folder="My.Dist-1.0.dist-info")
    two.add("my-dist", "2.0", {"aimm.models": {"a": "x", "b": "x"}})
    index = build_index(one.path, two.path)
    assert [(e.name, e.version) for e in index.entries] == [("a", "1.0")]
    assert not index.problems


def test_a_shadowed_copy_that_is_broken_does_not_matter(tmp_path: Path) -> None:
    """What would not be used is not complained about."""
    one, two = FakeSite(tmp_path / "one"), FakeSite(tmp_path / "two")
    one.add("d", entry_points=MODELS)
    two.add("d", raw_entry_points=b"\xff")
    assert not build_index(one.path, two.path).problems


def test_a_folder_that_stands_twice_counts_once(site: FakeSite, tmp_path: Path) -> None:
    """``lib64`` is a link to ``lib``; an entry must not conflict with itself."""
    site.add("d", entry_points=MODELS)
    (tmp_path / "lib64").symlink_to(site.path)
    index = build_index(site.path, tmp_path / "lib64", f"{site.path}/", f"{site.path}/../site")
    assert (names(index), index.problems) == (["forest"], ())


@pytest.mark.parametrize("stale", ["d-9.0.egg-info", "d.egg-info", "D-0.9.dist-info"])
def test_left_over_metadata_beside_the_real_one_is_ignored_and_reported(site: FakeSite, stale: str) -> None:
    """A ``dist-info`` beats an ``egg-info``, the newer version the older, whatever the directory order."""
    site.add("d", "1.0", {"aimm.models": {"new": "x"}})
    site.add("d", "9.0", {"aimm.models": {"old": "x"}}, folder=stale)
    index = build_index(site.path)
    assert names(index) == ["new"]
    assert f"left-over metadata is ignored: {site.path / stale}" in messages(index)


def test_left_overs_of_strangers_are_not_our_business(site: FakeSite) -> None:
    """Only those that declare something for us are reported."""
    site.add("d", "1.0", STRANGER)
    site.add("d", "2.0", STRANGER)
    assert build_index(site.path) == Declared()


@pytest.mark.parametrize("folder", ["~-1.0.dist-info", "~oo-1.0.dist-info", "~~o-1.0.dist-info", "-oo-1.0.dist-info"])
def test_what_pip_left_behind_is_not_served(site: FakeSite, folder: str) -> None:
    """An interrupted uninstall renames the folder; the distribution is gone."""
    site.add("foo", entry_points=MODELS, folder=folder)
    assert build_index(site.path) == Declared()


def test_egg_info_alone_counts(site: FakeSite) -> None:
    """Development installs of old tools have nothing else."""
    site.add("d", "1.2", MODELS, folder="d.egg-info", without_metadata=True)
    (site.path / "d.egg-info" / "PKG-INFO").write_text("Name: d\nVersion: 1.2\nSummary: old\n")
    (entry,) = build_index(site.path).entries
    assert (entry.distribution, entry.version, entry.summary) == ("d", "1.2", "old")


def test_egg_info_may_be_a_file(site: FakeSite) -> None:
    """Distutils wrote a file that has no entry points."""
    (site.path / "d-1.0.egg-info").write_text("Name: d\n")
    assert build_index(site.path) == Declared()


VERSIONS = st.builds(
    "{}{}{}{}".format,
    st.lists(st.integers(0, 20), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts))),
    st.sampled_from(["", "a1", "a2", "b1", "rc1", "rc10"]),
    st.sampled_from(["", ".post1", ".post2"]),
    st.sampled_from(["", ".dev1", ".dev3"]),
)


@given(VERSIONS, VERSIONS)
def test_newer_means_what_packaging_tools_mean(one: str, two: str) -> None:
    """Pre-releases come before the release, post-releases after it, 10 after 9."""
    if Version(one) < Version(two):
        keys = [_newest_last(_Metadata(f"d-{version}", "d.dist-info", None, None)) for version in (one, two)]
        assert keys[0] < keys[1]


# sys.path


def test_places_that_are_no_folders_are_skipped(site: FakeSite, tmp_path: Path) -> None:
    """Missing, empty, impossible and looping entries of ``sys.path`` do no harm: imports skip them too."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "text.zip").write_text("no zip")
    site.add("d", entry_points=MODELS)
    odd: list[Any] = ["/nowhere", "nul\0", None, 5, b"bytes", Path("x"), str(tmp_path / "loop"), "x" * 5000]
    index = scan([*odd, str(tmp_path / "text.zip"), str(site.path)])
    assert (names(index), index.problems) == (["forest"], ())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_skipped(site: FakeSite, tmp_path: Path) -> None:
    """Somebody else's folder on ``sys.path``."""
    site.add("d", entry_points=MODELS)
    (tmp_path / "secret").mkdir(mode=0)
    assert names(build_index(tmp_path / "secret", site.path)) == ["forest"]


def test_the_empty_entry_is_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for imports; and a working directory that is gone does no harm."""
    monkeypatch.chdir(FakeSite(tmp_path / "here").path)
    FakeSite(tmp_path / "here").add("d", entry_points=MODELS)
    assert names(build_index("")) == ["forest"]
    shutil.rmtree(tmp_path / "here")
    assert build_index("") == Declared()


def zipped(path: Path, files: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_wheel_on_sys_path_is_searched(tmp_path: Path) -> None:
    """Its entries look like those of a folder."""
    files = {
        "d-1.5.dist-info/METADATA": "Name: d\nVersion: 1.5\nSummary: in a wheel\n",
        "d-1.5.dist-info/entry_points.txt": entry_points_text(MODELS),
    }
    wheel = zipped(tmp_path / "d-1.5-py3-none-any.whl", files)
    (entry,) = build_index(wheel).entries
    assert entry[2:] == (
        "forest_mod:Forest", "d", "1.5", "in a wheel", str(wheel / "d-1.5.dist-info" / "entry_points.txt")
    )  # fmt: skip


def test_eggs_are_searched_each_under_its_own_name(tmp_path: Path) -> None:
    """Zipped or unpacked, their metadata is called EGG-INFO; the egg's file name says whose it is."""
    for number, letter in enumerate("ab"):
        text = entry_points_text({"aimm.models": {letter: "x"}})
        zipped(tmp_path / f"{letter}-{number}.0-py3.egg", {"EGG-INFO/entry_points.txt": text, "EGG-INFO/PKG-INFO": ""})
    unpacked = tmp_path / "c-3.0-py3.egg" / "EGG-INFO"
    unpacked.mkdir(parents=True)
    (unpacked / "entry_points.txt").write_text(entry_points_text({"aimm.models": {"c": "x"}}))
    index = build_index(*sorted(tmp_path.glob("*.egg")))
    assert [(e.name, e.distribution) for e in index.entries] == [("a", "a"), ("b", "b"), ("c", "c")]


def test_one_broken_distribution_in_an_archive_spoils_only_itself(tmp_path: Path) -> None:
    """The others in the same archive are found."""
    files = {
        "a-1.0.dist-info/entry_points.txt": b"\xff",
        "b-1.0.dist-info/entry_points.txt": entry_points_text(MODELS),
        "c-1.0.dist-info/entry_points.txt": "[g]\nnonsense",
    }
    index = build_index(zipped(tmp_path / "x.zip", files))
    assert names(index) == ["forest"]
    assert [p.distribution for p in index.problems] == ["a", "c"]


@pytest.mark.parametrize("cut", [10, 100, -30, -5])
def test_a_damaged_archive_hides_nothing_else(tmp_path: Path, site: FakeSite, cut: int) -> None:
    """Imports cannot use it either."""
    archive = zipped(tmp_path / "x.zip", {"b-1.0.dist-info/entry_points.txt": entry_points_text(MODELS) * 10})
    archive.write_bytes(archive.read_bytes()[:cut])
    site.add("d", entry_points={"aimm.models": {"good": "x"}})
    assert names(build_index(archive, site.path)) == ["good"]


# Malformed metadata, ours and strangers'

MALFORMED: Sequence[tuple[str, str | bytes, str]] = [
    ("a line without =", "[console_scripts]\ntool", "is malformed and was ignored: line 2 is not of the form"),
    ("bytes that are no text", b"[aimm.models]\nx = \xff\xfe", "cannot be read: 'utf-8' codec can't decode"),
    ("UTF-16", "[aimm.models]\nbad = x".encode("utf-16"), "cannot be read: 'utf-8' codec can't decode"),
    ("byte-order mark", b"\xef\xbb\xbf[aimm.models]\nbad = x", "starts with a byte-order mark"),
    ("spaces in a group", "[ aimm.models ]\nbad = x", "declares the unknown group ' aimm.models '"),
    ("unknown group", "[aimm.model]\nbad = x", "declares the unknown group 'aimm.model'; the groups are aimm.plugins"),
    ("no section", "bad = x\n[console_scripts]\na = b", "starts before any [group], and what stands there was ignored"),
    ("no value", "[aimm.models]\nbad =", "declares an entry point without a value in group 'aimm.models'"),
    ("no name", "[aimm.models]\n= bad", "declares an entry point without a name in group 'aimm.models'"),
]


@pytest.mark.parametrize(("content", "said"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
def test_malformed_entry_points_spoil_only_themselves(site: FakeSite, content: str | bytes, said: str) -> None:
    """Every other distribution is found; the report names distribution, file and problem."""
    info = site.add("stranger", raw_entry_points=content)
    site.add("d", entry_points=MODELS)
    index = build_index(site.path)
    assert names(index) == ["forest"]
    assert f"stranger: {info / 'entry_points.txt'}: {said}" in messages(index)


def test_a_bad_entry_does_not_take_the_good_ones_of_its_file_with_it(site: FakeSite) -> None:
    """As long as the file can be read line by line."""
    site.add("d", raw_entry_points="[aimm.models]\nempty =\ngood = x\n[aimm.model]\nbad = x\n")
    index = build_index(site.path)
    assert (names(index), len(index.problems)) == (["good"], 2)


@pytest.mark.parametrize("kind", ["folder", "loop"])
def test_entry_points_that_are_no_file_are_reported(site: FakeSite, kind: str) -> None:
    """Such as a folder of that name."""
    file = site.add("stranger") / "entry_points.txt"
    file.mkdir() if kind == "folder" else file.symlink_to(file)
    site.add("d", entry_points=MODELS)
    index = build_index(site.path)
    assert names(index) == ["forest"]
    assert "stranger" in messages(index)
    assert "cannot be read" in messages(index)


@pytest.mark.parametrize("metadata", ["", "\n\nName: other", "Name:\nVersion:\n", "no colon at all"])
def test_empty_metadata_leaves_the_name_of_the_folder(site: FakeSite, metadata: str) -> None:
    """The folder is called ``name-version``."""
    site.add("my-dist", "1.5", MODELS, raw_metadata=metadata)
    (entry,) = build_index(site.path).entries
    assert (entry.distribution, entry.version, entry.summary) == ("my_dist", "1.5", "")


def test_missing_metadata_leaves_the_name_of_the_folder(site: FakeSite) -> None:
    """The entries can be used all the same."""
    site.add("d", "1.5", MODELS, without_metadata=True)
    assert [(e.distribution, e.version) for e in build_index(site.path).entries] == [("d", "1.5")]


def test_binary_metadata_is_reported_and_the_entries_stay(site: FakeSite) -> None:
    """A problem of the label, not of the plugin."""
    site.add("d", "1.5", MODELS, raw_metadata=b"\x00\xff\xfe")
    index = build_index(site.path)
    assert [(e.name, e.distribution, e.version) for e in index.entries] == [("forest", "d", "1.5")]
    assert "d.dist-info" not in messages(index)
    assert "cannot be read" in messages(index)


def test_binary_metadata_of_a_stranger_is_never_opened(site: FakeSite) -> None:
    """Only distributions with entries for us are looked at more closely."""
    site.add("stranger", raw_metadata=b"\xff", entry_points=STRANGER)
    assert build_index(site.path) == Declared()


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_description_is_not_read_as_headers(site: FakeSite, newline: str) -> None:
    """Headers end at the first empty line, however lines end."""
    lines = ["Name: d", "Version: 1.0", "", "Version: 9", "Summary: not this"]
    site.add("d", entry_points=MODELS, raw_metadata=newline.join(lines).encode())
    (entry,) = build_index(site.path).entries
    assert (entry.version, entry.summary) == ("1.0", "")


def test_names_in_any_script_are_kept(site: FakeSite) -> None:
    """Names are text, not identifiers."""
    site.add("d", entry_points={"aimm.models": {"лес и 木": "x", "sklearn.svm:SVC": "x", "a[b]": "x"}})
    assert names(build_index(site.path)) == sorted(["лес и 木", "sklearn.svm:SVC", "a[b]"])


def test_one_name_twice_in_one_file_stays_twice(site: FakeSite) -> None:
    """Which is a conflict for others to report; the same line twice is not."""
    site.add("d", entry_points={"aimm.models": [("m", "x"), ("m", "y"), ("m", "x")]})
    assert [(e.name, e.value) for e in build_index(site.path).entries] == [("m", "x"), ("m", "y")]


# The same as importlib_metadata, wherever that succeeds

lines = st.one_of(
    st.sampled_from(["[aimm.models]", "[aimm.tasks]", "[x]", "[]", "[ aimm.models ]", "[[x]]", "# c", "", "["]),
    st.builds("{}{}{}".format, st.text("ab .:[]#", max_size=4), st.sampled_from(["=", " = ", "==", "", "\t=\t"]),
              st.text("mn.:[] ", max_size=5)),
    st.text(max_size=6),
)  # fmt: skip
files = st.builds(
    lambda end, parts: end.join(parts), st.sampled_from(["\n", "\r\n", "\n\n"]), st.lists(lines, max_size=8)
)


@given(files)
@settings(max_examples=300)
def test_the_parser_agrees_with_importlib_metadata(text: str) -> None:
    """Where that succeeds, the result is the same; where it fails, so do we, naming the line."""
    try:
        expected = [(e.group, e.name, e.value) for e in importlib_metadata.EntryPoints._from_text(text)]
    except Exception:  # noqa: BLE001 - it fails in several ways
        with pytest.raises(ValueError, match=r"^line \d+ is not of the form 'name = value'"):
            parse_entry_points(text)
    else:
        assert sorted(parse_entry_points(text)) == sorted(expected)


@given(st.text())
def test_the_parser_survives_any_text(text: str) -> None:
    """It returns, or raises ValueError."""
    with suppress(ValueError):
        parse_entry_points(text)


stems = st.sampled_from(["a-1.0", "a-2.0", "b-1.0", "c_d-1", "C.d-2", "e", "f-1.0-py3.11", "Über-1.0"])
values = st.sampled_from(["m", "m:f", "m.n:f.g", "m:f [x]"])
trees = st.lists(
    st.dictionaries(
        stems.flatmap(lambda stem: st.sampled_from([f"{stem}.dist-info", f"{stem}.egg-info", f"{stem}.DIST-INFO"])),
        st.dictionaries(st.sampled_from([*GROUPS, "x"]), st.dictionaries(st.sampled_from(["m1", "m2"]), values)),
        max_size=4,
    ),
    max_size=3,
)


def is_ambiguous(folders: Sequence[str]) -> bool:
    found = [normalised(folder.rpartition(".")[0].partition("-")[0]) for folder in folders]
    return len(set(found)) < len(found)


@given(trees)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_scan_agrees_with_importlib_metadata(tmp_path: Path, tree: list[dict[str, Any]]) -> None:
    """Over generated trees: same groups, names, values, distributions and versions.

    Two metadata folders of one name side by side are left out: there the directory order decides for it, not for us.
    """
    shutil.rmtree(tmp_path / "tree", ignore_errors=True)
    folders = []
    for number, content in enumerate(tree):
        site = FakeSite(tmp_path / "tree" / str(number))
        folders.append(str(site.path))
        for folder, entry_points in content.items():
            if not is_ambiguous(list(content)):
                name, _, version = folder.rpartition(".")[0].partition("-")
                site.add(name, version or "0", entry_points, folder=folder)
    found = importlib_metadata.MetadataPathFinder.find_distributions(
        importlib_metadata.DistributionFinder.Context(path=folders)
    )
    distributions: dict[str, Any] = {}
    for distribution in found:
        distributions.setdefault(distribution._normalized_name, distribution)
    expected = {
        (e.group, e.name, e.value, d.metadata["Name"] or "", d.version)
        for d in distributions.values()
        for e in d.entry_points
        if e.group in GROUPS
    }
    assert {entry[:5] for entry in scan(folders).entries if entry.path} == expected


def test_the_scan_agrees_with_importlib_metadata_here() -> None:
    """On the real environment that the tests run in."""
    expected = {(e.group, e.name, e.value) for e in importlib_metadata.entry_points() if e.group in GROUPS}
    assert {entry[:3] for entry in scan(sys.path).entries} == expected


def test_the_standard_library_fails_where_we_do_not(site: FakeSite) -> None:
    """The reason for reading distribution by distribution; should this test fail, the defence may go."""
    site.add("stranger", raw_entry_points="[x]\nnonsense")
    site.add("d", entry_points=MODELS)
    found = importlib_metadata.distributions(path=[str(site.path)])
    with pytest.raises(TypeError):
        [list(distribution.entry_points) for distribution in found]
    assert names(build_index(site.path)) == ["forest"]


# Names


@pytest.mark.parametrize("name", ["Foo-Bar", "foo_bar", "FOO.bar", "foo--bar", "foo-_.bar"])
def test_spellings_of_one_name_are_one(name: str) -> None:
    """PEP 503."""
    assert normalised(name) == "foo-bar"


@given(st.text("aB1-_.", max_size=12))
def test_normalising_twice_changes_nothing(name: str) -> None:
    """And the result has no separators but single dashes."""
    once = normalised(name)
    assert normalised(once) == once == once.lower()
    assert not {"_", "."} & set(once)
    assert "--" not in once
