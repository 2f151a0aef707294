from aimm import errors

OWNER = "plugin 'm' (distribution dist-a 1.2)"
EXAMPLES = {
    errors.ExecutorError: errors.ExecutorError("fit", "m", OWNER),
    errors.WorkerCrashed: errors.WorkerCrashed("fit", "m", OWNER, -11, 2),
    errors.MemoryLimitExceeded: errors.MemoryLimitExceeded("fit", "m", OWNER, 1 << 30),
    errors.DeadlineExceeded: errors.DeadlineExceeded("fit", "m", OWNER, 2.5),
    errors.Cancelled: errors.Cancelled("fit", "m", OWNER),
    errors.NotTransferableError: errors.NotTransferableError("fit", "m", OWNER, "exception", "E: boom", "Traceback"),
    errors.StateRefusedError: errors.StateRefusedError("fit", "m", OWNER, "it is a list"),
    errors.ExecutorNotFoundError: errors.ExecutorNotFoundError("x", ["inline", "process"]),
    errors.ExecutorOptionError: errors.ExecutorOptionError("process", "workers=0"),
    errors.ExecutorClosedError: errors.ExecutorClosedError("process"),
    errors.PartitionError: errors.PartitionError("/data", "it is no folder"),
}
