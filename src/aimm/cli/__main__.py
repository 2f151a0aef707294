"""Lets ``python -m aimm.cli`` do what the command ``aimm`` does."""

import sys

from aimm.cli import main

sys.exit(main())
