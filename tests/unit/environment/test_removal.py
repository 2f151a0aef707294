"""What goes with a plugin, on random graphs: nothing that is needed, and everything that is not."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings, strategies as st

from aimm.environment._installed import HOST, Installed
from aimm.environment._ledger import Addition, Change, Entry, Ledger
from aimm.environment._needs import closure, needs
from aimm.environment._removal import plan_removal, with_recorded_needs
from aimm.errors import StillNeededError

LIBRARIES = ["a", "b", "c", "d", "e", "f"]
PLUGINS = ["p", "q", "r"]
MARKERS = ["", '; python_version >= "3"', '; python_version < "3"', '; extra == "fast"', '; extra == "slow"']


def package(name: str, *requires: str, **fields: object) -> Installed:
    """A distribution as pip installs it; asked for by name only if said so."""
    extras = tuple(extra for extra in ("fast", "gpu", "slow") if any(f'"{extra}"' in text for text in requires))
    return Installed(name, "1.0", requires, extras, **fields)  # type: ignore[arg-type]


def table(*packages: Installed) -> dict[str, Installed]:
    return {p.name: p for p in packages}


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Installed]:
    """Everything that can be installed: libraries and plugins that need libraries, cycles and extras included."""

    def requirement(name: str) -> str:
        return name + draw(st.sampled_from(["", "", "[fast]", "[slow]"])) + draw(st.sampled_from(MARKERS))

    def made(name: str, others: list[str], **fields: object) -> Installed:
        chosen = draw(st.lists(st.sampled_from(others), max_size=4, unique=True))
        return package(name, *map(requirement, chosen), **fields)

    host = made(HOST, LIBRARIES)._replace(requires=("a",), is_requested=True)
    plugins = [made(name, LIBRARIES, is_plugin=True) for name in PLUGINS]
    return table(host, *(made(name, LIBRARIES) for name in LIBRARIES), *plugins)


class Site:
    """An environment to which things are installed as pip and the ledger have it."""

    def __init__(self, world: Mapping[str, Installed]) -> None:
        self.world, self.ledger = world, Ledger()
        self.packages: dict[str, Installed] = {}

    def pip(self, name: str, *extras: str) -> None:
        """Plain pip: what is there already gets no mark."""
        for needed in closure(self.world, {name: extras}):
            if needed not in self.packages:
                self.packages[needed] = self.world[needed]._replace(is_requested=needed == name)

    def install(self, name: str, *extras: str) -> None:
        """The same with the ledger."""
        before = set(self.packages)
        self.pip(name, *extras)
        added = {new: Addition("1.0", name) for new in self.packages.keys() - before}
        self.ledger = self.ledger.with_installation({name: Entry("1.0", extras, is_whole=name in added)}, added, ())

    def uninstall(self, *names: str) -> set[str]:
        """Remove plugins; returns what went."""
        gone = {step.name for step in plan_removal(self.packages, names, self.ledger).remove}
        self.packages = {name: p for name, p in self.packages.items() if name not in gone}
        self.ledger = self.ledger.without(gone | set(names), ())
        return gone

    def check(self, roots: Mapping[str, tuple[str, ...]]) -> None:
        """Everything that somebody asked for has all that it needs."""
        assert closure(self.world, roots).keys() <= self.packages.keys()


orders = st.permutations(PLUGINS)
extras = st.sampled_from([(), ("fast",), ("slow",), ("fast", "slow")])


@settings(deadline=None)
@given(worlds(), st.lists(st.sampled_from(LIBRARIES), max_size=3), orders, orders, extras)
def test_install_and_uninstall_is_nothing(
    world: dict[str, Installed], own: list[str], there: list[str], back: list[str], chosen: tuple[str, ...]
) -> None:
    """Whatever the graph and the orders: with the ledger, the last uninstallation leaves what was there at first."""
    site = Site(world)
    site.pip(HOST)
    for name in own:
        site.pip(name)
    before = dict(site.packages)
    for name in there:
        site.install(name, *chosen)
    left = dict.fromkeys(there, chosen)
    for name in back:
        site.uninstall(name)
        del left[name]
        site.check({HOST: (), **dict.fromkeys(own, ()), **left})
    assert site.packages == before
    assert site.ledger.is_empty


@settings(deadline=None)
@given(worlds(), st.lists(st.sampled_from(LIBRARIES), max_size=3), orders, st.integers(0, 3))
def test_plain_pip_and_ledger_together(
    world: dict[str, Installed], own: list[str], order: list[str], split: int
) -> None:
    """Some plugins by plain pip, some with the ledger: what stays has what it needs, and the user's own stays."""
    site = Site(world)
    site.pip(HOST)
    for name in own:
        site.pip(name)
    for number, name in enumerate(order):
        site.pip(name) if number < split else site.install(name)
    marked = {name for name, p in site.packages.items() if p.is_requested and not p.is_plugin}
    left = list(order)
    for name in order:
        gone = site.uninstall(name)
        left.remove(name)
        assert name in gone
        assert not gone & marked
        site.check({HOST: (), **dict.fromkeys(own, ()), **dict.fromkeys(left, ())})


@settings(deadline=None)
@given(worlds(), orders)
def test_plain_pip_alone(world: dict[str, Installed], order: list[str]) -> None:
    """Without any ledger the last uninstallation leaves what the host and its extras can use, and nothing else."""
    site = Site(world)
    site.pip(HOST)
    before = set(site.packages)
    for name in order:
        site.pip(name)
    for name in order:
        site.uninstall(name)
    assert set(site.packages) == before


@settings(deadline=None)
@given(worlds(), orders)
def test_all_at_once_is_one_after_the_other(world: dict[str, Installed], order: list[str]) -> None:
    """Uninstalling several in one call leaves what uninstalling them singly leaves."""
    site, other = Site(world), Site(world)
    for each in (site, other):
        each.pip(HOST)
        for name in order:
            each.install(name)
    site.uninstall(*order)
    for name in order:
        other.uninstall(name)
    assert site.packages == other.packages


def names(steps: object) -> list[str]:
    return [step.name for step in steps]  # type: ignore[attr-defined]


def test_a_cycle_goes_as_a_whole() -> None:
    """Dependencies that need each other do not keep each other."""
    packages = table(package("p", "a", is_requested=True), package("a", "b"), package("b", "a"))
    assert names(plan_removal(packages, ["p"], Ledger()).remove) == ["a", "b", "p"]


def test_what_another_plugin_needs_stays_and_the_plan_says_why() -> None:
    """A shared dependency is named with who needs it."""
    packages = table(package("p", "a", is_requested=True), package("q", "a", is_requested=True), package("a"))
    plan = plan_removal(packages, ["p"], Ledger())
    assert names(plan.remove) == ["p"]
    assert [(step.name, step.why) for step in plan.keep] == [("a", "needed by q 1.0")]


def test_an_extra_of_an_extra_is_in_use_only_if_all_of_it_was_there() -> None:
    """What a plugin brought is not taken for something that the user's own package had asked for."""
    packages = table(
        package("p", "e", is_requested=True),
        package("b", 'c[fast]; extra == "fast"', is_requested=True),
        package("c", "b", 'e; extra == "fast"', is_requested=True),
        package("e"),
    )
    ledger = Ledger({"p": Entry("1.0")}, {"p": Addition("1.0", "p"), "e": Addition("1.0", "p")})
    assert names(plan_removal(packages, ["p"], ledger).remove) == ["e", "p"]


def test_what_the_host_runs_on_is_not_listed() -> None:
    """That it stays goes without saying."""
    packages = table(package("p", "a", is_requested=True), package(HOST, "a"), package("a"))
    assert plan_removal(packages, ["p"], Ledger()).keep == ()


def test_a_plugin_that_another_needs_is_refused() -> None:
    """The message names who needs it and the requirement."""
    packages = table(package("p", is_requested=True), package("q", "p>=1", is_requested=True))
    with pytest.raises(StillNeededError, match=r"p is needed by q 1\.0 \(p>=1\); uninstall both, or keep p"):
        plan_removal(packages, ["p"], Ledger())


def test_a_mark_of_the_user_keeps_a_dependency() -> None:
    """What pip was asked for by name stays, although the ledger says that it was added."""
    ledger = Ledger({"p": Entry("1.0")}, {"p": Addition("1.0", "p"), "a": Addition("0.9", "p", True)})
    packages = table(package("p", "a", is_requested=True), package("a", is_requested=True))
    plan = plan_removal(packages, ["p"], ledger)
    assert [(step.name, step.why) for step in plan.keep] == [("a", "installed by name")]


def test_a_mark_that_a_requirements_file_made_does_not() -> None:
    """The same version with a mark that was there from the start is not the user's wish."""
    ledger = Ledger({"p": Entry("1.0", (), ("a",))}, {"p": Addition("1.0", "p"), "a": Addition("1.0", "p", True)})
    packages = with_recorded_needs(
        table(package("p", is_requested=True), package("a", is_requested=True)), {"p": ["a"]}
    )
    assert names(plan_removal(packages, ["p"], ledger).remove) == ["a", "p"]


def test_a_mark_on_the_version_of_a_lock_file_does_not_either() -> None:
    """Plain pip with -r marks everything; versions in the plugin's lock file are known to be its own."""
    packages = with_recorded_needs(
        table(package("p", is_requested=True), package("a", is_requested=True)), {"p": ["a"]}
    )
    assert names(plan_removal(packages, ["p"], Ledger(), pinned={"a": "1.0"}).remove) == ["a", "p"]
    assert names(plan_removal(packages, ["p"], Ledger(), pinned={"a": "2.0"}).remove) == ["p"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"installer": "conda"}, "installed by conda"),
        ({"installer": ""}, "installed by another program"),
        ({"is_own": False}, "not part of this environment"),
    ],
)
def test_what_others_installed_stays(fields: dict[str, object], why: str) -> None:
    """Neither conda's packages nor those of an outer environment are touched."""
    packages = table(package("p", "a", is_requested=True), package("a", **fields))
    assert [(step.name, step.why) for step in plan_removal(packages, ["p"], Ledger()).keep] == [("a", why)]


def test_pip_goes_only_if_it_came_with_a_plugin() -> None:
    """What installs packages is nobody's dependency, unless the ledger says so."""
    packages = table(package("p", "setuptools", is_requested=True), package("setuptools"))
    assert names(plan_removal(packages, ["p"], Ledger()).remove) == ["p"]
    ledger = Ledger({"p": Entry("1.0")}, {"p": Addition("1.0", "p"), "setuptools": Addition("1.0", "p")})
    assert names(plan_removal(packages, ["p"], ledger).remove) == ["p", "setuptools"]


def test_what_was_installed_for_a_plugin_that_is_gone() -> None:
    """Plain pip removed the plugin; naming it removes what was left behind."""
    ledger = Ledger({"p": Entry("1.0")}, {"p": Addition("1.0", "p"), "a": Addition("1.0", "p")})
    plan = plan_removal(table(package("a")), ["p"], ledger)
    assert [(step.name, step.why) for step in plan.remove] == [("a", "was installed for what is gone")]


class TestRestoring:
    """A version that a plugin replaced comes back when the plugin goes."""

    LEDGER = Ledger({"p": Entry("1.0")}, {"p": Addition("1.0", "p")}, (Change("a", "0.5", "1.0", "p"),))

    def test_it_comes_back(self) -> None:
        """If nobody else needs the newer one."""
        packages = table(package("p", "a>=1", is_requested=True), package("a", is_requested=True))
        plan = plan_removal(packages, ["p"], self.LEDGER)
        assert [(step.name, step.to) for step in plan.restore] == [("a", "0.5")]
        assert names(plan.remove) == ["p"]

    def test_it_stays_if_another_needs_the_newer_one(self) -> None:
        """What stays is not broken for it."""
        packages = table(
            package("p", "a>=1", is_requested=True),
            package("q", "a>=1", is_requested=True),
            package("a", is_requested=True),
        )
        assert plan_removal(packages, ["p"], self.LEDGER).restore == ()

    def test_it_stays_if_somebody_changed_it_since(self) -> None:
        """A third version is somebody's wish."""
        packages = table(package("p", is_requested=True), package("a", is_requested=True)._replace(version="3.0"))
        assert plan_removal(packages, ["p"], self.LEDGER).restore == ()

    def test_two_changes_are_joined(self) -> None:
        """If the first of two plugins goes first, the second remembers the oldest version."""
        ledger = Ledger(
            {"p": Entry("1.0"), "q": Entry("1.0")},
            {},
            (Change("a", "1", "2", "p"), Change("a", "2", "3", "q")),
        )
        assert ledger.without(["p"], []).changed == (Change("a", "1", "3", "q"),)


def test_a_requirement_that_cannot_be_read_counts_by_its_name() -> None:
    """A stranger's malformed requirement still keeps what it names."""
    (need,) = needs(package("u", "a (>= 1 what"))
    assert (need.name, need.is_readable, need.accepts("0")) == ("a", False, True)
