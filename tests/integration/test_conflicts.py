"""Two distributions that claim one name."""

import json
from pathlib import Path

import pytest

from environments import PROJECTS, Environment, make_environment, make_wheel, once
from support import class_source

FIT = ("fit", "forest", "--data", "acme.points", "-o")


def wheel(folder: Path, name: str) -> Path:
    """A distribution that declares the model type ``forest``, and another of its own."""
    module = name.replace("-", "_")
    points = {"aimm.models": {"forest": f"{module}:Forest", f"{name}.own": f"{module}:Forest"}}
    return make_wheel(folder, name, "1.5", points, {module: class_source("Forest")})


def install_rivals(path: Path, base: Path, aimm: Path) -> Environment:
    """Make an environment in which ``north-woods`` and ``south-woods`` both declare ``forest``."""
    venv = make_environment(path, base, aimm)
    venv.install(wheel(path, "south-woods"), wheel(path, "north-woods"), PROJECTS / "acme-points")
    return venv


@pytest.fixture
def contested(workshop: Path, base: Path, aimm_wheel: Path) -> Environment:
    """Such an environment, shared by the tests that only read it."""
    return Environment(once(workshop, "contested", lambda path: install_rivals(path, base, aimm_wheel)), base)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Where a test's model file goes."""
    return tmp_path / "m.aimm"


def test_only_the_contested_name_is_an_error(contested: Environment, model: Path) -> None:
    """The error lists both distributions and the prefer: lines; every other name works."""
    done = contested.aimm(*FIT, model)
    assert (done.code, done.out) == (1, "")
    for part in (
        "north-woods 1.5",
        "south-woods 1.5",
        "prefer: {forest: north-woods}",
        "prefer: {forest: south-woods}",
    ):
        assert part in done.err
    for name in ("north-woods.own", "south-woods.own"):
        assert contested.aimm("fit", name, "--data", "acme.points", "-o", model).code == 0


def test_list_and_doctor_show_the_conflict(contested: Environment) -> None:
    """Both are marked, and the doctor says how to settle it."""
    rows = json.loads(contested.aimm("plugins", "list", "--json").out)
    status = {(row["name"], row["distribution"]): row["status"] for row in rows}
    assert status["forest", "north-woods"] == status["forest", "south-woods"] == "contested"
    assert status["acme.points", "acme-points"] == status["north-woods.own", "north-woods"] == "ok"
    doctor = contested.aimm("plugins", "doctor")
    assert doctor.code == 1
    assert "CONFLICT  model type 'forest' is claimed by" in doctor.out


@pytest.mark.parametrize("chosen", ["north-woods", "south-woods", "South_Woods"])
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("conf.yaml", "names: []\nprefer:\n  forest: NAME\n"),
        ("conf.toml", 'names = []\n[prefer]\nforest = "NAME"\n'),
    ],
)
def test_prefer_settles_it(
    contested: Environment, model: Path, tmp_path: Path, chosen: str, file: str, text: str
) -> None:
    """The configuration chooses the owner, whichever way the distribution is spelt."""
    (tmp_path / file).write_text(text.replace("NAME", chosen))
    done = contested.aimm("--config", tmp_path / file, *FIT, model, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["distribution"] == chosen.lower().replace("_", "-")


def test_excluding_settles_it(contested: Environment, model: Path, tmp_path: Path) -> None:
    """Leaving one distribution out leaves the other, though its own names go with it."""
    config = tmp_path / "conf.yaml"
    config.write_text("names: []\nentry_points: {exclude: [south-*]}\n")
    assert contested.aimm("--config", config, *FIT, model).code == 0
    done = contested.aimm("--config", config, "fit", "south-woods.own", "--data", "acme.points", "-o", model)
    assert done.code == 1
    assert "distribution south-woods declares it, but the configuration excludes it" in done.err


def test_uninstalling_settles_it(tmp_path: Path, base: Path, aimm_wheel: Path, model: Path) -> None:
    """With one of them gone, the other owns the name."""
    venv = install_rivals(tmp_path / "venv", base, aimm_wheel)
    assert venv.aimm(*FIT, model).code == 1
    venv.uninstall("north-woods")
    assert json.loads(venv.aimm(*FIT, model, "--json").out)["distribution"] == "south-woods"


def test_the_answer_is_always_the_same(venv: Environment, tmp_path: Path) -> None:
    """Neither the order of installation nor the hash seed changes what is said."""
    answers = set()
    for names in (("a-woods", "b-woods"), ("b-woods", "a-woods")):
        for name in names:
            venv.install(wheel(tmp_path, name))
        for seed in ("0", "1", "2"):
            done = venv.aimm("types", "show", "forest", PYTHONHASHSEED=seed)
            listed = venv.aimm("plugins", "list", PYTHONHASHSEED=seed)
            answers.add((done.code, done.err, listed.out))
        venv.uninstall(*names)
    assert len(answers) == 1
    assert next(iter(answers))[0] == 1
