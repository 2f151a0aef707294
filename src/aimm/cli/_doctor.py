"""The work of ``aimm plugins doctor``.

Each plugin is loaded in a process of its own, so that one that crashes, hangs or ends its process is a finding and not
the end.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from aimm import plugins
from aimm.cli._progress import progress
from aimm.cli._session import Session
from aimm.errors import PluginConflictError, PluginFailure


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
        metadata = f", {len(self.problems)} unusable metadata files" if self.problems else ""
        session.write(f"{len(self.plugins)} plugins: {counts}{metadata}, {len(self.conflicts)} conflicts")


def examine(session: Session, timeout: float) -> Findings:
    """Load every plugin in isolation.

    Args:
        session: This run.
        timeout: Seconds that one plugin may take.
    """
    found = plugins.default_manager.discover(session.config)
    settings = dict(plugins.load_config(session.config).settings)
    examined: list[Finding] = []
    with progress("plugins doctor") as state_cb, ThreadPoolExecutor(os.cpu_count()) as pool:
        for finding in pool.map(lambda c: _examine_one(c, settings, timeout), found.candidates):
            examined.append(finding)
            state_cb({"progress": len(examined) / len(found.candidates), "plugin": finding.candidate.name})
    conflicts = [*found.conflicts(), *_undeclared_conflicts(examined, found)]
    return Findings(tuple(examined), tuple(found.failures()), tuple(conflicts))


def _examine_one(candidate: plugins.Candidate, settings: dict[str, Any], timeout: float) -> Finding:
    request = {"candidate": list(candidate), "settings": settings, "path": sys.path}
    process = subprocess.Popen(
        [sys.executable, "-m", "aimm.cli._probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        answer, errors = process.communicate(json.dumps(request, default=str), timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return _dead(
            candidate, f"it did not finish loading within {timeout:g} seconds", "raise --timeout if it is slow"
        )
    if process.returncode or not answer:
        return _dead(
            candidate, f"it ended its process {_ending(process.returncode)}", "see what it does at import", errors
        )
    result = json.loads(answer)
    failure = result["failure"] and PluginFailure(**result["failure"])
    remarks = [effect.partition(": ")[2] for effect in result["side_effects"]]
    remarks += [f"prints {result['printed']} bytes to stdout while it loads"] if result["printed"] else []
    remarks += [f"takes {result['seconds']:.1f} s to load"] if result["seconds"] > 5 else []
    owned = tuple((kind, name) for kind, name in result["owned"] if name != "(dynamic)")
    return Finding(candidate, failure, tuple(remarks), owned, result["seconds"])


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
