from pathlib import Path

import pytest

from aimm.environment._requirements import read_requirements
from aimm.errors import RequirementsFileError


def test_lines_with_hashes_comments_and_includes(tmp_path: Path) -> None:
    """What pip-compile writes is read: continued lines, digests, comments, and files that are included."""
    (tmp_path / "more.txt").write_text("six>=1  # old\n")
    file = tmp_path / "requirements.txt"
    file.write_text(
        "# head\nNumpy[x]==2.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via p\n\n-r more.txt\n"
    )
    numpy, six = read_requirements(str(file))
    assert (numpy.name, numpy.pin, numpy.hashes, numpy.number) == ("numpy", "2.0", ("sha256:aa", "sha256:bb"), 2)
    assert (six.text, six.pin, six.path) == ("six>=1", "", str(tmp_path / "more.txt"))


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    """A circle is read once."""
    (tmp_path / "a.txt").write_text("-r b.txt\nsix\n")
    (tmp_path / "b.txt").write_text("-r a.txt\n")
    assert [line.name for line in read_requirements(str(tmp_path / "a.txt"))] == ["six"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("six\n-e ./x\n", r"file\.txt, line 2: '-e' is not supported here"),
        ("./folder\n", r"file\.txt, line 1: './folder' is no requirement such as 'name>=1\.0'"),
        ("-r nowhere.txt\n", r"nowhere\.txt: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_used(text: str, message: str, tmp_path: Path) -> None:
    """File, line and what was expected."""
    (tmp_path / "file.txt").write_text(text)
    with pytest.raises(RequirementsFileError, match=message):
        read_requirements(str(tmp_path / "file.txt"))
