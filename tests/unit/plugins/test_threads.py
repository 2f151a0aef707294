"""Many threads at once; on a build with the GIL it changes hands as often as it can."""

import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from aimm import plugins
from aimm._types import MODEL_ACTIONS
from aimm.errors import DuplicateError, PluginNotFoundError
from support import FakeSite, model_source

THREADS = 32
TURNS = 25


@pytest.fixture(autouse=True)
def _hasty() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def all_at_once(*works: Callable[[int], None]) -> None:
    """Run works in 32 threads that start together; what one of them raises is raised here."""
    barrier, errors = threading.Barrier(THREADS), []

    def run(number: int) -> None:
        barrier.wait()
        try:
            for turn in range(TURNS):
                works[number % len(works)](number * TURNS + turn)
        except BaseException as error:  # noqa: BLE001 - whatever a thread raises fails the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def owner(name: str) -> SimpleNamespace:
    """A hook plugin that owns one model type with all actions."""
    hook = plugins.hookimpl
    return SimpleNamespace(
        model_types=hook(lambda: [name]),
        instantiate=hook(lambda model_type, args: [*args]),
        fit=hook(lambda model_type, instance: instance),
        predict=hook(lambda model_type, instance, args: (name, args)),
        serialize=hook(lambda model_type, instance: b"x"),
        deserialize=hook(lambda model_type, instance_bytes: []),
    )


def wrapper() -> SimpleNamespace:
    """A wrapper that counts itself in, and must see its own result come back."""

    @plugins.hookimpl(wrapper=True)
    def predict(model_type, args):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        result = yield
        return (*result, "wrapped")

    return SimpleNamespace(predict=predict)


def test_resolving_calling_registering_and_wrapping_at_once(site: FakeSite, manager: plugins.PluginManager) -> None:
    """Every call gets its own owner's answer, once per wrapper; nothing is lost, and nothing is left over."""
    for number in range(40):
        source = model_source(f"lazy{number}")
        points = {"aimm.models": {f"lazy{number}": f"lazy_{number}"}}
        site.add(f"d{number}", entry_points=points, modules={f"lazy_{number}": source})
    manager.initialize()
    manager.register(owner("steady"))
    route = manager.route("steady")

    def resolve(turn: int) -> None:
        name = turn % 40
        _, answer = manager.exec_predict(f"lazy{name}", [], None, turn)
        assert answer[:3] == (f"lazy_{name}", (turn,), {})
        assert set(answer[3:]) <= {"wrapped"}

    def call(turn: int) -> None:
        for _, answer in (manager.exec_predict("steady", [], None, turn), route.predict([], None, turn)):
            assert answer[:2] == ("steady", (turn,))
            assert set(answer[2:]) <= {"wrapped"}

    def register(turn: int) -> None:
        name = f"passing{turn}"
        leave = manager.register(owner(name))
        assert manager.exec_predict(name, [], None, turn)[1][:2] == (name, (turn,))
        leave()
        with pytest.raises(PluginNotFoundError):
            manager.exec_predict(name, [])

    def wrap(turn: int) -> None:
        leave = manager.register(wrapper())
        assert "wrapped" in manager.exec_predict("steady", [], None, turn)[1]
        leave()

    def watch(turn: int) -> None:
        offered: dict[str, int] = {}
        for record in manager._registry.records():
            offered[record.name] = offered.get(record.name, 0) + 1
        assert set(offered.values()) <= {len(MODEL_ACTIONS)}

    all_at_once(resolve, call, register, wrap, watch)
    assert manager.exec_predict("steady", [], None, 1)[1] == ("steady", (1,))
    assert [o.name for o in manager.owners() if o.actions] == sorted([*(f"lazy{n}" for n in range(40)), "steady"])
    assert not manager.report.failed


def test_declarations_by_many_threads_are_all_kept() -> None:
    """Decorators of 32 threads; each name that two of them declare goes to one, and the other is told."""
    refused: list[int] = []

    def declare(turn: int) -> None:
        plugins.fit([f"own{turn}"])(lambda instance: turn)
        assert plugins.exec_fit(f"own{turn}", None) == turn
        try:
            plugins.fit([f"shared{turn % 10}"])(lambda instance: turn)
        except DuplicateError:
            refused.append(turn)

    all_at_once(declare)
    assert len(refused) == THREADS * TURNS - 10
    assert all(plugins.exec_fit(f"own{turn}", None) == turn for turn in range(THREADS * TURNS))


def test_one_plugin_is_loaded_once_however_many_ask(site: FakeSite, manager: plugins.PluginManager) -> None:
    """By a class and by every action of it; the import runs one time."""
    source = model_source("once", before="import threading\nthreading.imports = getattr(threading, 'imports', 0) + 1")
    site.add("d", entry_points={"aimm.models": {"once": "once_mod"}}, modules={"once_mod": source})
    manager.initialize()
    try:
        all_at_once(
            lambda turn: manager.exec_instantiate("once"),
            lambda turn: manager.exec_predict("once", [], None, 1),
            lambda turn: manager.route("once").serialize([]),
        )
        assert threading.imports == 1  # type: ignore[attr-defined]
    finally:
        del threading.imports  # type: ignore[attr-defined]
