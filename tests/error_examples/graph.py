from aimm import errors

EXAMPLES = {
    errors.GraphError: errors.GraphError("cannot be run"),
    errors.InvalidGraphError: errors.InvalidGraphError("g.yaml", ["1:1: error: 'graph' is empty [shape]"]),
    errors.GraphInputError: errors.GraphInputError("g.yaml", ["the parameter 'n' has no value"]),
    errors.StepError: errors.StepError("train", "p.m.train", "plugin p", "m.py:3", "ValueError: no"),
    errors.StepTypeError: errors.StepTypeError("train", "p.m.train", "plugin p", None, "expected integer"),
    errors.StepOutputError: errors.StepOutputError("train", "p.m.train", "plugin p", None, "no output"),
}
