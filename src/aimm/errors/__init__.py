"""Every error that ``aimm`` raises on purpose.

::

    AimmError
    ├── ConfigError (ValueError)               the configuration is wrong
    ├── DeclarationError (TypeError, ValueError)   a plugin declares what cannot be registered
    │   └── HookSignatureError                 a hook implementation does not fit its specification
    ├── DuplicateError (ValueError)            a name is declared twice
    ├── PluginNotFoundError (LookupError, ValueError)     nobody owns this name
    ├── PluginConflictError (LookupError, ValueError)     two plugins own this name
    ├── PluginUnavailableError (LookupError, ValueError)  the owner of this name is broken
    ├── PluginLoadError                        plugins that the host asked for did not load
    ├── StateCallbackError (TypeError)         something else stands in the place of ``state_cb``
    ├── ArgumentTwiceError (TypeError)         the caller gave what ``aimm`` passes itself
    ├── AsyncCallError (RuntimeError)          an ``async def`` plugin called inside a running loop
    ├── PluginExitError (RuntimeError)         a plugin tried to end the host
    ├── ModelFileError (ValueError)            a model file cannot be used
    │   ├── ForeignFileError                   it is no model file
    │   ├── FormatVersionError                 a newer ``aimm`` wrote it
    │   ├── DamagedFileError                   it is cut short or altered
    │   └── PayloadError                       the plugin's bytes are not bytes
    ├── MissingExtraError (ImportError)        an optional dependency is not installed
    ├── ExecutorError                          a job went wrong beside the plugin's own exceptions
    │   ├── WorkerCrashed (RuntimeError)       its worker process died
    │   ├── MemoryLimitExceeded (MemoryError)  it wanted more memory than its worker may have
    │   ├── DeadlineExceeded (TimeoutError)    it took too long and was stopped
    │   ├── Cancelled (CancelledError)         it was cancelled
    │   ├── NotTransferableError (TypeError)   something of it cannot be pickled
    │   └── StateRefusedError (TypeError, ValueError)     it reported a state that is no JSON object
    ├── ExecutorNotFoundError (LookupError, ValueError)   no executor has this name
    ├── ExecutorOptionError (TypeError, ValueError)       an executor cannot be made or used like this
    ├── ExecutorClosedError (RuntimeError)     an executor was shut down
    └── PartitionError (ValueError)            partitioned data cannot be read, or its output not continued

    UserWarning
    └── PluginContractWarning                  a plugin breaks its contract, the call goes on

Each class composes its own message from its arguments, which are plain data: every error survives ``pickle``. The
errors of each package stand in a module of its own beside this file, which is imported when one of them is named.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aimm.errors._executors import (
        Cancelled as Cancelled,
        DeadlineExceeded as DeadlineExceeded,
        ExecutorClosedError as ExecutorClosedError,
        ExecutorError as ExecutorError,
        ExecutorNotFoundError as ExecutorNotFoundError,
        ExecutorOptionError as ExecutorOptionError,
        MemoryLimitExceeded as MemoryLimitExceeded,
        NotTransferableError as NotTransferableError,
        PartitionError as PartitionError,
        StateRefusedError as StateRefusedError,
        WorkerCrashed as WorkerCrashed,
    )
    from aimm.errors._extras import MissingExtraError as MissingExtraError
    from aimm.errors._plugins import (
        ArgumentTwiceError as ArgumentTwiceError,
        AsyncCallError as AsyncCallError,
        ConfigError as ConfigError,
        DeclarationError as DeclarationError,
        DuplicateError as DuplicateError,
        HookSignatureError as HookSignatureError,
        PluginConflictError as PluginConflictError,
        PluginContractWarning as PluginContractWarning,
        PluginExitError as PluginExitError,
        PluginFailure as PluginFailure,
        PluginLoadError as PluginLoadError,
        PluginNotFoundError as PluginNotFoundError,
        PluginUnavailableError as PluginUnavailableError,
        StateCallbackError as StateCallbackError,
        owner_text as owner_text,
    )
    from aimm.errors._store import (
        DamagedFileError as DamagedFileError,
        ForeignFileError as ForeignFileError,
        FormatVersionError as FormatVersionError,
        ModelFileError as ModelFileError,
        PayloadError as PayloadError,
    )

_MODULES = {
    "_plugins": (
        "PluginFailure",
        "owner_text",
        "ConfigError",
        "DeclarationError",
        "HookSignatureError",
        "DuplicateError",
        "PluginNotFoundError",
        "PluginConflictError",
        "PluginUnavailableError",
        "PluginLoadError",
        "StateCallbackError",
        "ArgumentTwiceError",
        "AsyncCallError",
        "PluginExitError",
        "PluginContractWarning",
    ),
    "_store": ("ModelFileError", "ForeignFileError", "FormatVersionError", "DamagedFileError", "PayloadError"),
    "_extras": ("MissingExtraError",),
    "_executors": (
        "Cancelled",
        "DeadlineExceeded",
        "ExecutorClosedError",
        "ExecutorError",
        "ExecutorNotFoundError",
        "ExecutorOptionError",
        "MemoryLimitExceeded",
        "NotTransferableError",
        "PartitionError",
        "StateRefusedError",
        "WorkerCrashed",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


class AimmError(Exception):
    """Base of every error that ``aimm`` raises on purpose."""


def __getattr__(name: str) -> Any:
    """Import the module of an error when it is first named."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    """Every name, loaded or not."""
    return sorted({*globals(), *_HOMES})
