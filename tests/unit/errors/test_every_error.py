"""What holds for every error; the examples are in ``tests/error_examples``."""

import pickle

import pytest

from aimm import errors
from error_examples import EXAMPLES

CLASSES = [
    member
    for member in (getattr(errors, name) for name in dir(errors))
    if isinstance(member, type) and issubclass(member, Exception)
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_has_an_example_here(cls: type[Exception]) -> None:
    """A new error class without an example is noticed."""
    assert type(EXAMPLES[cls]) is cls


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("error", EXAMPLES.values(), ids=lambda error: type(error).__name__)
def test_every_error_survives_pickle(error: Exception, protocol: int) -> None:
    """Class, arguments, attributes and text come back from another process as they were."""
    back = pickle.loads(pickle.dumps(error, protocol))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert repr(back) == repr(error)
    assert back.__dict__.keys() == error.__dict__.keys()


@pytest.mark.parametrize("error", EXAMPLES.values(), ids=lambda error: type(error).__name__)
def test_every_error_says_something(error: Exception) -> None:
    """No error is silent, and none shows its bare argument tuple."""
    assert str(error)
    assert not str(error).startswith("(")


@pytest.mark.parametrize("cls", [c for c in CLASSES if not issubclass(c, Warning)], ids=lambda cls: cls.__name__)
def test_every_error_is_an_aimm_error(cls: type[Exception]) -> None:
    """One except clause catches all of them."""
    assert issubclass(cls, errors.AimmError)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_tree_in_the_docstring_names_every_class(cls: type[Exception]) -> None:
    """The drawing at the top of the module is complete."""
    assert cls.__name__ in (errors.__doc__ or "")


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The module loads its parts by name, and says so of a name that it does not have."""
    with pytest.raises(AttributeError, match=r"module 'aimm\.errors' has no attribute 'NoSuchError'"):
        errors.NoSuchError  # type: ignore[attr-defined]
