import importlib
import itertools
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aimm import plugins
from aimm.errors import DuplicateError
from aimm.plugins._registry import (
    DECLARED,
    EXPLICIT,
    PREFERRED,
    UNDECLARED,
    Record,
    Registry,
    Source,
    default_registry,
    journal,
    scratch_registry,
)
from support import model_source, unique_name

MakeModule = Callable[..., str]
RANKS = (UNDECLARED, DECLARED, EXPLICIT, PREFERRED)


def function_number(number: int) -> Callable[[], int]:
    return lambda: number


def record(
    name: str = "m", rank: int = EXPLICIT, function: Any = None, module: str = "mod", kind: str = "fit"
) -> Record:
    return Record(kind, name, function or function_number(0), Source(module, rank=rank))


def declared_by(module: str, kind: str = "fit") -> list[str]:
    return [r.name for r in default_registry.records() if r.source.module == module and r.kind == kind]


# Sources


@pytest.mark.parametrize(
    ("source", "text", "choice"),
    [
        (Source("mod"), "module 'mod'", "mod"),
        (Source("mod", "p"), "plugin 'p'", "p"),
        (Source("mod", "p", "dist", "1.0"), "plugin 'p' (distribution dist 1.0)", "dist"),
        (Source("mod", "p", "dist", ""), "plugin 'p' (distribution dist of unknown version)", "dist"),
    ],
)
def test_a_source_describes_itself(source: Source, text: str, choice: str) -> None:
    """In messages, and behind ``prefer:``."""
    assert (source.describe(), source.choice) == (text, choice)


# add


def test_add_registers_everything() -> None:
    """Records are found by kind and name, in the order of registration."""
    registry, records = Registry(), [record("b"), record("a"), record("a", kind="predict")]
    registry.add(records)
    assert registry.records() == tuple(records)
    assert registry.get("predict", "a") is records[2]
    assert registry.get("predict", "b") is None
    assert registry.names("fit") == ["a", "b"]


def test_add_with_one_duplicate_registers_nothing() -> None:
    """Registration is a transaction; the error names kind, name and both sources."""
    registry = Registry()
    registry.add([record("b", module="first")])
    before = registry.records()
    with pytest.raises(DuplicateError) as caught:
        registry.add([record("a"), record("b", module="second"), record("c")])
    assert caught.value.args == ("fit", "b", "module 'first'", "module 'second'")
    assert registry.records() == before


def test_duplicates_within_one_addition_are_refused() -> None:
    """Also when the registry was empty."""
    registry = Registry()
    with pytest.raises(DuplicateError):
        registry.add([record(module="one"), record(module="two")])
    assert registry.records() == ()


def test_the_same_record_again_is_no_duplicate() -> None:
    """One object that is reached twice is one."""
    registry, same = Registry(), record()
    registry.add([same])
    registry.add([same, same._replace(source=Source("elsewhere"))])
    assert registry.records() == (same,)


def test_the_same_bound_method_again_is_no_duplicate() -> None:
    """Each look-up of a bound method makes a new object; it is the same all the same."""

    class Forest:
        @classmethod
        def deserialize(cls) -> None: ...

    registry = Registry()
    assert Forest.deserialize is not Forest.deserialize
    registry.add([record(function=Forest.deserialize, module="one")])
    registry.add([record(function=Forest.deserialize, module="two")])
    assert len(registry.records()) == 1


class Liar:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __call__(self) -> None: ...


def test_callables_are_not_asked_whether_they_are_equal() -> None:
    """They may lie, or answer with an array."""
    registry = Registry()
    registry.add([record(function=Liar(), module="one")])
    with pytest.raises(DuplicateError):
        registry.add([record(function=Liar(), module="two")])


def test_a_module_executed_anew_replaces_its_records() -> None:
    """Reloading is no duplication; another module is."""
    registry = Registry()
    registry.add([record()._replace(execution=object())])
    anew = record()._replace(execution=object())
    registry.add([anew])
    assert registry.records() == (anew,)


# merge


@pytest.mark.parametrize(("low", "high"), list(itertools.combinations(RANKS, 2)))
@pytest.mark.parametrize("low_first", [True, False])
def test_the_higher_rank_wins_whoever_comes_first(low: int, high: int, low_first: bool) -> None:
    """Preferred > asked for by the host > declared by an entry point > merely found; without a clash."""
    registry, records = Registry(), [record(rank=low, module="low"), record(rank=high, module="high")]
    clashes = [registry.merge([r]) for r in (records if low_first else reversed(records))]
    assert clashes == [[], []]
    assert registry.records() == (records[1],)


@pytest.mark.parametrize("rank", RANKS)
def test_equal_ranks_clash_and_the_rest_is_registered(rank: int) -> None:
    """The clash names both records; the first stays."""
    registry = Registry()
    first, second, other = record(rank=rank, module="one"), record(rank=rank, module="two"), record("other")
    registry.merge([first])
    assert registry.merge([second, other]) == [(first, second)]
    assert registry.records() == (first, other)


def test_the_same_object_of_higher_rank_takes_over_the_source() -> None:
    """And keeps it when the lower rank comes again."""
    function = function_number(1)
    low, high = record(rank=DECLARED, function=function), record(rank=EXPLICIT, function=function)
    for order in itertools.permutations((low, high)):
        registry = Registry()
        assert [registry.merge([r]) for r in order] == [[], []]
        assert registry.records() == (high,)


@st.composite
def rivals(draw: st.DrawFn) -> list[Record]:
    """Records with few names, each with a function and module of its own."""
    drawn = draw(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(RANKS)), max_size=6))
    return [record(name, rank, function_number(i), f"mod{i}") for i, (name, rank) in enumerate(drawn)]


@given(rivals(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_who_owns_a_name_does_not_depend_on_the_order(records: list[Record], random: Any, size: int) -> None:
    """Where one record ranks highest it wins; where several do, there is a clash; in batches of any size."""
    random.shuffle(records)
    registry, clashes = Registry(), []
    for start in range(0, len(records), size):
        clashes += registry.merge(records[start : start + size])
    for name in {r.name for r in records}:
        top = max(r.source.rank for r in records if r.name == name)
        best = [r for r in records if r.name == name and r.source.rank == top]
        held = registry.get("fit", name)
        assert held in best
        contested = {id(r) for clash in clashes if clash.first.name == name for r in clash if r.source.rank == top}
        assert contested == ({id(r) for r in best} if len(best) > 1 else set())


@given(rivals(), rivals())
def test_all_or_nothing_means_it(before: list[Record], records: list[Record]) -> None:
    """Either there is no clash and every winner is in, or nothing changed."""
    registry = Registry()
    registry.merge(before)
    held = registry.records()
    if registry.merge(records, all_or_nothing=True):
        assert registry.records() == held
    else:
        assert {r.key for r in records} <= {r.key for r in registry.records()}


operations = st.lists(
    st.one_of(
        st.tuples(st.just("add"), rivals()),
        st.tuples(st.just("merge"), rivals()),
        st.tuples(st.just("discard"), st.lists(st.sampled_from("abcz"), max_size=2)),
        st.tuples(st.just("clear"), st.none()),
    ),
    max_size=8,
)


def apply(registry: Registry, operation: str, argument: Any) -> None:
    if operation == "discard":
        registry.discard(("fit", name) for name in argument)
    elif operation == "clear":
        registry.clear()
    elif operation == "merge":
        registry.merge(argument)
    else:
        with suppress(DuplicateError):
            registry.add(argument)


@given(operations)
def test_watchers_know_every_change(steps: list[tuple[str, Any]]) -> None:
    """What a watcher replays from the keys it is told equals the registry, after any sequence of operations."""
    registry, mirror = Registry(), {}

    def watch(keys: Iterable[tuple[str, str]]) -> None:
        for key in keys:
            mirror[key] = registry.get(*key)

    registry.watch(watch)
    for step in steps:
        apply(registry, *step)
        assert {key: r for key, r in mirror.items() if r} == {r.key: r for r in registry.records()}
        assert registry.names("fit") == sorted(r.name for r in registry.records())


def test_nobody_is_told_of_a_refused_addition() -> None:
    """Nothing changed."""
    registry, told = Registry(), list[Any]()
    registry.add([record(module="one")])
    registry.watch(lambda keys: told.extend(keys))
    with pytest.raises(DuplicateError):
        registry.add([record("new"), record(module="two")])
    assert told == []


def test_a_snapshot_stays_as_it_was() -> None:
    """Readers hold what they read: tables are replaced, never changed."""
    registry = Registry()
    registry.add([record()])
    snapshot = registry.records()
    registry.clear()
    assert (len(snapshot), registry.records()) == (1, ())


# Threads


@pytest.fixture
def tiny_switch_interval() -> Iterable[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("tiny_switch_interval")
def test_no_concurrent_declaration_is_lost() -> None:
    """8 threads x 400 declarations keep all 3200 (the original kept 1186)."""

    def declare(thread: int) -> None:
        for number in range(400):
            plugins.fit([f"t{thread}-{number}"])(lambda instance: instance)

    threads = [threading.Thread(target=declare, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(default_registry.names("fit")) == 3200


@pytest.mark.usefixtures("tiny_switch_interval")
def test_readers_see_a_whole_addition_or_nothing() -> None:
    """Never half of a model type."""
    registry, done, seen = Registry(), threading.Event(), set[int]()

    def read() -> None:
        while not done.is_set():
            seen.add(len(registry.records()) % 5)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        registry.add([record(f"m{number}", kind=f"k{kind}") for kind in range(5)])
    done.set()
    reader.join()
    assert seen == {0}


@pytest.mark.usefixtures("tiny_switch_interval")
def test_of_many_threads_that_claim_one_name_one_wins() -> None:
    """The others get the error."""
    registry, refused = Registry(), list[int]()

    def claim(number: int) -> None:
        try:
            registry.add([record(module=f"mod{number}", function=function_number(number))])
        except DuplicateError:
            refused.append(number)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(registry.records()), len(refused)) == (1, 15)


# The active registry


def test_a_declaration_goes_to_the_active_registry() -> None:
    """The scratch registry inside its block, the default one outside."""
    with scratch_registry() as scratch:
        plugins.fit(["inside"])(lambda instance: instance)
    plugins.fit(["outside"])(lambda instance: instance)
    assert (scratch.names("fit"), default_registry.names("fit")) == (["inside"], ["outside"])


def test_scratch_registries_nest() -> None:
    """A plugin that loads another plugin while it is imported keeps its own declarations."""
    with scratch_registry() as outer:
        with scratch_registry() as inner:
            plugins.fit(["inner"])(lambda instance: instance)
        plugins.fit(["outer"])(lambda instance: instance)
    assert (outer.names("fit"), inner.names("fit")) == (["outer"], ["inner"])


def test_a_scratch_registry_ends_with_its_block_even_on_error() -> None:
    """Otherwise later declarations would be lost."""
    with pytest.raises(KeyboardInterrupt), scratch_registry():
        raise KeyboardInterrupt
    plugins.fit(["after"])(lambda instance: instance)
    assert default_registry.names("fit") == ["after"]


def test_other_threads_do_not_see_a_scratch_registry() -> None:
    """A plain import in another thread registers where it always does."""
    with scratch_registry() as scratch:
        thread = threading.Thread(target=lambda: plugins.fit(["m"])(lambda instance: instance))
        thread.start()
        thread.join()
    assert (scratch.names("fit"), default_registry.names("fit")) == ([], ["m"])


# Modules: plain imports, reloads, the journal


def test_a_plain_import_registers_at_once(make_module: MakeModule) -> None:
    """Under the module that declares."""
    name = make_module(model_source("m"))
    importlib.import_module(name)
    (source,) = {r.source for r in default_registry.records()}
    assert source == Source(name)


def test_a_helper_that_declares_does_so_for_the_module_that_is_imported(make_module: MakeModule) -> None:
    """The decorator may stand in a function of another module."""
    helper = make_module("from aimm import plugins\ndef register(name):\n    plugins.fit([name])(lambda i: i)\n")
    name = make_module(f"from {helper} import register\nregister('m')\n")
    importlib.import_module(name)
    assert declared_by(name) == ["m"]


def test_reloading_a_module_replaces_its_declarations(make_module: MakeModule) -> None:
    """The new function is called from then on."""
    name = make_module(model_source("m", tag="old"))
    module = importlib.import_module(name)
    make_module(model_source("m", tag="new"), name)
    importlib.reload(module)
    assert plugins.exec_predict("m", [], None) == ([], ("new", (), {}))


def test_importing_a_module_anew_replaces_its_declarations(make_module: MakeModule) -> None:
    """Taken out of ``sys.modules`` and imported again."""
    name = make_module(model_source("m", tag="old"))
    importlib.import_module(name)
    del sys.modules[name]
    make_module(model_source("m", tag="new"), name)
    importlib.import_module(name)
    assert plugins.exec_predict("m", [], None)[1][0] == "new"


def test_two_modules_that_declare_one_name_are_a_duplicate(make_module: MakeModule) -> None:
    """The second import fails, names both modules, and leaves nothing of itself under that name."""
    one, two = make_module(model_source("m")), make_module(model_source("m"))
    importlib.import_module(one)
    with pytest.raises(DuplicateError, match=f"by module '{one}'.*by module '{two}', was refused"):
        importlib.import_module(two)
    assert not declared_by(two, "instantiate")


@pytest.mark.parametrize("again", ["names", "plain import"])
def test_unload_all_and_initialize_register_everything_again(make_module: MakeModule, again: str) -> None:
    """Although Python executes a module only once (the original registers nothing)."""
    name = make_module(model_source("m"))
    if again == "plain import":
        importlib.import_module(name)
    for _ in range(3):
        plugins.initialize({"names": [name]})
        assert plugins.exec_instantiate("m", None, 1) == [1, {}]
        plugins.unload_all()
        assert default_registry.records() == ()


def test_a_second_manager_gets_what_the_first_has_imported(
    manager: plugins.PluginManager, make_module: MakeModule
) -> None:
    """Sub-modules, packages and re-exported functions included."""
    root = unique_name("pkg")
    make_module("from aimm import plugins\nplugins.fit(['sub'])(lambda i: i)", f"{root}.sub")
    make_module("from aimm import plugins\n@plugins.fit(['deep'])\ndef deep(i): return i", f"{root}.inner.deep")
    make_module(f"from {root}.inner.deep import deep", f"{root}.inner.__init__")
    make_module(f"from {root} import sub\nfrom {root}.inner import deep", f"{root}.entry")
    for host in (plugins.default_manager, manager, plugins.PluginManager()):
        host.initialize({"names": [f"{root}.entry"]})
        assert [host.exec_fit(name, 7) for name in ("sub", "deep")] == [7, 7]


def test_the_journal_follows_modules_that_declare_nothing(
    manager: plugins.PluginManager, make_module: MakeModule
) -> None:
    """Plugin → helper → declaring module, where the helper was imported by hand before."""
    declaring = make_module("from aimm import plugins\nplugins.fit(['m'])(lambda i: i)")
    helper = make_module(f"import {declaring}")
    importlib.import_module(helper)
    manager.initialize({"names": [make_module(f"import {helper}")]})
    assert manager.exec_fit("m", 7) == 7


def test_the_journal_does_not_reach_strangers(manager: plugins.PluginManager, make_module: MakeModule) -> None:
    """A module that was imported, but not by this plugin, is not this plugin's."""
    importlib.import_module(make_module(model_source("stranger")))
    own = make_module(model_source("own"))
    importlib.import_module(own)
    manager.initialize({"names": [own]})
    assert {owner.name for owner in manager.owners()} == {"own"}


def test_the_journal_forgets_what_is_no_longer_imported(make_module: MakeModule) -> None:
    """A module that failed, or was taken out of ``sys.modules``, declares when it is executed."""
    name = make_module(model_source("m"))
    importlib.import_module(name)
    assert {r.name for r in journal.replay(name)} == {"m"}
    del sys.modules[name]
    assert journal.replay(name) == []


def test_modules_that_import_each_other_are_replayed_once(make_module: MakeModule) -> None:
    """A cycle of imports ends."""
    one, two = unique_name(), unique_name()
    make_module(f"from aimm import plugins\nimport {two}\nplugins.fit(['one'])(lambda i: i)", one)
    make_module(f"from aimm import plugins\nimport {one}\nplugins.fit(['two'])(lambda i: i)", two)
    importlib.import_module(one)
    assert sorted(r.name for r in journal.replay(two)) == ["one", "two"]


def test_a_script_can_declare() -> None:
    """``__main__`` and modules without a specification have no import to go by."""
    namespace = {"__name__": "__main__", "__spec__": None}
    exec("from aimm import plugins\nplugins.fit(['m'])(lambda i: i)", namespace)
    assert declared_by("__main__") == ["m"]
