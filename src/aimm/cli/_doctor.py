"""The work of ``aimm plugins doctor``.

Each plugin is loaded in a process of its own, so that one that crashes, hangs or ends its process is a finding and not
the end.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from aimm import plugins
from aimm.cli._progress import progress
from aimm.cli._session import Session
from aimm.errors import PluginConflictError, PluginFailure

_PROBE = """
import json, sys
request = json.load(sys.stdin)
sys.path[:] = request["path"]
from aimm.cli._probe import main
main(request)
"""
"""Run with -P: a file beside the user that happens to be called like one of ours must not come first."""


class Finding(NamedTuple):
    """How one plugin fared.

    Attributes:
        candidate: The plugin.
        failure: Why it does not work; None if it does.
        remarks: What it does beside declaring, in words.
        owned: The (kind, name) pairs that it owns once loaded.
        seconds: How long loading took.
    """

    candidate: plugins.Candidate
    failure: PluginFailure | None = None
    remarks: tuple[str, ...] = ()
    owned: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0


class Findings(NamedTuple):
    """Everything that the doctor found."""

    plugins: tuple[Finding, ...]
    problems: tuple[PluginFailure, ...]
    conflicts: tuple[PluginConflictError, ...]

    @property
    def failures(self) -> list[PluginFailure]:
        """Every failure, of plugins and of metadata."""
        return [*(f.failure for f in self.plugins if f.failure), *self.problems]

    @property
    def is_bad(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.failures or self.conflicts)

    def as_json(self) -> dict[str, Any]:
        """The findings as plain data."""
        return {
            "plugins": [
                {
                    "name": f.candidate.name,
                    "group": f.candidate.group,
                    "distribution": f.candidate.distribution,
                    "ok": f.failure is None,
                    "seconds": f.seconds,
                    "remarks": list(f.remarks),
                }
                for f in self.plugins
            ],
            "failures": [failure._asdict() for failure in self.failures],
            "conflicts": [
                {"kind": c.kind, "name": c.name, "owners": c.owners, "fix": c.remedy} for c in self.conflicts
            ],
        }

    def write(self, session: Session) -> None:
        """Print the findings: failures and conflicts first, then remarks, then one line of summary."""
        for failure in self.failures:
            session.write(f"BROKEN    {failure.describe()}\n")
            if session.verbose and failure.traceback:
                session.write(failure.traceback)
        for conflict in self.conflicts:
            session.write(f"CONFLICT  {conflict}\n")
        for finding in self.plugins:
            for remark in finding.remarks:
                session.write(f"REMARK    {_title(finding.candidate)} {remark}")
        broken = sum(finding.failure is not None for finding in self.plugins)
        counts = f"{len(self.plugins) - broken} ok, {broken} broken"
        others = f", {len(self.problems)} other problems" if self.problems else ""
        session.write(f"{len(self.plugins)} plugins: {counts}{others}, {len(self.conflicts)} conflicts")


def examine(session: Session, timeout: float) -> Findings:
    """Load every plugin in isolation.

    Args:
        session: This run.
        timeout: Seconds that one plugin may take.
    """
    found = plugins.default_manager.discover(session.config)
    settings = dict(plugins.load_config(session.config).settings)
    examined: list[Finding] = []
    missing = _missing_externals()
    with progress("plugins doctor") as state_cb, _Probes(timeout) as probes:
        for finding in probes.run(found.candidates, settings):
            needs = [f"needs {what}, which is not on this machine" for what in missing(finding.candidate.distribution)]
            examined.append(finding._replace(remarks=(*finding.remarks, *needs)))
            state_cb({"progress": len(examined) / len(found.candidates), "plugin": finding.candidate.name})
    conflicts = [*found.conflicts(), *_undeclared_conflicts(examined, found)]
    return Findings(tuple(examined), tuple(found.failures()), tuple(conflicts))


def _missing_externals() -> Callable[[str | None], list[str]]:
    """What a distribution requires of the machine and is missing; nothing if that cannot be read without the extra."""
    try:
        from packaging.utils import canonicalize_name

        from aimm.environment import external_remarks
    except ImportError:
        return lambda distribution: []
    remarks = external_remarks()
    return lambda distribution: remarks.get(canonicalize_name(distribution or ""), [])


class _Probes:
    """Processes that load one plugin each, a few at a time; none is left when the block ends.

    They talk through files: whoever else holds a pipe, such as a process that a plugin left behind, keeps it open.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._running: set[subprocess.Popen[bytes]] = set()

    def __enter__(self) -> "_Probes":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in list(self._running):
            _kill(process)
        self._pool.shutdown()

    def run(self, candidates: Iterable[plugins.Candidate], settings: dict[str, Any]) -> Iterator[Finding]:
        """How each candidate fares, in their order."""
        return self._pool.map(lambda candidate: self._examine(candidate, settings), candidates)

    def _examine(self, candidate: plugins.Candidate, settings: dict[str, Any]) -> Finding:
        request = {"candidate": list(candidate), "settings": settings, "path": sys.path}
        with TemporaryFile() as question, TemporaryFile() as answer, TemporaryFile() as errors:
            question.write(json.dumps(request, default=str).encode())
            question.seek(0)
            command = [sys.executable, "-P", "-c", _PROBE]
            process = subprocess.Popen(command, stdin=question, stdout=answer, stderr=errors, start_new_session=True)
            self._running.add(process)
            try:
                code = process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _kill(process)
                self._running.discard(process)
            answer.seek(0)
            errors.seek(0)
            return self._finding(candidate, code, answer.read(), errors.read().decode(errors="replace"))

    def _finding(self, candidate: plugins.Candidate, code: int | None, answer: bytes, errors: str) -> Finding:
        if code is None:
            cause = f"it did not finish loading within {self._timeout:g} seconds"
            return _dead(candidate, cause, "raise --timeout if it is slow", errors)
        try:
            result = json.loads(answer)
        except ValueError:
            return _dead(candidate, f"it ended its process {_ending(code)}", "see what it does at import", errors)
        failure = result["failure"] and PluginFailure(**result["failure"])
        remarks = [effect.partition(": ")[2] for effect in result["side_effects"]]
        remarks += [f"prints {result['printed']} bytes to stdout while it loads"] if result["printed"] else []
        remarks += [f"takes {result['seconds']:.1f} s to load"] if result["seconds"] > 5 else []
        owned = tuple((kind, name) for kind, name in result["owned"] if name != "(dynamic)")
        return Finding(candidate, failure, tuple(remarks), owned, result["seconds"])


def _kill(process: "subprocess.Popen[bytes]") -> None:
    # With all that it started: it leads a session of its own.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
    process.wait()


def _dead(candidate: plugins.Candidate, cause: str, advice: str, output: str = "") -> Finding:
    hint = f"{advice}; 'entry_points: {{exclude: [{candidate.distribution}]}}' leaves it out"
    failure = PluginFailure(
        candidate.name,
        "import",
        candidate.distribution,
        candidate.version,
        candidate.declaration,
        candidate.path or None,
        cause,
        hint,
        output,
    )
    return Finding(candidate, failure)


def _ending(code: int) -> str:
    try:
        return f"with signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    except ValueError:
        return f"with signal {-code}"


def _title(candidate: plugins.Candidate) -> str:
    return f"{candidate.name} ({candidate.distribution})" if candidate.distribution else candidate.name


def _undeclared_conflicts(examined: list[Finding], found: plugins.Found) -> Iterator[PluginConflictError]:
    """Names that no entry point declares and several distributions register once they are loaded."""
    declared = {name for _, name in found.claims}
    owners: dict[tuple[str, str], dict[str, plugins.Candidate]] = {}
    for finding in examined:
        for key in finding.owned:
            owners.setdefault(key, {})[finding.candidate.choice] = finding.candidate
    for (kind, name), rivals in sorted(owners.items()):
        if len(rivals) > 1 and name not in declared:
            yield PluginConflictError(kind, name, [_title(c) for c in rivals.values()], list(rivals))
