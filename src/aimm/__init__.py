"""A plugin framework for machine-learning platforms; start at :mod:`aimm.plugins`."""

__version__ = "0.1.0"
