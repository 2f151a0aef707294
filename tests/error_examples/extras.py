from aimm import errors

EXAMPLES = {errors.MissingExtraError: errors.MissingExtraError("cookiecutter", "template", "making a new package")}
