"""What is compared with what, and how far it may be apart."""

from collections.abc import Iterator

from benchmarks.harness import Comparison, Timed, World

MANY = 1000

# Case, statement for both libraries, the same without a framework, and whether it is the common call: one positional
# argument for fit or predict. Around the other actions the original does so little that its cost is hardly more than
# that of taking state_cb, *args and **kwargs; there the other aim holds.
CALLS = (
    ("predict: one positional", "exec_predict(m, inst, cb, x)", "own.predict(inst, x)", True),
    ("predict: one positional, state_cb None", "exec_predict(m, inst, None, x)", "own.predict(inst, x)", True),
    ("predict: one keyword", "exec_predict(m, inst, cb, x=x)", "own.predict(inst, x=x)", False),
    ("predict: one keyword, default state_cb", "exec_predict(m, inst, x=x)", "own.predict(inst, x=x)", False),
    ("predict: two positional", "exec_predict(m, inst, cb, x, y)", "own.predict(inst, x, y)", False),
    ("predict: positional and keyword", "exec_predict(m, inst, cb, x, y=y)", "own.predict(inst, x, y=y)", False),
    ("predict: no argument", "exec_predict(m, inst)", "own.predict(inst)", False),
    (
        "predict: both named arguments",
        "exec_predict(named, inst, cb, x)",
        "own_named.predict(x, model=inst, progress=cb)",
        False,
    ),
    ("fit: one positional", "exec_fit(m, inst, cb, x)", "own.fit(inst, x)", True),
    ("fit: one keyword", "exec_fit(m, inst, cb, x=x)", "own.fit(inst, x=x)", False),
    ("fit: two positional", "exec_fit(m, inst, cb, x, y)", "own.fit(inst, x, y)", False),
    ("fit: two keywords", "exec_fit(m, inst, cb, x=x, y=y)", "own.fit(inst, x=x, y=y)", False),
    ("fit: no argument", "exec_fit(m, inst)", "own.fit(inst)", False),
    (
        "fit: both named arguments",
        "exec_fit(named, inst, cb, x, y)",
        "own_named.fit(x, y, model=inst, progress=cb)",
        False,
    ),
    ("instantiate: no argument", "exec_instantiate(m)", "own.instantiate()", False),
    ("instantiate: one positional", "exec_instantiate(m, cb, x)", "own.instantiate(x)", False),
    ("instantiate: one keyword", "exec_instantiate(m, x=x)", "own.instantiate(x=x)", False),
    ("data_access: no argument", "exec_data_access(m)", "own.data_access()", False),
    ("data_access: one positional", "exec_data_access(m, cb, x)", "own.data_access(x)", False),
    ("data_access: one keyword", "exec_data_access(m, x=x)", "own.data_access(x=x)", False),
    ("serialize", "exec_serialize(m, inst)", "own.serialize(inst)", False),
    ("deserialize", "exec_deserialize(m, content)", "own.deserialize(content)", False),
)

# ruff: noqa: E501 - a table
# Case, ours, and the pluggy hook of the same specification; {0} is a model type owned by a function or by a hook.
HOOKS = (
    ("predict", "exec_predict({0}, inst, cb, x)", "predict(model_type=m, instance=inst, state_cb=cb, args=(x,), kwargs={})"),
    ("predict, keyword", "exec_predict({0}, inst, cb, x=x)", "predict(model_type=m, instance=inst, state_cb=cb, args=(), kwargs={'x': x})"),
    ("fit", "exec_fit({0}, inst, cb, x)", "fit(model_type=m, instance=inst, state_cb=cb, args=(x,), kwargs={})"),
    ("instantiate", "exec_instantiate({0}, cb, x)", "instantiate(model_type=m, state_cb=cb, args=(x,), kwargs={})"),
    ("data_access", "exec_data_access({0}, cb, x)", "data_access(name=m, state_cb=cb, args=(x,), kwargs={})"),
    ("serialize", "exec_serialize({0}, inst)", "serialize(model_type=m, instance=inst)"),
    ("deserialize", "exec_deserialize({0}, content)", "deserialize(model_type=m, instance_bytes=content)"),
)  # fmt: skip
AIMS = {0: None, 1: 1.15, 3: None}


def calls(original: str | None) -> Iterator[Comparison]:
    """Every ``exec_*`` without wrappers, against the original (if its interpreter is given) and a plain call."""
    for case, statement, _, common in CALLS:
        ours = Timed(statement, World())
        if original:
            theirs = Timed(statement, World(original))
            section = "exec_* without wrappers, against the original"
            yield Comparison(section, case, ours, theirs, "original", 0.5 if common else 0.65)
    for case, statement, plain, _ in CALLS:
        section = "exec_* without wrappers, against a plain call"
        yield Comparison(section, case, Timed(statement, World()), Timed(plain, World()), "plain call")


def hooks() -> Iterator[Comparison]:
    """Every ``exec_*``, against a pluggy hook with one implementation and as many wrappers."""
    for wrappers, aim in AIMS.items():
        world = World(wrappers=wrappers)
        for owner, model_type in (("function", "m"), ("hook", "h")):
            for case, ours, hook in HOOKS:
                if case == "data_access" and owner == "hook":
                    continue
                section = f"exec_* with {wrappers} wrapper(s), against a pluggy hook with the same"
                subject, reference = Timed(ours.format(model_type), world), Timed(f"hook.{hook}", world)
                yield Comparison(section, f"{case}, owned by a {owner}", subject, reference, "pluggy", aim)


def flat(original: str | None) -> Iterator[Comparison]:
    """A thousand model types against one."""
    section = "1,000 model types"
    for wrappers in (0, 1, 3):
        one, many = World(wrappers=wrappers), World(types=MANY, wrappers=wrappers)
        call = "exec_predict(m, inst, cb, x)"
        case = f"predict, {wrappers} wrapper(s)"
        yield Comparison(section, case, Timed(call, many), Timed(call, one), "one type", 1.1)
    loop = Timed("for name in names: exec_predict(name, inst, cb, x)", World(types=MANY), MANY)
    if original:
        theirs = loop._replace(world=World(original, MANY))
        yield Comparison(section, "predict, each type in turn", loop, theirs, "original", 0.5)
    hook = "for name in names: hook.predict(model_type=name, instance=inst, state_cb=cb, args=(x,), kwargs={})"
    for wrappers in (0, 1):
        world = World(types=MANY, wrappers=wrappers)
        pluggy, ours = Timed(hook, world, MANY), loop._replace(world=world)
        # Without an aim: the hook calls one function a thousand times, ours a thousand functions once.
        yield Comparison(section, f"predict, each in turn, {wrappers} wrapper(s)", ours, pluggy, "pluggy")


def handles() -> Iterator[Comparison]:
    """The route handle."""
    section = "Route handle, against a method that forwards *args, **kwargs"
    for case, ours, forwarded in (
        ("one positional", "route.predict(inst, cb, x)", "forwarder.predict(inst, x)"),
        ("one positional, state_cb None", "route.predict(inst, None, x)", "forwarder.predict(inst, x)"),
        ("two positional", "route.predict(inst, cb, x, y)", "forwarder.predict(inst, x, y)"),
        ("one keyword", "route.predict(inst, cb, x=x)", "forwarder.predict(inst, x=x)"),
        ("no argument", "route.predict(inst)", "forwarder.predict(inst)"),
    ):
        yield Comparison(section, case, Timed(ours, World()), Timed(forwarded, World()), "forwarder", 1.3)
