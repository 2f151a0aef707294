"""Tasks for ``aimm``; its modules load when one of their tasks is first used."""

__version__ = "0.1.0"
