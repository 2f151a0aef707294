import pytest

from aimm.environment._external import missing_externals


@pytest.mark.parametrize("met", ["sh", "sh (>=1)", "libc", "c", 'nothing-here; sys_platform == "never"'])
def test_what_is_there(met: str) -> None:
    """A program, a library with and without its prefix, and what is not needed on this machine."""
    assert missing_externals([met]) == []


def test_what_is_missing() -> None:
    """It is named with its version and without its marker."""
    assert missing_externals(['no-such-thing (>=2); python_version >= "3"', "sh"]) == ["no-such-thing (>=2)"]
