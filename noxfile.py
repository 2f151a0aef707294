"""What can be run on this project; ``nox -l`` lists it."""

import os
import re
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "lint", "types", "docs"]

ROOT = Path(__file__).parent


def install_group(session: nox.Session, *groups: str) -> None:
    """Install dependency groups of pyproject.toml, which only a recent pip reads."""
    session.install("--upgrade", "pip>=25.1")
    session.install("-e", ".", *(option for group in groups for option in ("--group", group)))


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the test suite; further arguments go to pytest."""
    install_group(session, "test")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and the order of layers."""
    install_group(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: mypy strict on the source, pyright on the typing tests."""
    install_group(session, "types")
    session.run("mypy")
    session.run("pyright")


@nox.session(python="3.13t")
def free_threading(session: nox.Session) -> None:
    """Run the stress tests of threads on a build of Python without the global lock."""
    pytest = ("pytest>=8.2", "pytest-randomly", "pytest-timeout", "pytest-xdist", "hypothesis")
    session.install("--prefer-binary", "-e", ".", *pytest)  # not the newest of all that is compiled has a wheel
    session.run("pytest", "-n", "0", "tests/unit/plugins/test_threads.py", env={"PYTHON_GIL": "0"})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, warnings being errors, and run its doctests."""
    install_group(session, "docs")
    for builder in ("html", "doctest"):
        session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", builder, "docs", f"docs/_build/{builder}")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure; prints ratios between things measured in one run."""
    install_group(session, "benchmarks")
    # Named one by one: pytest collects bench_*.py only when asked for, so that the test suite never times anything.
    files = sorted(map(str, Path("tests/benchmarks").glob("bench_*.py")))
    session.run("pytest", *files, "--timeout=0", "--benchmark-quiet", *session.posargs)


@nox.session(venv_backend="none")
def demo(session: nox.Session) -> None:
    """Run the main job: the first command of the README, as it stands there."""
    first = re.search(r"```sh\n(.*?)```", ROOT.joinpath("README.md").read_text("utf-8"), re.DOTALL)
    assert first, "the README has no sh block"
    os.chdir(ROOT)
    session.run("sh", "-ec", first[1], external=True)


@nox.session(python="3.11")
def minimums(session: nox.Session) -> None:
    """Run the test suite with the oldest dependencies that pyproject.toml allows."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    install_group(session, "test")
    session.install(*(requirement.replace(">=", "==") for requirement in project["dependencies"]))
    session.run("pytest", "-n", "auto", "-m", "not integration", *session.posargs)
