"""The process that runs what may hang or crash: the other half of :mod:`aimm.testing._process`."""

import json
import os
import sys
from typing import Any


def main(request: dict[str, Any]) -> None:
    """Answer one request and end the process."""
    events = open(request["events"], "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - open until the process ends

    def tell(*event: Any) -> None:
        events.write(json.dumps(event, default=str) + "\n")
        events.flush()

    if request["task"] == "steps":
        from aimm.testing._steps import Steps

        Steps(request).run(tell)
    else:
        from aimm.errors import CheckInputError
        from aimm.testing._candidate import Examination

        try:
            Examination(request, tell).run()
        except CheckInputError as error:
            tell("refused", str(error))
    tell("end")
    sys.stdout.flush()
    # Threads that the plugin left running must not keep this process alive.
    os._exit(0)
