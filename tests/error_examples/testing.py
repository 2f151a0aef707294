from aimm import errors

EXAMPLES = {
    errors.ConformanceError: errors.ConformanceError("m", ["fit-works: it raised ValueError"]),
    errors.CheckInputError: errors.CheckInputError("aimm_examples() of 'm' must return an Example, not 3"),
    errors.SubjectError: errors.SubjectError("no plugin is called 'm'"),
}
