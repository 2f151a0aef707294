"""Stands around every action and notes it."""

import os
from collections.abc import Generator
from typing import Any

from aimm.plugins import hookimpl


class Audit:
    """Writes a line for each action to the file that ``ACME_AUDIT`` names, or to the one of its settings."""

    def __init__(self) -> None:
        self.file = os.environ.get("ACME_AUDIT")

    @hookimpl
    def settings_schema(self) -> dict[str, Any]:
        """One setting, the file."""
        return {"type": "object", "properties": {"file": {"type": "string"}}, "additionalProperties": False}

    @hookimpl
    def configure(self, settings: dict[str, Any]) -> None:
        """Take the file."""
        self.file = settings.get("file", self.file)

    @hookimpl(wrapper=True)
    def data_access(self, name: str) -> Generator[None, Any, Any]:
        """Note the data."""
        return (yield from self._around(f"data_access {name}"))

    @hookimpl(wrapper=True)
    def instantiate(self, model_type: str) -> Generator[None, Any, Any]:
        """Note the new model."""
        return (yield from self._around(f"instantiate {model_type}"))

    @hookimpl(wrapper=True)
    def fit(self, model_type: str) -> Generator[None, Any, Any]:
        """Note the fitting."""
        return (yield from self._around(f"fit {model_type}"))

    @hookimpl(wrapper=True)
    def predict(self, model_type: str) -> Generator[None, Any, Any]:
        """Note the prediction."""
        return (yield from self._around(f"predict {model_type}"))

    @hookimpl(wrapper=True)
    def serialize(self, model_type: str) -> Generator[None, Any, Any]:
        """Note the saving."""
        return (yield from self._around(f"serialize {model_type}"))

    @hookimpl(wrapper=True)
    def deserialize(self, model_type: str) -> Generator[None, Any, Any]:
        """Note the loading."""
        return (yield from self._around(f"deserialize {model_type}"))

    def _around(self, line: str) -> Generator[None, Any, Any]:
        result = yield
        if self.file:
            with open(self.file, "a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        return result


audit = Audit()
