from aimm import errors

EXAMPLES = {
    errors.ModelFileError: errors.ModelFileError("x.aimm", "cannot be used"),
    errors.ForeignFileError: errors.ForeignFileError("x.aimm", "is no model file"),
    errors.FormatVersionError: errors.FormatVersionError("x.aimm", "has format 9"),
    errors.DamagedFileError: errors.DamagedFileError("x.aimm", "is cut short"),
    errors.SignatureError: errors.SignatureError("x.aimm", "is not signed"),
    errors.ModelTooLargeError: errors.ModelTooLargeError("x.aimm", "has 9 bytes"),
    errors.ModelVersionError: errors.ModelVersionError("x.aimm", "was written by forest 1.0"),
    errors.PayloadError: errors.PayloadError("x.aimm", "is str"),
    errors.ExampleError: errors.ExampleError("x.aimm", "cannot be kept"),
    errors.ReplayError: errors.ReplayError("x.aimm", "predicts something else"),
    errors.StoreError: errors.StoreError("/models", "cannot be written"),
    errors.ModelNotFoundError: errors.ModelNotFoundError("/models", "no model is called 'a'"),
    errors.ModelNameError: errors.ModelNameError("/models", "'/' is not a model name"),
    errors.StaleVersionError: errors.StaleVersionError("/models", "a", 2, 3),
    errors.ModelVersionWarning: errors.ModelVersionWarning("x.aimm was written by forest 1.0"),
}
