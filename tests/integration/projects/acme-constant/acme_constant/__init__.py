"""A hook owner: every model type that begins with acme.constant."""

import os
from pathlib import Path

# Tells the tests that this plugin was imported.
if marks := os.environ.get("ACME_MARKS"):
    Path(marks, __name__).touch()
