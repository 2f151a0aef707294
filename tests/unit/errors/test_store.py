from aimm import errors


def test_a_model_file_error_starts_with_the_path() -> None:
    """The file comes first."""
    assert str(errors.DamagedFileError("x.aimm", "is cut short")) == "x.aimm: is cut short"
