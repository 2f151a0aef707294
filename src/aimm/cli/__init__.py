"""The ``aimm`` command line."""
