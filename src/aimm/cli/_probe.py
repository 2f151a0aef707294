"""Loads one plugin in this process and tells how it went: the other half of ``aimm plugins doctor``.

It answers in JSON on what was stdout; what the plugin prints goes elsewhere.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

from aimm import plugins
from aimm.errors import PluginLoadError


def main(request: dict[str, Any]) -> None:
    """Answer one request and end the process."""
    answer = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        result = probe(plugins.Candidate(*request["candidate"]), request["settings"])
        sys.stdout.flush()
        result["printed"] = os.fstat(printed.fileno()).st_size
        json.dump(result, answer, default=str)
        answer.flush()
        # Threads that the plugin left running must not keep this process alive.
        os._exit(0)


def probe(candidate: plugins.Candidate, settings: dict[str, Any]) -> dict[str, Any]:
    """Load a candidate with its settings.

    Args:
        candidate: The plugin.
        settings: The whole ``settings`` section of the configuration.

    Returns:
        Its failure or None, its side effects, the names that it owns, and how long it took in seconds.
    """
    manager = plugins.default_manager
    own = {name: values for name, values in settings.items() if name == candidate.name}
    with suppress(PluginLoadError):  # the settings have no plugin yet
        manager.initialize({"names": [], "entry_points": {"enabled": False}, "settings": own})
    start = time.perf_counter()
    failure = manager.load(candidate)
    seconds = time.perf_counter() - start
    return {
        "failure": failure and failure._asdict(),
        "side_effects": list(manager.report.side_effects),
        "owned": [[kind, owner.name] for kind in ("model type", "data access") for owner in manager.owners(kind)],
        "seconds": round(seconds, 3),
    }
