"""Faulty plugins for the conformance kit, each made from a good one by one change, and the check meant for each."""

from typing import NamedTuple

from aimm.testing import Example, call

GOOD = '''
"""A scaler that learns a mean and a spread."""

import json
from aimm import plugins


class NotFittedError(ValueError):
    """Raised by predict before fit."""


class Scaler(plugins.Model):
    def __init__(self, shift=0.0):
        self.shift, self.mean, self.spread = shift, None, None

    def fit(self, X, state_cb=None):
        rows = [float(x) for x in X]
        mean = sum(rows) / len(rows)
        if state_cb:
            state_cb({"progress": 0.5})
        self.mean, self.spread = mean, max(rows) - min(rows)
        if state_cb:
            state_cb({"progress": 1.0, "rows": len(rows)})
        return self

    def predict(self, X):
        if self.mean is None:
            raise NotFittedError("fit it first")
        return [(x - self.mean) / self.spread + self.shift for x in X]

    def serialize(self):
        return json.dumps(["scaler", self.shift, self.mean, self.spread]).encode()

    @classmethod
    def deserialize(cls, instance_bytes):
        magic, shift, mean, spread = json.loads(bytes(instance_bytes))
        if magic != "scaler":
            raise ValueError("no scaler")
        model = cls(shift)
        model.mean, model.spread = mean, spread
        return model


def create(*args, **kwargs):
    return Scaler(*args, **kwargs)


def fit(instance, X, state_cb):
    return instance.fit(X, state_cb)


def predict(instance, X):
    return instance.predict(X)


def serialize(instance):
    return instance.serialize()


def deserialize(instance_bytes):
    return Scaler.deserialize(instance_bytes)


plugins.instantiate("scaler")(create)
plugins.fit(["scaler"], state_cb_arg_name="state_cb")(fit)
plugins.predict(["scaler"])(predict)
plugins.serialize(["scaler"])(serialize)
plugins.deserialize(["scaler"])(deserialize)
'''
"""A module that declares the model type ``scaler`` by decorators, and keeps every claim."""

EXAMPLE = Example(fit=call([1.0, 2.0, 4.0, 9.0]), predict=call([3.0, 5.0]), instantiate=call(shift=0.5))

WRAPPER = """
from aimm.plugins import hookimpl

@hookimpl(wrapper=True)
def fit(args, kwargs):
    result = yield
    return result

@hookimpl(wrapper=True)
def serialize(instance):
    return (yield)
"""
"""A hook plugin that wraps two actions."""

OWNER = """
from aimm.plugins import hookimpl

@hookimpl
def model_types():
    return ["owned.one", "owned.two"]

@hookimpl
def resolve_model_type(model_type):
    return model_type.startswith("owned.")

@hookimpl
def parameters(model_type, action):
    return ["X"] if action == "predict" else []

@hookimpl
def settings_schema():
    return {"type": "object"}

@hookimpl
def configure(settings):
    pass

@hookimpl
def instantiate(args, kwargs):
    return [*args]

@hookimpl
def fit(instance, args, kwargs):
    float(args[0])
    instance[:] = args
    return instance

@hookimpl
def predict(instance, args):
    if not instance:
        raise ValueError("fit it first")
    return [instance[0], *args]

@hookimpl
def serialize(instance):
    return repr(instance).encode()

@hookimpl
def deserialize(instance_bytes):
    import ast
    return ast.literal_eval(bytes(instance_bytes).decode())
"""
"""A hook plugin that owns model types."""

DATA = """
def numbers(state_cb=None, seed=0):
    return [1, 2, seed]
"""

TASKS = """
from pathlib import Path

from aimm.tasks import ArtifactTaskInterface, register


@register(outputs=["low", "high"], state_cb_arg_name="state_cb")
def ends(numbers, state_cb=None):
    state_cb({"progress": 1.0})
    return min(numbers), max(numbers)


class Numbers(ArtifactTaskInterface):
    @staticmethod
    def serialize(working_dir, name, contents, **kwargs):
        path = Path(working_dir) / f"{name}.txt"
        path.write_text(" ".join(map(str, contents)))
        return path

    @staticmethod
    def deserialize(working_dir, path, **kwargs):
        return [float(text) for text in Path(working_dir, path).read_text().split()]

    @staticmethod
    def validation():
        return None


def aimm_examples():
    from aimm.testing import call
    return {"ends": call([3.0, 1.0, 2.0]), "Numbers": call([1.0, 2.5])}
"""
"""A module with a task and an artifact handler."""


class Fault(NamedTuple):
    """One fault.

    Attributes:
        check: The check that is meant for it.
        what: The fault in a few words.
        changes: Pieces of source and what stands there instead.
        good: The source that is changed.
    """

    check: str
    what: str
    changes: tuple[tuple[str, str], ...]
    good: str = GOOD


def _(check: str, what: str, *changes: tuple[str, str], good: str = GOOD) -> Fault:
    return Fault(check, what, changes, good)


_RETURN = "    return instance.fit(X, state_cb)"
_START = ("import json", "import json, os, sys, threading, time, signal, random")
_STEP = '            state_cb({"progress": 0.5})'
_LOADED = "        magic, shift, mean, spread = json.loads(bytes(instance_bytes))"
_PREDICTED = "    return instance.predict(X)"

MODEL_FAULTS = (
    _("actions-belong-together", "no deserialize", ('plugins.deserialize(["scaler"])(deserialize)', "")),
    _("actions-belong-together", "no way to an instance", ('plugins.instantiate("scaler")(create)', ""),
      ('plugins.deserialize(["scaler"])(deserialize)', ""), ('plugins.serialize(["scaler"])(serialize)', "")),
    _("signature-fits-declaration", "declares a callback it does not take", ('="state_cb"', '="callback"')),
    _("signature-fits-declaration", "takes no instance", ("def predict(instance, X)", "def predict(*, X)")),
    _("instantiate-works", "the constructor raises", ("    return Scaler(*args, **kwargs)", "    return Scaler(1, 2, 3)")),
    _("instantiate-works", "the constructor returns nothing", ("    return Scaler(*args", "    Scaler(*args")),
    _("instances-are-independent", "one instance for all", ("def create(*args, **kwargs):\n    return Scaler(*args",
      "_kept = []\ndef create(*args, **kwargs):\n    _kept or _kept.append(Scaler(*args, **kwargs))\n    return _kept[0]\n"
      "def other(*args, **kwargs):\n    return Scaler(*args")),
    _("instances-are-independent", "state in the class", ("self.mean, self.spread = mean, max(rows) - min(rows)",
      "Scaler.mean, Scaler.spread = mean, max(rows) - min(rows)"), ("self.shift, self.mean, self.spread = shift, None, None",
      "self.shift = shift"), ("class Scaler(plugins.Model):", "class Scaler(plugins.Model):\n    mean = spread = None")),
    _("fit-works", "fit raises", (_RETURN, "    raise RuntimeError('never')")),
    _("fit-works", "fit calls sys.exit", _START, (_RETURN, "    sys.exit(3)")),
    _("fit-returns-the-instance", "fit returns nothing", (_RETURN, "    instance.fit(X, state_cb)")),
    _("fit-returns-the-instance", "fit returns something else", (_RETURN, "    return instance.fit(X, state_cb).mean")),
    _("fit-leaves-its-inputs", "fit sorts the data in place", ("        rows = [", "        getattr(X, 'reverse', str)()\n        rows = [")),
    _("predict-works", "predict raises", (_PREDICTED, "    raise RuntimeError('never')")),
    _("predict-returns-the-prediction", "instance and prediction", (_PREDICTED, "    return instance, instance.predict(X)")),
    _("predict-returns-the-prediction", "the instance", (_PREDICTED, "    instance.predict(X)\n    return instance")),
    _("predict-leaves-its-inputs", "predict consumes the data", (_PREDICTED,
      "    result = instance.predict(X)\n    X.clear()\n    return result")),
    _("predict-leaves-the-instance", "predict counts", (_PREDICTED,
      "    result = instance.predict(X)\n    instance.calls = getattr(instance, 'calls', 0) + 1\n    return result"),
      ("self.mean, self.spread]", "self.mean, self.spread, getattr(self, 'calls', 0)]"), ("mean, spread = json", "mean, spread, _ = json")),
    _("predict-repeats", "predict drifts", (_PREDICTED, "    instance.n = getattr(instance, 'n', 0) + 1\n"
      "    return [p + instance.n for p in instance.predict(X)]")),
    _("equal-fits-agree", "random numbers without a seed", _START, ("        self.mean, self.spread = mean,",
      "        self.mean, self.spread = mean + random.SystemRandom().random(),")),
    _("predict-before-fit-is-clean", "zeros before fit", ('            raise NotFittedError("fit it first")',
      "            return [0.0 for x in X]")),
    _("predict-before-fit-is-clean", "no message", ('NotFittedError("fit it first")', "NotFittedError()")),
    _("bad-arguments-are-refused", "fits to anything", (_RETURN, "    try:\n        return instance.fit(X, state_cb)\n"
      "    except TypeError:\n        return instance"), ("def fit(instance, X, state_cb)", "def fit(instance, X=(), state_cb=None, **kw)"),
      ("sum(rows) / len(rows)", "sum(rows) / max(1, len(rows))"), ("max(rows) - min(rows)", "max([0, *rows]) - min([1, *rows])")),
    _("bad-arguments-are-refused", "ends the process", _START, (_RETURN, "    try:\n        return instance.fit(X, state_cb)\n"
      "    except TypeError:\n        sys.exit(2)")),
    _("calls-are-silent", "fit prints", (_RETURN, "    print('fitting')\n" + _RETURN)),
    _("calls-leave-the-process-alone", "fit changes the folder", _START, (_RETURN, "    os.chdir('/')\n" + _RETURN)),
    _("calls-leave-the-process-alone", "predict sets a variable", _START, (_PREDICTED,
      "    os.environ['SCALER_' + str(time.perf_counter_ns())] = '1'\n" + _PREDICTED)),
    _("fit-works-in-a-thread", "fit wants the main thread", _START, (_RETURN,
      "    signal.signal(signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))\n" + _RETURN)),
    _("serialize-gives-bytes", "serialize returns text", ("    return instance.serialize()", "    return instance.serialize().decode()")),
    _("serialize-gives-bytes", "serialize returns nothing", ("    return instance.serialize()", "    return b''")),
    _("bytes-are-stable", "the time stands in the bytes", _START, ("self.mean, self.spread]",
      "self.mean, self.spread, time.perf_counter_ns()]"), ("mean, spread = json", "mean, spread, _ = json")),
    _("round-trip-predicts-the-same", "a parameter is forgotten", ("model = cls(shift)", "model = cls()")),
    _("deserialize-takes-any-bytes", "only bytes can be decoded", ("json.loads(bytes(instance_bytes))", "json.loads(instance_bytes.decode())")),
    _("round-trip-gives-its-own-instance", "comes back as another type", ("    return Scaler.deserialize(instance_bytes)",
      "    return type('Other', (Scaler,), {}).deserialize(instance_bytes)")),
    _("states-are-json", "a state holds a set", (_STEP, '            state_cb({"progress": {0.5}})')),
    _("states-are-json", "a state is a number", (_STEP, "            state_cb(0.5)")),
    _("progress-goes-forward", "progress in percent", (_STEP, '            state_cb({"progress": 50})')),
    _("progress-goes-forward", "progress goes back", ('{"progress": 1.0,', '{"progress": 0.2,')),
    _("callback-errors-pass-through", "errors of the callback are swallowed", (_RETURN,
      "    def quiet(state):\n        try:\n            state_cb(state)\n        except Exception:\n            pass\n"
      "    return instance.fit(X, quiet)")),
    _("callback-errors-leave-the-instance-usable", "half-changed by a broken fit", (_STEP, "            self.mean = None\n" + _STEP)),
    _("exceptions-pickle", "an exception with two arguments", ('    """Raised by predict before fit."""',
      "    def __init__(self, what, why):\n        super().__init__(what + why)"), ('NotFittedError("fit it first")', 'NotFittedError("fit it", "first")')),
    _("round-trip-in-a-fresh-process", "the bytes are a key into a cache", ("        return json.dumps([\"scaler\", self.shift, self.mean, self.spread]).encode()",
      "        key = json.dumps([\"scaler\", self.shift, self.mean, self.spread])\n        CACHE[key] = self\n        return key.encode()"),
      (_LOADED, "        if bytes(instance_bytes).decode() not in CACHE:\n            raise ValueError('unknown')\n" + _LOADED), ("import json", "import json\nCACHE = {}")),
    _("works-in-a-spawned-child", "only in the main process", ("import json", "import json, multiprocessing"), (_RETURN,
      "    if multiprocessing.parent_process() is not None:\n        raise RuntimeError('not here')\n" + _RETURN)),
    _("works-in-a-spawned-child", "ends a spawned process", ("import json", "import json, os, multiprocessing"), (_RETURN,
      "    if multiprocessing.parent_process() is not None:\n        os._exit(4)\n" + _RETURN)),
    _("concurrent-predicts-agree", "intermediate results in the instance", _START, (_PREDICTED,
      "    instance.rows = X\n    time.sleep(0.005)\n    return instance.predict(instance.rows)")),
    _("concurrent-predicts-agree", "not re-entrant", _START, (_PREDICTED,
      "    if getattr(instance, 'busy', False):\n        raise RuntimeError('busy')\n    instance.busy = True\n"
      "    time.sleep(0.005)\n    instance.busy = False\n" + _PREDICTED)),
    _("corrupt-bytes-are-survived", "hangs", (_LOADED, "        while b'scaler' not in bytes(instance_bytes):\n            pass\n" + _LOADED)),
    _("corrupt-bytes-are-survived", "crashes", _START, (_LOADED, "        if b'scaler' not in bytes(instance_bytes):\n            os.abort()\n" + _LOADED)),
    _("corrupt-bytes-are-survived", "ends the process", _START, (_LOADED, "        if b'scaler' not in bytes(instance_bytes):\n            os._exit(0)\n" + _LOADED)),
    _("corrupt-bytes-are-refused", "a new instance instead", (_LOADED, "        if b'scaler' not in bytes(instance_bytes):\n            return cls()\n" + _LOADED)),
    _("refusals-pickle", "a refusal with two arguments", (_LOADED, "        if b'scaler' not in bytes(instance_bytes):\n            raise Refusal('a', 'b')\n" + _LOADED),
      ("class Scaler", "class Refusal(ValueError):\n    def __init__(self, one, two):\n        super().__init__(one + two)\n\n\nclass Scaler")),
    _("import-is-silent", "prints at import", ("import json", "import json\nprint('hello')")),
    _("import-starts-no-threads", "a thread at import", _START, ("from aimm", "threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\nfrom aimm")),
    _("import-leaves-the-process-alone", "changes the folder at import", _START, ("from aimm", "os.chdir('/')\nfrom aimm")),
    _("import-leaves-the-process-alone", "a signal handler at import", _START, ("from aimm",
      "threading.current_thread() is threading.main_thread() and signal.signal(signal.SIGUSR1, print)\nfrom aimm")),
)  # fmt: skip
"""Faults of the model type ``scaler``."""

_YIELD = "    result = yield\n    return result"

HOOK_FAULTS = (
    _("wrapper-passes-results", "returns nothing", (_YIELD, "    yield"), good=WRAPPER),
    _("wrapper-passes-results", "returns a copy", ("    return (yield)", "    return bytes(bytearray((yield)))"), good=WRAPPER),
    _("wrapper-passes-exceptions", "swallows exceptions", (_YIELD, "    try:\n        return (yield)\n    except Exception:\n        return None"), good=WRAPPER),
    _("wrapper-passes-exceptions", "raises another one", (_YIELD, "    try:\n        return (yield)\n    except Exception as e:\n        raise ValueError('no') from e"), good=WRAPPER),
    _("wrapper-passes-arguments", "changes keywords", (_YIELD, "    kwargs.clear()\n" + _YIELD), good=WRAPPER),
    _("owner-leaves-foreign-names", "claims everything", ('model_type.startswith("owned.")', "True"), good=OWNER),
    _("owner-leaves-foreign-names", "fails for foreign names", ('    return model_type.startswith("owned.")', "    return {'owned.one': True}[model_type]"), good=OWNER),
    _("owner-lists-the-same-names", "a name twice", ('"owned.two"]', '"owned.one"]'), good=OWNER),
    _("settings-schema-is-valid", "an array of settings", ('"type": "object"', '"type": ["object", "array"]'), good=OWNER),
)  # fmt: skip
"""Faults of hook plugins."""

DATA_FAULTS = (
    _("data-access-works", "returns nothing", ("    return [1, 2, seed]", "    pass"), good=DATA),
    _("data-access-works", "raises", ("    return [1, 2, seed]", "    raise OSError('gone')"), good=DATA),
    _("data-access-repeats", "random", ("return [1, 2, seed]", "import time\n    return [time.perf_counter_ns()]"), good=DATA),
    _("data-access-states-are-json", "a set as state", ("    return", "    state_cb and state_cb({1, 2})\n    return"), good=DATA),
    _("data-access-states-are-json", "not a number", ("    return", "    state_cb and state_cb({'loss': float('nan')})\n    return"), good=DATA),
)  # fmt: skip
"""Faults of data accesses."""

_ENDS = "    return min(numbers), max(numbers)"

TASK_FAULTS = (
    _("task-works", "raises", (_ENDS, "    raise RuntimeError('never')"), good=TASKS),
    _("task-outputs-fit", "one value for two outputs", (_ENDS, "    return [min(numbers)]"), good=TASKS),
    _("task-outputs-fit", "nothing to split", (_ENDS, "    return min(numbers)"), good=TASKS),
    _("task-leaves-its-inputs", "sorts its input", (_ENDS, "    numbers.sort()\n    return numbers[0], numbers[-1]"), good=TASKS),
    _("task-states-are-json", "a set as state", ('{"progress": 1.0}', "{1.0}"), good=TASKS),
    _("artifact-is-written", "names another file", ("        return path", "        return path.with_suffix('.csv')"), good=TASKS),
    _("artifact-is-written", "writes elsewhere", ("Path(working_dir) / f", "Path(__file__).parent / f"), good=TASKS),
    _("artifact-round-trip", "forgets the last number", ("map(str, contents)", "map(str, contents[:-1])"), good=TASKS),
)  # fmt: skip
"""Faults of tasks and artifact handlers."""


def faulty_source(fault: Fault) -> str:
    """The source of a faulty plugin."""
    source = fault.good
    for old, new in fault.changes:
        assert old in source, f"the good plugin has no {old!r}"
        source = source.replace(old, new)
    return source
