from aimm import errors

EXAMPLES = {
    errors.ScaffoldError: errors.ScaffoldError("name", "a b", "it may hold letters", "a-b"),
    errors.TargetExistsError: errors.TargetExistsError("/srv/demo"),
}
