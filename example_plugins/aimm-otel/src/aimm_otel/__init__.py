"""OpenTelemetry spans around every action of every plugin of aimm."""

__version__ = "0.1.0"
