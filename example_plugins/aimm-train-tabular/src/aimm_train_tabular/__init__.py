"""A training plugin of ``aimm`` for tables; nothing heavy is imported before a training runs."""

__version__ = "0.1.0"
