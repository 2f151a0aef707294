"""A data access: points around two centres."""

import os
from pathlib import Path

# Tells the tests that this plugin was imported.
if marks := os.environ.get("ACME_MARKS"):
    Path(marks, __name__).touch()
