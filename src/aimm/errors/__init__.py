"""Every error that ``aimm`` raises on purpose.

::

    AimmError
    ├── ConfigError (ValueError)               the configuration is wrong
    │   └── MissingInputError (KeyError)       a training command needs something that it was not given
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
    ├── ConformanceError (AssertionError)      a plugin does not conform
    ├── CheckInputError (ValueError)           an example for the conformance kit is of no use
    ├── SubjectError (LookupError, ValueError)     what should be checked cannot be found
    ├── PluginEnvironmentError (RuntimeError)  the Python environment cannot be changed as asked
    │   ├── EnvironmentBusyError               another process changes it now
    │   ├── LedgerError                        what was written down about it cannot be read
    │   ├── InstallerError                     pip or uv failed
    │   ├── HostConflictError                  a plugin would change a dependency of the host
    │   └── StillNeededError                   a plugin that is to go is needed by what stays
    ├── RequirementsFileError (ValueError)     a file of names and versions cannot be used
    ├── StoreError                             a model store cannot do what it was asked for
    │   ├── ModelNotFoundError (LookupError)   it has no such model, version or alias
    │   ├── ModelNameError (ValueError)        a name or metadata have the wrong form
    │   └── StaleVersionError                  somebody else changed the model first
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
    ├── PartitionError (ValueError)            partitioned data cannot be read, or its output not continued
    ├── ScaffoldError (ValueError)             a new package cannot be made with this answer
    ├── TargetExistsError (FileExistsError)    what is to be made exists already
    ├── TaskNotFoundError (LookupError, ValueError)   no task or artifact handler has this name
    ├── TaskConflictError (LookupError, ValueError)   the end of a name fits several tasks
    ├── TypeDefinitionError (ValueError)       a type does not follow the grammar
    ├── RegistrationError (ValueError)         a registration document cannot be read
    ├── TaskOutputError (ValueError)           what a task returned cannot be split into its outputs
    ├── ChangedValueError (RuntimeError)       a task changed a value that belongs to another one
    ├── ArtifactError (ValueError)             an artifact cannot be written or read
    ├── TrainError                             a training run cannot be started, saved or read
    │   ├── DatasetError (ValueError)          a data set cannot be had
    │   ├── OutputError (ValueError)           what a training command returned cannot be saved
    │   ├── RunExistsError (ValueError)        something stands where a run should go
    │   ├── SaveError (OSError)                a finished training could not be saved; its files are kept
    │   └── RunNotFoundError (LookupError)     there is no finished run here
    ├── GraphError (ValueError)                a task graph cannot be run as asked for
    │   ├── InvalidGraphError                  it has errors
    │   └── GraphInputError                    its parameters or artifacts do not fit
    ├── StepError (RuntimeError)               a step of a graph failed
    │   ├── StepTypeError (TypeError)          a value is not of its declared type
    │   └── StepOutputError (LookupError)      it needs an output that was not given
    └── ModelFileError (ValueError)            a model file cannot be used
        ├── ForeignFileError                   it is no model file
        ├── FormatVersionError                 a newer ``aimm`` wrote it
        ├── DamagedFileError                   it is cut short or altered
        ├── SignatureError                     it is not signed as it has to be
        ├── ModelTooLargeError                 its payload is larger than allowed
        ├── ModelVersionError                  another version of the plugin wrote it
        ├── PayloadError                       the plugin's bytes are not bytes
        ├── ExampleError                       its input example cannot be recorded or brought back
        └── ReplayError                        it predicts something else than when it was saved

    UserWarning
    ├── PluginContractWarning                  a plugin breaks its contract, the call goes on
    ├── ModelVersionWarning                    another version of the plugin wrote a model file
    └── TaskOutputWarning                      a task returned fewer values than it declares

Each class composes its own message from its arguments, which are plain data: every error survives ``pickle``. The
errors of each package stand in a module of its own beside this file, which is imported when one of them is named.
"""

from typing import TYPE_CHECKING

from aimm import lazy_names

if TYPE_CHECKING:
    from aimm.errors._environment import (
        EnvironmentBusyError as EnvironmentBusyError,
        HostConflictError as HostConflictError,
        InstallerError as InstallerError,
        LedgerError as LedgerError,
        PluginEnvironmentError as PluginEnvironmentError,
        RequirementsFileError as RequirementsFileError,
        StillNeededError as StillNeededError,
    )
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
    from aimm.errors._graph import (
        GraphError as GraphError,
        GraphInputError as GraphInputError,
        InvalidGraphError as InvalidGraphError,
        StepError as StepError,
        StepOutputError as StepOutputError,
        StepTypeError as StepTypeError,
    )
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
        known_names as known_names,
        owner_text as owner_text,
    )
    from aimm.errors._scaffold import (
        ScaffoldError as ScaffoldError,
        TargetExistsError as TargetExistsError,
    )
    from aimm.errors._store import (
        DamagedFileError as DamagedFileError,
        ExampleError as ExampleError,
        ForeignFileError as ForeignFileError,
        FormatVersionError as FormatVersionError,
        ModelFileError as ModelFileError,
        ModelNameError as ModelNameError,
        ModelNotFoundError as ModelNotFoundError,
        ModelTooLargeError as ModelTooLargeError,
        ModelVersionError as ModelVersionError,
        ModelVersionWarning as ModelVersionWarning,
        PayloadError as PayloadError,
        ReplayError as ReplayError,
        SignatureError as SignatureError,
        StaleVersionError as StaleVersionError,
        StoreError as StoreError,
    )
    from aimm.errors._tasks import (
        ArtifactError as ArtifactError,
        ChangedValueError as ChangedValueError,
        RegistrationError as RegistrationError,
        TaskConflictError as TaskConflictError,
        TaskNotFoundError as TaskNotFoundError,
        TaskOutputError as TaskOutputError,
        TaskOutputWarning as TaskOutputWarning,
        TypeDefinitionError as TypeDefinitionError,
    )
    from aimm.errors._testing import (
        CheckInputError as CheckInputError,
        ConformanceError as ConformanceError,
        SubjectError as SubjectError,
    )
    from aimm.errors._train import (
        DatasetError as DatasetError,
        MissingInputError as MissingInputError,
        OutputError as OutputError,
        RunExistsError as RunExistsError,
        RunNotFoundError as RunNotFoundError,
        SaveError as SaveError,
        TrainError as TrainError,
    )

_MODULES = {
    "_environment": (
        "PluginEnvironmentError",
        "EnvironmentBusyError",
        "LedgerError",
        "InstallerError",
        "HostConflictError",
        "StillNeededError",
        "RequirementsFileError",
    ),
    "_extras": ("MissingExtraError",),
    "_graph": ("GraphError", "GraphInputError", "InvalidGraphError", "StepError", "StepOutputError", "StepTypeError"),
    "_plugins": (
        "PluginFailure",
        "known_names",
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
    "_testing": ("ConformanceError", "CheckInputError", "SubjectError"),
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
    "_scaffold": (
        "ScaffoldError",
        "TargetExistsError",
    ),
    "_store": (
        "ModelFileError",
        "ForeignFileError",
        "FormatVersionError",
        "DamagedFileError",
        "SignatureError",
        "ModelTooLargeError",
        "ModelVersionError",
        "PayloadError",
        "ExampleError",
        "ReplayError",
        "ModelVersionWarning",
        "StoreError",
        "ModelNotFoundError",
        "ModelNameError",
        "StaleVersionError",
    ),
    "_tasks": (
        "TaskNotFoundError",
        "TaskConflictError",
        "TypeDefinitionError",
        "RegistrationError",
        "TaskOutputError",
        "ChangedValueError",
        "ArtifactError",
        "TaskOutputWarning",
    ),
    "_train": (
        "MissingInputError",
        "TrainError",
        "DatasetError",
        "OutputError",
        "RunExistsError",
        "SaveError",
        "RunNotFoundError",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


class AimmError(Exception):
    """Base of every error that ``aimm`` raises on purpose."""


if not TYPE_CHECKING:
    __getattr__ = lazy_names(globals(), _HOMES)


def __dir__() -> list[str]:
    """Every name, loaded or not."""
    return sorted({*globals(), *_HOMES})
