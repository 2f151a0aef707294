"""What type checkers see of ``aimm.tasks``: mypy strict and pyright strict find exactly the marked mistakes."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, assert_type

from aimm import tasks
from aimm.plugins import StateCallback, hookimpl
from aimm.tasks import ArtifactTaskInterface


@tasks.register
def scale(rows: list[float], factor: float = 1.0) -> list[float]:
    """A registered function keeps its signature."""
    return [row * factor for row in rows]


assert_type(scale([1.0], factor=2.0), list[float])
scale("no list")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
scale([1.0], by=2.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@tasks.register(sort_value=3, outputs=["low", "high"], state_cb_arg_name="tell")
def split(rows: list[float], *, tell: StateCallback) -> tuple[float, float]:
    """Also one that is registered with arguments."""
    tell({"progress": 1.0})
    return min(rows), max(rows)


assert_type(split([1.0], tell=print), tuple[float, float])
split([1.0])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@tasks.register
async def later(value: int) -> int:
    """And a coroutine function."""
    return value


async def waits() -> None:
    """Awaited as it stands, it gives its result."""
    assert_type(await later(1), int)


tasks.register(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
tasks.register(sort_value="first")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
tasks.register(outputs=3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
tasks.register(output="x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]

found = tasks.find_task("scale")
assert_type(found, tasks.TaskRecord)
assert_type(found.parameters[0].name, str)
assert_type(found.source.version, str | None)
assert_type(tasks.names("plugin"), list[str])
assert_type(tasks.funcs("plugin", "module"), list[str])
assert_type(tasks.exists("plugin.module.function"), bool)
assert_type(tasks.info("plugin", "module", "function"), tasks.TaskRecord)
assert_type(tasks.split_outputs(found, [1.0]), dict[str, Any])
tasks.call("scale", [1.0], plugin=1, func=2, name=3)
tasks.call()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
tasks.call(scale, [1.0])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
tasks.call_task("scale", ([1.0],))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
tasks.call_task(found, [1.0])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
tasks.call_task(found, ([1.0],), state_cb=[1.0])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Lines(ArtifactTaskInterface):
    """A handler as the interface has it, and as most are written."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: list[str], end: str = "\n", **kwargs: Any) -> Path:
        """Narrower contents, and an argument of its own."""
        path = working_dir / name
        path.write_text(end.join(contents))
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> list[str]:
        """Narrower than anything."""
        return Path(working_dir, path).read_text().splitlines()

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """One argument."""
        return {"end": {"type": "string"}}


class Half(ArtifactTaskInterface, abstract=True):
    """Lacks the other two methods."""

    @staticmethod
    def serialize(working_dir: Path, contents: str) -> Path:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Has no name."""
        return working_dir


Half()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]

handler = tasks.find_handler("Lines")
assert_type(tasks.save_artifact("out", "lines", ["a"], handler, {"end": ";"}), tasks.ArtifactInfo)
assert_type(tasks.read_artifacts("out"), dict[str, tasks.ArtifactInfo])
tasks.save_artifact("out", "lines", ["a"], "Lines")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
tasks.save_artifact("out", 3, ["a"], handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
tasks.load_artifact("out", 3, handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Tracer:
    """A wrapper of every task."""

    @hookimpl(wrapper=True)
    def run_task(self, task: str, args: tuple[Any, ...]) -> Generator[None, Any, Any]:
        """See the result and hand it on."""
        return (yield)


with tasks.unchanged("scale", {"rows": [1.0]}):
    call: Callable[[list[float]], list[float]] = scale
