import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator

from aimm import plugins
from aimm.errors import ConfigError
from aimm.plugins._config import PluginsConfig, _is_plainly_valid, load_config
from aimm.plugins._document import config_schema, schema_error

FULL: dict[str, Any] = {
    "names": ["json", "os.path"],
    "entry_points": {"enabled": True, "include": ["my-*"], "exclude": ["my-old"]},
    "directories": ["/srv/forest"],
    "prefer": {"m": "dist-a"},
    "strict": True,
    "settings": {"tracer": {"level": 3}},
}
YAML = """
names: [json, os.path]
entry_points: {enabled: true, include: [my-*], exclude: [my-old]}
directories: [/srv/forest]
prefer: {m: dist-a}
strict: true
settings: {tracer: {level: 3}}
"""
TOML = """
names = ["json", "os.path"]
directories = ["/srv/forest"]
strict = true
entry_points = {enabled = true, include = ["my-*"], exclude = ["my-old"]}
prefer = {m = "dist-a"}
settings = {tracer = {level = 3}}
"""


def refusal(conf: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(conf)
    return caught.value


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# The document


def test_nothing_means_no_names() -> None:
    """``load_config()`` is ``{"names": []}``, entry points included."""
    assert load_config() == load_config({"names": []})._replace(given=frozenset())
    assert load_config().entry_points


def test_every_key_arrives() -> None:
    """One field for each key of the schema, frozen."""
    config = load_config(FULL)
    assert config == PluginsConfig(
        ("json", "os.path"),
        True,
        ("my-*",),
        ("my-old",),
        ("/srv/forest",),
        {"m": "dist-a"},
        True,
        {"tracer": {"level": 3}},
        frozenset(FULL),
    )


def test_a_document_of_the_original_still_works() -> None:
    """``{"names": [modules]}`` alone is complete; entry points are looked for."""
    config = load_config({"names": ["a", "b.c"]})
    assert (config.names, config.entry_points, config.strict) == (("a", "b.c"), True, None)


def test_defaults_stand_in_the_schema() -> None:
    """What the schema calls the default is what an absent key means."""
    properties = config_schema()["properties"]
    points = properties["entry_points"]["properties"]
    config = load_config({"names": []})
    assert config.entry_points is points["enabled"]["default"]
    assert list(config.include) == points["include"]["default"]
    assert list(config.exclude) == points["exclude"]["default"]
    assert list(config.directories) == properties["directories"]["default"]
    assert config.prefer == properties["prefer"]["default"]
    assert config.settings == properties["settings"]["default"]


@pytest.mark.parametrize("wrap", [MappingProxyType, dict])
def test_any_mapping_is_as_good_as_a_dict(wrap: Any) -> None:
    """At the top and below."""
    document = wrap({"names": [], "settings": wrap({"p": wrap({"x": 1})}), "entry_points": wrap({"enabled": False})})
    config = load_config(document)
    assert config.settings == {"p": {"x": 1}}
    assert not config.entry_points


def test_the_callers_document_is_not_kept() -> None:
    """Changing it afterwards changes nothing."""
    document = json.loads(json.dumps(FULL))
    config = load_config(document)
    document["names"].append("later")
    document["settings"]["tracer"]["level"] = 4
    document["prefer"]["m"] = "other"
    assert config == load_config(FULL)


@pytest.mark.parametrize(
    ("document", "location", "said"),
    [
        ({}, "", "the key 'names' is missing"),
        ({"nmaes": []}, "", "unknown key 'nmaes' (did you mean 'names'?)"),
        ({}, "", "the key 'names' is missing; write 'names: []' if there is none to name"),
        ({"names": "json"}, "names", "a list, got str 'json'"),
        ({"names": None}, "names", "got NoneType None"),
        ({"names": ("a",)}, "names", "got tuple"),
        ({"names": [5]}, "names[0]", "an absolute module name such as 'my_package.models' (text), got int 5"),
        ({"names": ["a", ""]}, "names[1]", "expected an absolute module name"),
        ({"names": [".relative"]}, "names[0]", "expected an absolute module name"),
        ({"names": ["a..b"]}, "names[0]", "got str 'a..b'"),
        ({"names": ["a.b."]}, "names[0]", "got str 'a.b.'"),
        ({"names": ["a b"]}, "names[0]", "got str 'a b'"),
        ({"names": ["a\n"]}, "names[0]", "got str 'a\\n'"),
        ({"names": ["1a"]}, "names[0]", "got str '1a'"),
        ({"names": ["a:b"]}, "names[0]", "got str 'a:b'"),
        ({"names": [], "nams": []}, "", "unknown key 'nams' (did you mean 'names'?); the keys are directories,"),
        ({"names": [], "zzz": 1, "yyy": 2}, "", "unknown key 'yyy', 'zzz'; the keys are"),
        ({"names": [], 1: 2}, "", "unknown key '1'"),
        ({"names": [], "strict": "yes"}, "strict", "true or false, got str 'yes'"),
        ({"names": [], "strict": 1}, "strict", "true or false, got int 1"),
        ({"names": [], "entry_points": False}, "entry_points", "a mapping, got bool False"),
        ({"names": [], "entry_points": {"enable": True}}, "entry_points", "did you mean 'enabled'?"),
        ({"names": [], "entry_points": {"include": "a"}}, "entry_points.include", "expected a list"),
        ({"names": [], "entry_points": {"include": ["a", "b c"]}}, "entry_points.include[1]", "a distribution name"),
        ({"names": [], "entry_points": {"exclude": [""]}}, "entry_points.exclude[0]", "a distribution name"),
        ({"names": [], "directories": [""]}, "directories[0]", "expected a path to a folder, got str ''"),
        ({"names": [], "directories": "x"}, "directories", "expected a list"),
        ({"names": [], "prefer": {"m": ""}}, "prefer.m", "expected a distribution or module name"),
        ({"names": [], "prefer": {"m": ["a"]}}, "prefer.m", "text), got list ['a']"),
        ({"names": [], "prefer": {3: "a"}}, "prefer", "expected a name (text), got int 3"),
        ({"names": [], "settings": {"p": 3}}, "settings.p", "expected a mapping of settings, got int 3"),
        ({"names": [], "settings": {3: {}}}, "settings", "expected the name of a plugin (text), got int 3"),
    ],
)
def test_what_does_not_follow_the_schema_is_refused(document: Any, location: str, said: str) -> None:
    """The error says where in the document, what was found and what was expected."""
    error = refusal(document)
    assert error.location == location
    assert said in str(error)
    assert str(error).startswith("configuration")


@pytest.mark.parametrize("conf", [5, ["json"], b"conf.yaml", True, {"names"}])
def test_what_is_no_document_at_all_is_refused(conf: Any) -> None:
    """Neither mapping nor path: the message names both."""
    assert f"expected a mapping or the path of a YAML, TOML or JSON file, not {type(conf).__name__}" in str(
        refusal(conf)
    )


def test_a_long_value_is_cut_in_the_message() -> None:
    """Nobody reads a megabyte of message."""
    assert len(str(refusal({"names": "x" * 1_000_000}))) < 300


def test_names_may_be_written_in_any_script() -> None:
    """Python allows it, so does the schema."""
    assert load_config({"names": ["модель.β"]}).names == ("модель.β",)


def test_a_refused_document_changes_nothing(manager: plugins.PluginManager) -> None:
    """``initialize`` checks the whole document first."""
    with pytest.raises(ConfigError):
        manager.initialize({"names": ["json"], "strict": 3})
    assert manager.candidates() == ()


# The fast check

documents = st.one_of(
    st.fixed_dictionaries({"names": st.lists(st.text(max_size=6) | st.from_regex(r"[a-z_.0-9]{1,6}"), max_size=3)}),
    st.dictionaries(st.sampled_from(["names", "strict", "x"]), st.lists(st.text(max_size=3)) | st.booleans()),
    st.fixed_dictionaries({"names": st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=2)}),
)


@given(documents)
def test_the_fast_check_accepts_only_what_the_schema_accepts(document: Any) -> None:
    """It may say no too often, never yes."""
    if _is_plainly_valid(document):
        Draft202012Validator(config_schema()).validate(document)


@given(st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,5}(\.[a-z]{1,3}){0,2}", fullmatch=True)))
def test_the_fast_check_knows_the_common_document(names: list[str]) -> None:
    """Otherwise it would be of no use."""
    assert _is_plainly_valid({"names": names})


class Odd(str):
    __slots__ = ()


@pytest.mark.parametrize("document", [{"names": [Odd("a")]}, MappingProxyType({"names": []}), {"names": ()}, None, []])
def test_the_fast_check_leaves_odd_types_to_the_schema(document: Any) -> None:
    """Subclasses and other containers take the slow way."""
    assert not _is_plainly_valid(document)


# The schema


def test_the_schema_is_valid_and_has_the_seeds_id() -> None:
    """JSON Schema 2020-12, ``names`` required."""
    schema = config_schema()
    Draft202012Validator.check_schema(schema)
    assert (schema["$id"], schema["required"]) == ("aimm://plugins.yaml#", ["names"])
    assert schema["$schema"].endswith("2020-12/schema")


def test_the_other_id_of_the_seed_resolves_to_it() -> None:
    """The seeds use two ids."""
    assert config_schema("aimm://plugins/schema.yaml#") == config_schema()


def test_an_unknown_schema_id_is_refused() -> None:
    """The message lists the ids that exist."""
    with pytest.raises(ConfigError, match=r"no schema has the id 'aimm://x#'; the ids are 'aimm://plugins.yaml#' and"):
        config_schema("aimm://x#")


def test_every_key_of_the_schema_is_described() -> None:
    """The descriptions are what error messages and documentation show."""
    properties = config_schema()["properties"]
    assert all(key["description"] for key in [*properties.values(), *properties["entry_points"]["properties"].values()])


@pytest.mark.parametrize(
    ("schema", "instance", "said"),
    [
        ({"properties": {"x": False}}, {"x": 1}, "False schema does not allow 1"),
        ({"patternProperties": {"^a": {}}, "additionalProperties": False}, {"b": 1}, "any of the regexes"),
        ({"properties": {"x": {"minimum": 3}}}, {"x": 1}, "1 is less than the minimum of 3"),
        (
            {"properties": {"x": {"type": ["string", "null"]}}},
            {"x": 1},
            "expected text or nothing, got int 1",
        ),
        ({"properties": {"x": {"pattern": "^a"}}}, {"x": "b"}, "'b' does not match '^a'"),
        ({"additionalProperties": False}, {"x": 1}, "unknown key 'x'"),
    ],
)
def test_schemas_of_plugins_get_messages_too(schema: dict[str, Any], instance: Any, said: str) -> None:
    """``settings_schema()`` may use all of JSON Schema."""
    (error,) = Draft202012Validator(schema).iter_errors(instance)
    assert said in str(schema_error(error, "configuration", "settings.p"))
    assert schema_error(error, "configuration", "settings.p").location.startswith("settings.p")


# Files


@pytest.mark.parametrize(
    ("name", "text"),
    [("c.yaml", YAML), ("c.yml", YAML), ("C.YAML", YAML), ("c.toml", TOML), ("c.json", json.dumps(FULL))],
)
@pytest.mark.parametrize("as_path", [str, Path])
def test_a_file_says_the_same_in_each_language(tmp_path: Path, name: str, text: str, as_path: Any) -> None:
    """YAML, TOML and JSON, by ``str`` or path object."""
    assert load_config(as_path(written(tmp_path / name, text))) == load_config(FULL)


@pytest.mark.parametrize(("name", "text"), [("c.yaml", YAML), ("c.toml", TOML), ("c.json", json.dumps(FULL))])
def test_a_byte_order_mark_does_no_harm(tmp_path: Path, name: str, text: str) -> None:
    """Some editors write one."""
    assert load_config(written(tmp_path / name, b"\xef\xbb\xbf" + text.encode())) == load_config(FULL)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("c.yaml", "", "expected a mapping with the key 'names', found nothing"),
        ("c.yaml", "- a", "expected a mapping with the key 'names', found list"),
        ("c.json", "5", "found int"),
        ("c.yaml", "names: [", "is not valid YAML: while parsing"),
        ("c.yaml", "names: !!python/object/apply:os.getcwd []", "is not valid YAML: could not determine a constructor"),
        ("c.yaml", "names: [2001-99-99]", "is not valid YAML: month must be in 1..12"),
        ("c.yaml", "a: !!map [1]", "is not valid YAML"),
        ("c.yaml", "a: !!bool maybe", "is not valid YAML"),
        ("c.yaml", "{[a]: 1}", "is not valid YAML"),
        ("c.yaml", "[" * 5000, "is not valid YAML"),
        ("c.yaml", "names: [\0]", "is not valid YAML: unacceptable character"),
        ("c.toml", "names = [", "is not valid TOML"),
        ("c.toml", "names = []\nnames = []", "is not valid TOML: Cannot overwrite a value"),
        ("c.toml", f"a = {'9' * 5000}", "is not valid TOML: Exceeds the limit"),
        ("c.json", "{", "is not valid JSON"),
        ("c.json", '{"a": ' + "9" * 5000 + "}", "is not valid JSON: Exceeds the limit"),
        ("c.json", "[" * 100_000, "is not valid JSON"),
        ("c.json", '{"names": [], "names": []}', "the key 'names' stands twice in one mapping"),
        ("c.json", '{"prefer": {"a": 1, "b": 1, "b": 2}}', "the key 'b' stands twice"),
        ("c.yaml", "names: []\nstrict: true\nnames: []", "at line 3: the key 'names' stands twice in one mapping"),
        ("c.yaml", "names: []\nprefer: {a: x, 'a': y}", "at line 2: the key 'a' stands twice"),
        ("c.yaml", b"names: [\xff]", "cannot be read: 'utf-8' codec can't decode"),
        ("c.ini", "names=", "expected a file name ending in .yaml, .yml, .json or .toml"),
        ("plain", "names:", "expected a file name ending in"),
        ("c.yaml", "names: [5]", "at names[0]: expected an absolute module name"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    """Whatever is wrong with it, the error starts with the path and says what is wrong."""
    path = written(tmp_path / name, content)
    error = refusal(path)
    assert said in str(error)
    assert str(error).startswith(str(path))


@pytest.mark.parametrize("name", ["absent.yaml", "folder.yaml", "nul\0.yaml"])
def test_what_is_no_file_cannot_be_read(tmp_path: Path, name: str) -> None:
    """A missing file, a folder, an impossible name."""
    (tmp_path / "folder.yaml").mkdir()
    assert "cannot be read" in str(refusal(str(tmp_path / name)))


def test_yaml_merge_keys_and_anchors_work(tmp_path: Path) -> None:
    """A merged key may be overridden, which is no duplicate."""
    text = "names: []\nsettings: {a: &base {x: 1, y: 2}, b: {<<: *base, y: 3}}"
    assert load_config(written(tmp_path / "c.yaml", text)).settings["b"] == {"x": 1, "y": 3}


def test_yaml_keys_of_different_types_are_no_duplicates(tmp_path: Path) -> None:
    """``1`` and ``'1'`` are two keys."""
    text = "names: []\nsettings: {a: {1: x, '1': y}}"
    assert load_config(written(tmp_path / "c.yaml", text)).settings["a"] == {1: "x", "1": "y"}


# Directories


def test_relative_directories_start_at_the_file(tmp_path: Path) -> None:
    """A configuration file can be moved together with its plugins."""
    (tmp_path / "conf").mkdir()
    path = written(tmp_path / "conf" / "c.yaml", "{names: [], directories: [mine, ../other, /abs]}")
    expected = (str(tmp_path / "conf" / "mine"), str(tmp_path / "other"), "/abs")
    assert load_config(path).directories == expected
    assert load_config(os.path.relpath(path)).directories == expected


def test_relative_directories_of_an_object_start_at_the_working_directory(tmp_path: Path) -> None:
    """There is no file to start at."""
    assert load_config({"names": [], "directories": ["mine"]}).directories == (str(tmp_path / "mine"),)


def test_a_tilde_means_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a shell."""
    monkeypatch.setenv("HOME", "/home/someone")
    assert load_config({"names": [], "directories": ["~/mine"]}).directories == ("/home/someone/mine",)


def test_a_deleted_working_directory_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a relative directory needs it."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load_config({"names": ["json"], "directories": ["/abs"]}).directories == ("/abs",)


# Merging

configs = st.builds(
    load_config,
    st.fixed_dictionaries(
        {"names": st.lists(st.sampled_from(["a", "b", "c"]))},
        optional={
            "entry_points": st.fixed_dictionaries({}, optional={"enabled": st.booleans(), "include": st.just(["x"])}),
            "directories": st.lists(st.sampled_from(["/a", "/b"])),
            "prefer": st.dictionaries(st.sampled_from("mn"), st.sampled_from(["x", "y"])),
            "strict": st.booleans(),
            "settings": st.dictionaries(st.sampled_from("pq"), st.dictionaries(st.just("k"), st.integers(0, 2))),
        },
    ),
)


@given(configs, configs, configs)
def test_merging_is_associative(one: PluginsConfig, two: PluginsConfig, three: PluginsConfig) -> None:
    """How a host groups its ``initialize`` calls makes no difference."""
    assert one.merged_with(two).merged_with(three) == one.merged_with(two.merged_with(three))


@given(configs)
def test_merging_with_itself_or_nothing_changes_nothing(config: PluginsConfig) -> None:
    """Repeats are no-ops."""
    unique = PluginsConfig().merged_with(config)
    assert unique.merged_with(config) == unique.merged_with(PluginsConfig()) == unique


def test_a_later_configuration_adds_and_overrides() -> None:
    """Lists and mappings add up; other keys count where the later document has them."""
    first = load_config({"names": ["a"], "strict": True, "prefer": {"m": "x", "n": "x"}})
    second = load_config({"names": ["b", "a"], "entry_points": {"enabled": False}, "prefer": {"m": "y"}})
    both = first.merged_with(second)
    assert (both.names, both.strict, both.entry_points) == (("a", "b"), True, False)
    assert both.prefer == {"m": "y", "n": "x"}


def test_an_absent_key_does_not_override() -> None:
    """Leaving out ``entry_points`` does not switch them on again."""
    off = load_config({"names": [], "entry_points": {"enabled": False, "exclude": ["x"]}, "strict": False})
    both = off.merged_with(load_config({"names": []}))
    assert (both.entry_points, both.exclude, both.strict) == (False, ("x",), False)


def test_configurations_are_mappings_in_type_only() -> None:
    """``Conf`` admits any Mapping, so a custom one is read once through its interface."""

    class Custom(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return {"names": ["a"]}[key]

        def __iter__(self) -> Any:
            return iter(["names"])

        def __len__(self) -> int:
            return 1

    assert load_config(Custom()).names == ("a",)
