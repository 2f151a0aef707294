from aimm import errors

EXAMPLES = {
    errors.ModelFileError: errors.ModelFileError("x.aimm", "cannot be used"),
    errors.ForeignFileError: errors.ForeignFileError("x.aimm", "is no model file"),
    errors.FormatVersionError: errors.FormatVersionError("x.aimm", "has format 9"),
    errors.DamagedFileError: errors.DamagedFileError("x.aimm", "is cut short"),
    errors.PayloadError: errors.PayloadError("x.aimm", "is str"),
}
