"""One example of every error: a module for each one of ``aimm.errors``, whose ``EXAMPLES`` maps class to error."""

import importlib
import pkgutil

EXAMPLES: dict[type[Exception], Exception] = {}
for _module in pkgutil.iter_modules(__path__):
    EXAMPLES |= importlib.import_module(f"{__name__}.{_module.name}").EXAMPLES
