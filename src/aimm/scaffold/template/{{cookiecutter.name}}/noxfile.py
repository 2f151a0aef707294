"""What can be run on this project; ``nox -l`` lists it."""

from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "lint", "types"]


def install(session: nox.Session, group: str) -> None:
    """Install the plugin and one of its dependency groups, which only a recent pip reads."""
    session.install("--upgrade", "pip>=25.1")
    session.install("-e", ".", "--group", group)
    if Path("requirements.in").exists():
        session.install("-r", "requirements.in")


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the tests; further arguments go to pytest."""
    install(session, "test")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style."""
    install(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types."""
    install(session, "types")
    session.run("mypy")


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements.txt and requirements-gpu.txt: each package that is needed, with its version.

    They are made from requirements.in and requirements-gpu.in where these exist, else from pyproject.toml and its
    extra ``gpu``; further arguments go to pip-compile. Where packages come from is left to pip's configuration.
    """
    session.install("pip-tools")
    for suffix, options in (("", []), ("-gpu", ["--extra", "gpu"])):
        source = Path(f"requirements{suffix}.in")
        wanted = [str(source)] if source.exists() else [*options, "pyproject.toml"]
        target = f"requirements{suffix}.txt"
        command = ("pip-compile", "--quiet", "--strip-extras", "--no-emit-options", "--output-file", target)
        session.run(*command, *wanted, *session.posargs)
