"""One measured process: makes a world of plugins with the ``aimm`` it finds, then times statements on request.

Run as ``python worker.py TYPES WRAPPERS`` by any interpreter, ours or that of the original ``aimm``; it needs nothing
but ``aimm.plugins``, and pluggy beside ours. Each line on stdin is JSON, ``[statement, number]``; the answer is
the seconds that ``number`` executions took.
"""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204 - annotations would be noise on functions that do nothing

import json
import sys
import timeit
from types import SimpleNamespace

from aimm import plugins

MODEL, BYTES = "bench.Model", b"bytes"


def state_cb(state):
    pass


def declare(name):
    """One model type with all actions, and what the statements call without any framework."""

    def instantiate(x=None):
        return x

    def fit(instance, x=None, y=None):
        return instance

    def predict(instance, x=None, y=None):
        return x

    def serialize(instance):
        return BYTES

    def deserialize(instance_bytes):
        return instance_bytes

    def data_access(x=None):
        return x

    plugins.data_access(name)(data_access)
    plugins.instantiate(name)(instantiate)
    plugins.fit([name])(fit)
    plugins.predict([name])(predict)
    plugins.serialize([name])(serialize)
    plugins.deserialize([name])(deserialize)
    return SimpleNamespace(**{k: v for k, v in locals().items() if k != "name"})


def declare_named(name):
    """The same for the actions that can take the instance and the state callback under names of their own."""

    def fit(x=None, y=None, *, model, progress):
        return model

    def predict(x=None, y=None, *, model, progress):
        return x

    plugins.fit([name], "progress", "model")(fit)
    plugins.predict([name], "progress", "model")(predict)
    return SimpleNamespace(fit=fit, predict=predict)


class Forwarder:
    """What a hand-written handle would be."""

    def __init__(self, function):
        self.function = function

    def predict(self, *args, **kwargs):
        return self.function(*args, **kwargs)


def make_wrapper(mark):
    """A wrapper of every action that does nothing."""

    @mark(wrapper=True)
    def data_access(name, args):
        return (yield)

    @mark(wrapper=True)
    def instantiate(model_type, args):
        return (yield)

    @mark(wrapper=True)
    def fit(model_type, instance, args):
        return (yield)

    @mark(wrapper=True)
    def predict(model_type, instance, args):
        return (yield)

    @mark(wrapper=True)
    def serialize(model_type, instance):
        return (yield)

    @mark(wrapper=True)
    def deserialize(model_type, instance_bytes):
        return (yield)

    @mark(wrapper=True)
    def run_task(task, args):
        return (yield)

    return SimpleNamespace(**{k: v for k, v in locals().items() if k != "mark"})


def make_owner(mark, own):
    """The actions as hook implementations: what a plugin written for pluggy has, whatever asks it."""

    @mark
    def data_access(name, state_cb, args, kwargs):
        return own.data_access(*args, **kwargs)

    @mark
    def instantiate(model_type, state_cb, args, kwargs):
        return own.instantiate(*args, **kwargs)

    @mark
    def fit(model_type, instance, state_cb, args, kwargs):
        return own.fit(instance, *args, **kwargs)

    @mark
    def predict(model_type, instance, state_cb, args, kwargs):
        return own.predict(instance, *args, **kwargs)

    @mark
    def serialize(model_type, instance):
        return own.serialize(instance)

    @mark
    def deserialize(model_type, instance_bytes):
        return own.deserialize(instance_bytes)

    return SimpleNamespace(**{k: v for k, v in locals().items() if k not in ("mark", "own")})


def hook_world(own, wrappers):
    """Join the wrappers to ours; make a bare pluggy hook caller of the same specification with as many."""
    import pluggy

    from aimm.plugins import hookspecs

    owner = make_owner(plugins.hookimpl, own)
    ours = SimpleNamespace(**vars(owner))
    del ours.data_access  # data is owned under a name, never by a hook
    ours.model_types = plugins.hookimpl(lambda: ["hook.Model"])
    plugins.register(ours, "owner")
    bare = pluggy.PluginManager("aimm")
    bare.add_hookspecs(hookspecs)
    bare.register(owner)
    for number in range(wrappers):
        plugins.register(make_wrapper(plugins.hookimpl), f"wrapper {number}")
        bare.register(make_wrapper(plugins.hookimpl))
    ours = {"hook": bare.hook, "route": plugins.route(MODEL), "forwarder": Forwarder(own.predict)}
    return ours | task_world(bare)


def task_world(hook):
    """A task, and how it is called; a bare pluggy hook caller calls the same."""
    from aimm import tasks

    @tasks.register
    def bench_task(x=None, y=None):
        return x

    class Runner:
        @plugins.hookimpl
        def run_task(self, args, kwargs):
            return bench_task(*args, **kwargs)

    hook.register(Runner())
    found = tasks.find_task("bench_task")
    return {"task": bench_task, "t": found.name, "found": found, "call": tasks.call, "call_task": tasks.call_task}


def make_world(types, wrappers):
    """The globals of the statements."""
    own = declare(MODEL)
    names = [MODEL, *(f"bench.Model{number}" for number in range(1, types))]
    for name in names[1:]:
        declare(name)
    world = {name: getattr(plugins, name) for name in plugins.__all__ if name.startswith("exec_")}
    world |= {"m": MODEL, "named": "bench.Named", "names": names, "cb": state_cb, "inst": [], "x": 1.5, "y": 2.5}
    world |= {"own": own, "own_named": declare_named("bench.Named"), "content": BYTES, "h": "hook.Model"}
    if "hookimpl" in plugins.__all__:
        world |= hook_world(own, wrappers)
    return world


def main():
    """Answer until stdin ends."""
    world = make_world(*map(int, sys.argv[1:]))
    timers = {}
    for line in sys.stdin:
        statement, number = json.loads(line)
        if statement not in timers:
            timers[statement] = timeit.Timer(statement, globals=world)
        print(json.dumps(timers[statement].timeit(number)), flush=True)


if __name__ == "__main__":
    main()
