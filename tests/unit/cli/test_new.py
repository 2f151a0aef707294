from pathlib import Path

import pytest

from terminal import AIMM, Cli, Run, run


def asked(folder: Path, *arguments: str, feed: str) -> Run:
    """``aimm plugins new`` as a process that is given answers."""
    return run(*AIMM, "plugins", "new", *arguments, "-o", folder, feed=feed)


def test_defaults_ask_nothing(aimm: Cli, tmp_path: Path) -> None:
    """The new folder is the result; what to do next goes to stderr."""
    done = aimm("plugins", "new", "demo", "--defaults", "-o", tmp_path / "here")
    assert (done.code, done.out) == (0, f"{tmp_path / 'here' / 'demo'}\n")
    assert "pip install -e . --group test" in done.err
    assert (tmp_path / "here" / "demo" / "pyproject.toml").is_file()


def test_the_package_goes_here_unless_told_otherwise(aimm: Cli, tmp_path: Path) -> None:
    """Without ``-o`` it is made in the current folder."""
    assert aimm("plugins", "new", "demo", "--defaults", "--kind", "wrapper").code == 0
    assert (tmp_path / "demo" / "src" / "demo" / "wrapper.py").is_file()


def test_empty_answers_take_the_defaults(tmp_path: Path) -> None:
    """Each question shows its default, and return takes it."""
    done = asked(tmp_path, "my-demo", feed="\n\n\n\n")
    assert done.code == 0, done.err
    assert "Name of the Python package, as in 'import PACKAGE' [my_demo]:" in done.err
    assert "Licence (SPDX identifier) (MIT, BSD-3-Clause, Apache-2.0) [MIT]:" in done.err
    assert (tmp_path / "my-demo" / "src" / "my_demo" / "model.py").is_file()


def test_answers_are_used(tmp_path: Path) -> None:
    """Package, description, author and licence are those that were typed."""
    done = asked(tmp_path, "demo", feed="mine\nMakes things\nAda\nApache-2.0\n")
    assert done.code == 0, done.err
    project = (tmp_path / "demo" / "pyproject.toml").read_text()
    assert 'description = "Makes things"' in project
    assert 'authors = [{ name = "Ada" }]' in project
    assert 'license = "Apache-2.0"' in project
    assert (tmp_path / "demo" / "src" / "mine").is_dir()


def test_an_answer_that_cannot_be_used_is_asked_for_again(tmp_path: Path) -> None:
    """The message says what would do, and the question comes back."""
    done = asked(tmp_path, "demo", feed="json\nmine\n\n\nGPL\n\n")
    assert done.code == 0, done.err
    assert "package 'json' cannot be used" in done.err
    assert "'aimm_json' would do" in done.err
    assert "'GPL' is not one of" in done.err


def test_when_nobody_answers_nothing_is_written(tmp_path: Path) -> None:
    """The end of the input is a usage error that names the way to ask nothing."""
    done = asked(tmp_path / "new", "demo", feed="mine\n")
    assert done.code == 2
    assert "no answer to 'One line that says what it is for': --defaults asks nothing" in done.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a b",), "'a-b' would do"),
        (("demo", "--kind", "models"), "'class', 'functions', 'owner'"),
        (("taken",), "exists and was left as it is"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_asked(
    aimm: Cli, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """A bad name, an unknown kind and an existing folder."""
    (tmp_path / "taken").mkdir()
    done = aimm("plugins", "new", *arguments)
    assert done.code != 0
    assert message in done.err
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith((".", "cache"))] == ["taken"]
