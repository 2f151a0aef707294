"""New packages of every kind: made, installed into an environment of their own, tested, checked, and used."""

import itertools
import json
from pathlib import Path

import pytest

from aimm.scaffold import KINDS, LICENSES, Answers, create
from environments import Environment, clean_environment, make_base, make_environment, once
from terminal import Run, run

MODEL = """
    from aimm import plugins
    plugins.initialize()
    model = plugins.exec_instantiate({name!r})
    model = plugins.exec_fit({name!r}, model, None, [1.0, 2.0, 3.0], [1.0, 4.0, 9.0])
    model = plugins.exec_deserialize({name!r}, plugins.exec_serialize({name!r}, model))
    print(round(plugins.exec_predict({name!r}, model, None, [2.0])[1][0], 2))
"""
USES = {
    "class": (MODEL.format(name="demo.Line"), "4.67\n"),
    "functions": (MODEL.format(name="demo.line"), "4.67\n"),
    "owner": (MODEL.format(name="demo.power.2"), "4.0\n"),
    "wrapper": (
        """
        import logging
        import sys
        from aimm import plugins
        logging.basicConfig(stream=sys.stdout, format="%(name)s")
        plugins.initialize({"names": [], "settings": {"demo": {"seconds": 0}}})
        plugins.fit(["anything"])(lambda instance: instance)
        plugins.exec_fit("anything", 1, None)
        """,
        "demo.wrapper\n",
    ),
    "data-access": (
        """
        from aimm import plugins
        plugins.initialize()
        print(len(plugins.exec_data_access("demo.cars", split="train")["X"]))
        """,
        "40\n",
    ),
    "tasks": (
        """
        from aimm import tasks, plugins
        plugins.initialize()
        print(tasks.call("demo.line.fit", [0.0, 1.0], [1.0, 3.0]))
        """,
        "(2.0, 1.0)\n",
    ),
    "train": (
        """
        import sys
        from aimm.cli import main
        where = ["--dataset", "demo.cars", "--artifact-path", "run"]
        print(main(["train", "--no-input", *where, "demo", "line", "fit"]))
        """,
        "0\n",
    ),
    "executor": (
        """
        from aimm import executors, plugins
        plugins.initialize()
        with executors.make_executor("demo") as executor:
            print(executors.submit(executor, max, 1, 2).result())
        """,
        "2\n",
    ),
}
"""A program that uses what each kind contributes, and what it prints."""

TOOLS = ("mypy", "nox", "pip-tools", "pytest", "ruff", "cookiecutter")


def make_tools(path: Path, wheel: Path) -> None:
    """Make the environment with what new packages are checked with."""
    make_base(path, wheel)
    Environment(path, path).pip("install", *TOOLS)


@pytest.fixture(scope="session")
def tools(workshop: Path, aimm_wheel: Path) -> Path:
    """The environment with what new packages are checked with, shared by all tests."""
    return once(workshop, "tools", lambda path: make_tools(path, aimm_wheel))


@pytest.fixture
def fresh(tmp_path: Path, tools: Path, aimm_wheel: Path) -> Environment:
    """An environment of this test's own that runs those tools on what is installed in it."""
    made = make_environment(tmp_path / "venv", tools, aimm_wheel)
    for tool in ("mypy", "nox", "pytest"):
        script = made.path / "bin" / tool
        script.write_text(f"#!{made.python}\nimport runpy\nrunpy.run_module({tool!r}, run_name='__main__')\n")
        script.chmod(0o755)
    made.variables["PATH"] = f"{made.path / 'bin'}:{tools / 'bin'}:/usr/bin:/bin"
    return made


def nox(environment: Environment, project: Path, *arguments: str | Path) -> Run:
    """Run sessions of a project's noxfile in an environment, instead of in new ones."""
    command = (environment.path / "bin" / "nox", "--no-venv", "--no-install", *arguments)
    return run(*command, cwd=project, env={**clean_environment(), **environment.variables})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_finished(fresh: Environment, kind: str, tmp_path: Path) -> None:
    """Without an edit: it installs, its tests, style and types are right, it is healthy, and it does what it is for."""
    made = fresh.aimm("plugins", "new", "demo", "--kind", kind, "--defaults", "-o", tmp_path)
    assert made.code == 0, made.err
    fresh.install_editable(tmp_path / "demo")
    checked = nox(fresh, tmp_path / "demo", "-s", "tests", "lint", "types")
    assert checked.code == 0, checked.out + checked.err
    assert " passed" in checked.out + checked.err
    told = json.loads(fresh.aimm("plugins", "check", "demo", "--json").out)
    assert told["good"], told["problems"]
    assert [found for found in told["results"] if "no example" in found["message"]] == []
    program, printed = USES[kind]
    used = fresh.run_python(program)
    assert used.out.endswith(printed), used.err
    doctor = fresh.aimm("plugins", "doctor")
    assert doctor.code == 0, doctor.err
    assert doctor.out.endswith("ok, 0 broken, 0 conflicts\n")


@pytest.mark.timeout(600)
def test_the_style_is_right_whatever_was_answered(tools: Path, tmp_path: Path) -> None:
    """Long names, quotes and backslashes are no reason for an edit, with any kind and licence."""
    package = "a_package_with_quite_a_long_name_for_models"
    description = 'Says "hello" \\ bye, ' + "at length " * 12
    for kind, license in itertools.product(KINDS, LICENSES):
        name = f"with-{kind}-{license.lower()}"
        create(Answers(name, kind, package, description, 'D\'Arcy & "Co"', license), tmp_path)
    for arguments in (["check"], ["format", "--check"]):
        checked = run(tools / "bin" / "ruff", *arguments, tmp_path)
        assert checked.code == 0, checked.out + checked.err


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "entry"), [("class", "pluggy=="), ("train", "numpy==")])
def test_lock_writes_a_file_for_each_kind_of_machine(
    fresh: Environment, aimm_wheel: Path, tmp_path: Path, kind: str, entry: str
) -> None:
    """``nox -s lock`` pins all that is needed, with a GPU and without; a training plugin has a file for each."""
    fresh.aimm("plugins", "new", "demo", "--kind", kind, "--defaults", "-o", tmp_path)
    if kind == "train":
        (tmp_path / "demo" / "requirements.in").write_text("numpy\n")
        (tmp_path / "demo" / "requirements-gpu.in").write_text("numpy\npackaging\n")
    locked = nox(fresh, tmp_path / "demo", "-s", "lock", "--", "--find-links", aimm_wheel.parent)
    assert locked.code == 0, locked.out + locked.err
    assert entry in (tmp_path / "demo" / "requirements.txt").read_text()
    on_gpu = (tmp_path / "demo" / "requirements-gpu.txt").read_text()
    assert entry in on_gpu
    assert kind != "train" or "packaging==" in on_gpu
    assert not [line for line in on_gpu.splitlines() if line.startswith("-")], "this machine's indexes are in the file"
