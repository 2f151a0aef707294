"""Libraries that not everybody has."""

import importlib
from typing import Any


def optional(module: str, extra: str) -> Any:
    """Import a library of an extra.

    Args:
        module: Its name.
        extra: The extra of ``aimm-plugins`` that brings it.

    Raises:
        ModuleNotFoundError: It is not installed; the message has the line that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        message = f'{module} is not installed: pip install "aimm-plugins[{extra}]"'
        raise ModuleNotFoundError(message, name=module) from None
