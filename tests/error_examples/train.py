from aimm import errors

EXAMPLES = {
    errors.MissingInputError: errors.MissingInputError("dataset", "train.yaml", "--dataset NAME"),
    errors.TrainError: errors.TrainError("cannot be started"),
    errors.DatasetError: errors.DatasetError("iris", "is no data access and no file"),
    errors.OutputError: errors.OutputError("model.bin", "does not exist"),
    errors.RunExistsError: errors.RunExistsError("runs/one", True),
    errors.SaveError: errors.SaveError("runs/one", "No space left on device", 1, 2, ["work/model.bin"], "a hint"),
    errors.RunNotFoundError: errors.RunNotFoundError("runs/one", "there is no metadata.json"),
}
