"""What the checks of model types work on: one model type with one example."""

import os
import pickle
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from aimm import plugins
from aimm._types import MODEL_ACTIONS
from aimm.errors import PluginNotFoundError
from aimm.testing._checks import FailedError, SkippedError
from aimm.testing._examples import Arguments, Example
from aimm.testing._process import DEAD, converse
from aimm.testing._recipe import Recipe

HEAVY = (
    *("torch", "tensorflow", "jax", "keras", "sklearn", "scipy", "pandas", "numpy", "polars", "pyarrow", "xgboost"),
    *("lightgbm", "catboost", "transformers", "matplotlib", "numba", "dask", "ray", "river", "cv2"),
)
"""Libraries that a plugin that is imported at every start should import when it is used, not before."""

STEPS = ("load", "reload", "fresh-process", "spawned-child", "concurrent-predicts", "corrupt-bytes")
_WITHOUT_PAYLOAD = STEPS[:2]


class Outcome(NamedTuple):
    """How a step in another process went.

    Attributes:
        message: What is wrong; empty if nothing is.
        facts: What was measured.
    """

    message: str = ""
    facts: dict[str, Any] = {}


class Subject:
    """One model type with one example.

    Args:
        manager: Where it is loaded.
        model_type: The model type.
        example: The example; None if there is none.
        remark: Why there is none, or that it was made without knowing the plugin.
        recipe: How another process loads it.
        timeout: Seconds that each step in another process may take.
        heavy: Modules that its import must not import; None for the usual ones.
    """

    def __init__(
        self,
        manager: plugins.PluginManager,
        model_type: str,
        example: Example | None,
        remark: str,
        recipe: Recipe,
        timeout: float,
        heavy: tuple[str, ...] | None = None,
    ) -> None:
        self.manager, self.model_type, self.recipe = manager, model_type, recipe
        self._example, self.remark, self.timeout, self.heavy = example, remark, timeout, heavy
        self.route = manager.route(model_type)
        self._outcomes: dict[str, Outcome] = {}
        self.process_state = process_state()
        self.unfitted_bytes: bytes | None = None

    @property
    def group(self) -> str:
        """The entry-point group of its plugin, if there is one."""
        return self.recipe.group

    @property
    def facts(self) -> dict[str, Any]:
        """What the import of its plugin leaves behind in another process.

        Raises:
            SkippedError: No other process can load it.
            FailedError: It does not load there.
        """
        return self.expect("load").facts

    @property
    def is_heavy_asked(self) -> bool:
        """Whether the caller listed the heavy modules."""
        return self.heavy is not None

    @property
    def example(self) -> Example:
        """The example.

        Raises:
            SkippedError: There is none.
        """
        if self._example is None:
            reason = f"there is no example ({self.remark}): let the plugin supply aimm_examples()"
            raise SkippedError(reason)
        return self._example

    @cached_property
    def offered(self) -> dict[str, Any]:
        """The actions that somebody owns, with their records."""
        found = {}
        for action in MODEL_ACTIONS:
            try:
                found[action] = self.manager.owner_record(self.model_type, action)
            except PluginNotFoundError:
                continue
        return found

    def instantiate(self) -> Any:
        """A new instance, made with the same seeds every time."""
        arguments = self.example.instantiate.copied()
        with seeded():
            return self.route.instantiate(None, *arguments.args, **arguments.kwargs)

    def fit(self, instance: Any, arguments: Arguments | None = None, state_cb: Any = None) -> Any:
        """Fit an instance to the example."""
        arguments = arguments or self.example.fit.copied()
        with seeded():
            return self.route.fit(instance, state_cb, *arguments.args, **arguments.kwargs)

    def fitted(self) -> Any:
        """A new fitted instance."""
        return self.fit(self.instantiate())

    def predict(self, instance: Any, arguments: Arguments | None = None) -> Any:
        """A prediction for the example."""
        arguments = arguments or self.example.predict.copied()
        with seeded():
            return self.route.predict(instance, None, *arguments.args, **arguments.kwargs)[1]

    def serialize(self, instance: Any) -> bytes:
        """The bytes of an instance."""
        return bytes(self.route.serialize(instance))

    def deserialize(self, content: Any) -> Any:
        """The instance in some bytes."""
        return self.route.deserialize(content)

    @cached_property
    def _reference(self) -> Any:
        """One fitted instance, which nothing but the two properties below may use."""
        return self.fitted()

    @cached_property
    def payload(self) -> bytes:
        """The bytes of a fitted instance, taken before it predicted anything."""
        return self.serialize(self._reference)

    @cached_property
    def prediction(self) -> Any:
        """What the instance in :attr:`payload` predicts."""
        _ = self.payload
        return self.predict(self._reference)

    @cached_property
    def has_stable_bytes(self) -> bool:
        """Whether serialising one instance twice gives the same bytes."""
        instance = self.fitted()
        return self.serialize(instance) == self.serialize(instance)

    def needs_action(self, *actions: str) -> None:
        """Skip the check unless the model type offers these actions."""
        for action in actions:
            if action not in self.offered:
                raise SkippedError(f"the model type offers no {action}")

    def outcome(self, step: str) -> Outcome:
        """How a step went in another process; all steps share one as long as it lives.

        Raises:
            SkippedError: No other process can load the plugin or the example.
            FailedError: The step was never reached.
        """
        if self.recipe.why_not:
            raise SkippedError(self.recipe.why_not)
        if step not in self._outcomes:
            self._run_steps()
        if step not in self._outcomes:
            raise FailedError("the process did not get that far")
        return self._outcomes[step]

    def expect(self, step: str) -> Outcome:
        """The same for a step that must go well.

        Raises:
            FailedError: It did not.
        """
        outcome = self.outcome(step)
        if outcome.message:
            raise FailedError(outcome.message)
        return outcome

    def _run_steps(self) -> None:
        # What was not needed so far does not work, and must not be tried here: it may end this process.
        has_payload = {"payload", "prediction"} <= self.__dict__.keys()
        steps = STEPS if has_payload else _WITHOUT_PAYLOAD
        remaining = [step for step in steps if step not in self._outcomes]
        while remaining:
            running = remaining[0]
            for event, *rest in converse(self._request(remaining), self.timeout):
                if event == "start":
                    running = rest[0]
                elif event == "done":
                    self._outcomes[rest[0]] = Outcome(rest[1], rest[2])
                elif event == DEAD:
                    self._outcomes[running] = Outcome(rest[0])
            if running == "load" and self._outcomes.get("load", Outcome("?")).message:
                return
            remaining = [step for step in remaining if step not in self._outcomes and step != running]

    def _request(self, steps: list[str]) -> dict[str, Any]:
        whole = {"example": self._example, **{name: self.__dict__.get(name) for name in ("payload", "prediction")}}
        try:
            content = pickle.dumps(whole)
        except Exception as error:
            raise SkippedError(f"the example or the prediction cannot be pickled: {error}") from error
        return {
            "task": "steps",
            "recipe": tuple(self.recipe),
            "model_type": self.model_type,
            "content": content,
            "steps": steps,
            "heavy": self.heavy or HEAVY,
        }


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Give the global random numbers of Python, NumPy and PyTorch a seed for the time of the block."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    before = random.getstate(), numpy.random.get_state() if numpy else None
    random.seed(seed)
    if numpy:
        numpy.random.seed(seed)
    if torch:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        if numpy:
            numpy.random.set_state(before[1])


def process_state() -> dict[str, Any]:
    """What of this process belongs to the host and must survive a call, by what it is called."""
    return {
        "the working directory": os.getcwd(),
        "signal handlers": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "standard streams": [id(stream) for stream in (sys.stdout, sys.stderr, sys.stdin)],
    }
