from aimm import errors

EXAMPLES = {
    errors.TaskNotFoundError: errors.TaskNotFoundError("task", "a.b.c", ["a.b.d"], ["did you mean 'a.b.d'?"]),
    errors.TaskConflictError: errors.TaskConflictError("task", "c", ["a.b.c", "d.b.c"]),
    errors.TypeDefinitionError: errors.TypeDefinitionError("no type is called 'x'", "table.list"),
    errors.RegistrationError: errors.RegistrationError("tasks.json", "is no JSON"),
    errors.TaskOutputError: errors.TaskOutputError("a.b.c", ["x", "y"], "it returned int, which cannot be split"),
    errors.TaskOutputWarning: errors.TaskOutputWarning("returned 1 value for 2 outputs"),
    errors.ChangedValueError: errors.ChangedValueError("a.b.c", ["argument 'rows'"]),
    errors.ArtifactError: errors.ArtifactError("scores", "JsonArtifactTask", "its name has a slash"),
}
