"""``check_plugin``: everything that a distribution declares, without importing any of it in this process."""

import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aimm import plugins
from aimm.errors import CheckInputError, SubjectError
from aimm.testing._candidate import FLOORS, title
from aimm.testing._checks import EXAMPLES, IMPORT, LOADING, checks, judged, known_expectations, run
from aimm.testing._checks_examples import Names, together
from aimm.testing._model import TIMEOUT
from aimm.testing._process import DEAD, converse
from aimm.testing._report import EXPECTED_FAIL, FAILED, PASSED, Report, Result

Progress = Callable[[dict[str, Any]], None]


def check_plugin(
    distribution_or_path: str | os.PathLike[str],
    *,
    expected_failures: Mapping[str, str] | None = None,
    heavy: Iterable[str] | None = None,
    timeout: float = TIMEOUT,
    state_cb: Progress | None = None,
) -> Report:
    """Check everything that a distribution declares: entry points, and the models, hooks, data and tasks behind them.

    Each entry point is examined in a process of its own, so a plugin that hangs or crashes is a finding.

    Args:
        distribution_or_path: Name of an installed distribution, or of one entry point; or the path of a project
            (``pyproject.toml``, whose dependencies are installed), a wheel, a Python module or a plugin directory.
        expected_failures: Names of checks that are known to fail, or ``subject:check``, with the reason; such a check
            that passes is an error. Those that the plugin declares itself count too.
        heavy: Modules that the plugin's import must not import; also for plugins that are imported when used.
        timeout: Seconds that one check may take.
        state_cb: Receives ``{"progress": 0..1, "check": ...}``.

    Returns:
        The report.

    Raises:
        SubjectError: There is no such distribution, plugin or path, or it declares nothing.
        CheckInputError: An expected failure names no check, or gives no reason.
    """
    expected = dict(expected_failures or {})
    known_expectations(expected)
    name = os.fspath(distribution_or_path)
    with _on_path(name) as (candidates, declared):
        results: list[tuple[str, Result]] = []
        told: dict[plugins.Candidate, Names] = {}
        for number, candidate in enumerate(candidates):
            request = {
                "task": "plugin",
                "candidate": tuple(candidate),
                "declared": declared,
                "expected": expected,
                "heavy": None if heavy is None else list(heavy),
                "timeout": timeout,
            }
            for kind, result in _examined(candidate, request, expected, timeout, told):
                results.append((kind, result))
                if state_cb is not None:
                    state_cb({"progress": number / len(candidates), "check": f"{result.subject}: {result.check}"})
        results += _of_examples(told, candidates, declared, expected)
    title = Path(name).resolve().name if Path(name).exists() else name
    return Report(title, tuple(result for _, result in results), _floor(results))


def _floor(results: list[tuple[str, Result]]) -> int:
    """How many checks must run: some of each subject, and at least one that calls something, if there is anything."""
    floor = sum(FLOORS.get(kind, 0) for kind, _ in {(kind, result.subject) for kind, result in results})
    loading = [result for kind, result in results if kind in (LOADING, IMPORT, EXAMPLES)]
    ran = sum(result.status in (PASSED, EXPECTED_FAIL) for result in loading)
    return floor if len(loading) == len(results) else max(floor, ran + 1)


def _examined(
    candidate: plugins.Candidate,
    request: dict[str, Any],
    expected: Mapping[str, str],
    timeout: float,
    told: dict[plugins.Candidate, Names],
) -> Iterator[tuple[str, Result]]:
    """The results for one entry point; a check that ends its process failed, and a new process goes on after it."""
    done: dict[str, dict[str, str]] = {}
    while True:
        running = (title(candidate), "entry-point-resolves")
        dead: str | None = None
        # Twice the time of one step: a check may wait for a step in a process of its own.
        for event, *rest in converse({**request, "done": done}, 2 * timeout + 5):
            if event == "start":
                running = (rest[0], rest[1])
            elif event == "result":
                kind, result = rest[0], Result(*rest[1])
                done.setdefault(result.subject, {})[result.check] = result.status
                yield kind, result
            elif event == "names":
                told[candidate] = Names(*rest)
            elif event == "refused":
                raise CheckInputError(rest[0])
            elif event == DEAD:
                dead = rest[0]
        if dead is None:
            return
        found = next(c for c in checks() if c.name == running[1])
        result = Result(found.name, running[0], FAILED, dead, found.claim, found.hint)
        again = found.name in done.get(result.subject, {})
        done.setdefault(result.subject, {})[found.name] = FAILED
        yield found.kind, judged(result, known_expectations(expected, result.subject))
        if again or found.name == "entry-point-resolves":
            return


def _of_examples(
    told: Mapping[plugins.Candidate, Names],
    candidates: list[plugins.Candidate],
    declared: list[tuple[str, str]],
    expected: Mapping[str, str],
) -> Iterator[tuple[str, Result]]:
    """The results for suppliers of examples; none where an entry point was left out, or could not be loaded."""
    examined = {(candidate.group, name) for candidate in candidates for name in candidate.names}
    if len(told) < len(candidates) or any(pair not in examined for pair in declared):
        return
    for names in together(list(told.values())):
        for result in run(EXAMPLES, names, names.whose, known_expectations(expected, names.whose)):
            yield EXAMPLES, result


@contextmanager
def _on_path(name: str) -> Iterator[tuple[list[plugins.Candidate], list[tuple[str, str]]]]:
    """What to check, and the (group, name) pairs that it declares; its code can be imported inside the block."""
    path, before = Path(name), list(sys.path)
    try:
        candidates = _from_path(path.resolve()) if path.exists() else _installed(name)
        yield candidates, [(c.group, n) for c in _siblings(candidates) for n in c.names]
    finally:
        sys.path[:] = before


def _installed(name: str) -> list[plugins.Candidate]:
    from packaging.utils import canonicalize_name

    found = plugins.PluginManager().discover().candidates
    own = [c for c in found if canonicalize_name(c.distribution or "") == canonicalize_name(name)]
    own = own or [c for c in found if name in c.names]
    if not own:
        known = sorted({c.distribution for c in found if c.distribution})
        raise SubjectError(
            f"no installed distribution with plugins, no plugin and no path is called {name!r}; the distributions "
            f"with plugins are {', '.join(known) or 'none'}"
        )
    return own


def _siblings(candidates: list[plugins.Candidate]) -> list[plugins.Candidate]:
    """Everything that the distributions of these candidates declare."""
    distributions = {c.distribution for c in candidates if c.distribution}
    return [*candidates, *(c for c in plugins.PluginManager().discover().candidates if c.distribution in distributions)]


def _from_path(path: Path) -> list[plugins.Candidate]:
    if path.is_dir() and (path / "pyproject.toml").is_file():
        return _from_project(path)
    if path.suffix == ".whl":
        sys.path.insert(0, str(path))
        return _installed(path.name.partition("-")[0])
    if path.is_dir():
        return [plugins.Candidate("directories", path.name, str(path), path=str(path))]
    if path.suffix == ".py" and path.stem.isidentifier():
        sys.path.insert(0, str(path.parent))
        return [plugins.Candidate("names", path.stem, path.stem)]
    raise SubjectError(f"{path} is no project with a pyproject.toml, wheel, Python module or directory of them")


def _from_project(path: Path) -> list[plugins.Candidate]:
    try:
        project = tomllib.loads((path / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SubjectError(f"{path / 'pyproject.toml'} cannot be read: {error}") from error
    name = str(project.get("name", path.name))
    declared = project.get("entry-points", {})
    candidates = [
        plugins.Candidate(group, entry, value, name, str(project.get("version", "")), path=str(path / "pyproject.toml"))
        for group, entries in sorted(declared.items())
        if group.startswith("aimm.")
        for entry, value in sorted(entries.items())
    ]
    if not candidates:
        raise SubjectError(f"{path / 'pyproject.toml'} declares no entry point in a group that begins with 'aimm.'")
    sys.path.insert(0, str(path / "src" if (path / "src").is_dir() else path))
    return candidates
