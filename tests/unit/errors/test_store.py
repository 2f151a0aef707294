from aimm import errors


def test_a_model_file_error_starts_with_the_path() -> None:
    """The file comes first."""
    assert str(errors.DamagedFileError("x.aimm", "is cut short")) == "x.aimm: is cut short"


def test_a_store_error_starts_with_the_store() -> None:
    """The store comes first, then what is wrong with it."""
    assert str(errors.StoreError("/models", "is full")) == "model store /models: is full"


def test_a_stale_version_tells_what_is_there() -> None:
    """What was expected and what was found, also where there is nothing."""
    error = errors.StaleVersionError("/models", "a", 2, 3)
    assert (
        str(error)
        == "model store /models: a is at version 3, not at 2 as expected; look at what changed, then try again"
    )
    assert "a has no version, not at 2 as expected" in str(errors.StaleVersionError("/models", "a", 2, 0))
