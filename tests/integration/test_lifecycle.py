"""Plugin packages from installation to uninstallation, from the command line and from Python."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from environments import PROJECTS, Environment, copied, make_wheel
from support import class_source

KINDS = {
    "acme-nearest": "acme.nearest",
    "acme-counter": "acme.majority",
    "acme-constant": "acme.constant.1",
}
"""Projects with a model: a class, functions, and a hook owner; with a model type of each."""


def listed(venv: Environment) -> dict[str, tuple[str, str]]:
    """What ``aimm plugins list`` shows: name to distribution and version."""
    done = venv.aimm("plugins", "list", "--json")
    assert (done.code, done.err) == (0, "") or done.out == "[]\n"
    return {row["name"]: (row["distribution"], row["version"]) for row in json.loads(done.out)}


@pytest.fixture
def marks(venv: Environment, tmp_path: Path) -> Callable[[], set[str]]:
    """The packages of ours that were imported since."""
    folder = tmp_path / "marks"
    folder.mkdir()
    venv.variables["ACME_MARKS"] = str(folder)
    return lambda: {file.name for file in folder.iterdir()}


@pytest.mark.parametrize(("project", "model_type"), KINDS.items())
def test_a_model_from_installation_to_uninstallation(
    venv: Environment, marks: Callable[[], set[str]], project: str, model_type: str
) -> None:
    """Installed, listed without an import, fitted, saved, used by a new process, uninstalled, gone."""
    assert listed(venv) == {}
    venv.install(PROJECTS / project, PROJECTS / "acme-points")
    assert {owner for owner, _ in listed(venv).values()} == {project, "acme-points"}
    assert marks() == set()

    fitted = venv.aimm("fit", model_type, "--data", "acme.points", "--split", "train", "-o", "m.aimm", "--json")
    assert fitted.code == 0, fitted.err
    header = json.loads(fitted.out)
    assert (header["model_type"], header["distribution"], header["version"]) == (model_type, project, "1.0")
    assert marks() == {project.replace("-", "_"), "acme_points"}

    predicted = venv.aimm("predict", "m.aimm", "--data", "acme.points", "--split", "test", "--json")
    assert predicted.code == 0, predicted.err
    assert set(json.loads(predicted.out)) <= {0, 1}
    assert len(json.loads(predicted.out)) == 50

    venv.uninstall(project)
    assert {owner for owner, _ in listed(venv).values()} == {"acme-points"}
    gone = venv.aimm("predict", "m.aimm", "--data", "acme.points")
    assert (gone.code, gone.out) == (1, "")
    assert model_type in gone.err
    assert f"m.aimm was written by {project} 1.0; pip install {project}==1.0" in gone.err


def test_a_class_plugin_learns(venv: Environment) -> None:
    """The held-out half is predicted well from the command line."""
    venv.install(PROJECTS / "acme-nearest", PROJECTS / "acme-points")
    assert venv.aimm("fit", "acme.nearest", "--data", "acme.points", "--split", "train", "-o", "m.aimm").code == 0
    done = venv.aimm("predict", "m.aimm", "--data", "acme.points", "--split", "test", "--score", "-o", "p.csv")
    assert float(done.out.split()[1]) >= 0.9
    assert len((venv.path / "p.csv").read_text().splitlines()) == 51


def test_python_does_what_the_command_line_does(venv: Environment) -> None:
    """The same from Python, in two processes; only the plugins in use are imported."""
    venv.install(PROJECTS / "acme-nearest", PROJECTS / "acme-counter", PROJECTS / "acme-points")
    first = venv.run_python("""
        import sys
        from aimm import plugins, store
        report = plugins.initialize()
        assert [c.distribution for c in report.lazy] == ["acme-points", "acme-counter", "acme-nearest"], report
        assert not [name for name in sys.modules if name.startswith("acme")]
        data = plugins.exec_data_access("acme.points", split="train")
        model = plugins.exec_instantiate("acme.nearest", power=1.0)
        model = plugins.exec_fit("acme.nearest", model, None, data["X"], y=data["y"])
        store.save_model("m.aimm", "acme.nearest", model)
        assert "acme_counter" not in sys.modules
    """)
    assert first == (0, "", "")
    second = venv.run_python("""
        from aimm import plugins, store
        plugins.initialize()
        header, model = store.load_model("m.aimm")
        data = plugins.exec_data_access("acme.points", split="test")
        same, prediction = plugins.exec_predict(header.model_type, model, None, data["X"])
        assert same is model and model.power == 1.0
        print(sum(a == b for a, b in zip(prediction, data["y"])) / len(prediction))
    """)
    assert (second.code, second.err) == (0, "")
    assert float(second.out) >= 0.9


def test_an_instance_that_changes_by_predicting(venv: Environment) -> None:
    """--update keeps what predicting taught a model of functions."""
    venv.install(PROJECTS / "acme-counter", PROJECTS / "acme-points")
    assert venv.aimm("fit", "acme.majority", "--data", "acme.points", "-o", "m.aimm").code == 0
    for count in (1, 2):
        assert venv.aimm("predict", "m.aimm", "--data", "acme.points", "--update").code == 0
        assert f'"asked": {count}'.encode() in (venv.path / "m.aimm").read_bytes()


def test_a_wrapper_sees_every_action_of_every_owner(venv: Environment) -> None:
    """Installing it is enough; uninstalling it ends it; its settings come from the configuration."""
    venv.install(*(PROJECTS / project for project in (*KINDS, "acme-points", "acme-audit")))
    for model_type in KINDS.values():
        log = venv.path / f"{model_type}.log"
        fit = ("fit", model_type, "--data", "acme.points", "-o", "m.aimm")
        assert venv.aimm(*fit, ACME_AUDIT=str(log)).code == 0
        assert venv.aimm("predict", "m.aimm", "--data", "acme.points", ACME_AUDIT=str(log)).code == 0
        noted = [line.split() for line in log.read_text().splitlines()]
        assert [action for action, _ in noted] == [
            *("data_access", "instantiate", "fit", "serialize"),
            *("deserialize", "data_access", "predict"),
        ]
        assert {name for _, name in noted} == {model_type, "acme.points"}
    log = venv.path / "settings.log"
    (venv.path / "conf.yaml").write_text(f"names: []\nsettings: {{acme-audit: {{file: {log}}}}}\n")
    assert venv.aimm("--config", "conf.yaml", *fit).code == 0
    assert len(log.read_text().splitlines()) == 4
    venv.uninstall("acme-audit")
    assert venv.aimm(*fit, ACME_AUDIT=str(log)).code == 0
    assert len(log.read_text().splitlines()) == 4


def test_an_upgrade_is_seen_at_once(venv: Environment, tmp_path: Path) -> None:
    """The next process lists the new version and the new names, and reads models of the old version."""
    for version, name in (("1.0", "old"), ("2.0", "new")):
        points = {"aimm.models": {"forest": "woods:Forest", name: "woods:Forest"}}
        venv.install(make_wheel(tmp_path, "woods", version, points, {"woods": class_source("Forest")}))
        assert listed(venv) == {"forest": ("woods", version), name: ("woods", version)}
        if version == "1.0":
            venv.install(PROJECTS / "acme-points")
            assert venv.aimm("fit", "forest", "--data", "acme.points", "-o", "m.aimm").code == 0
            venv.uninstall("acme-points")
    venv.install(PROJECTS / "acme-points")
    assert venv.aimm("predict", "m.aimm", "--data", "acme.points").code == 0


def test_an_editable_plugin(venv: Environment, tmp_path: Path) -> None:
    """Installed with pip -e: listed once, usable, and a change of its code is seen by the next process."""
    project = copied(PROJECTS / "acme-nearest", tmp_path / "acme-nearest")
    venv.install_editable(project)
    venv.install(PROJECTS / "acme-points")
    assert listed(venv)["acme.nearest"] == ("acme-nearest", "1.0")
    fit = ("fit", "acme.nearest", "--data", "acme.points", "-o", "m.aimm")
    assert venv.aimm(*fit).code == 0
    module = project / "acme_nearest" / "models.py"
    module.write_text(module.read_text().replace("power: float = 2.0", "changed: float = 2.0, power: float = 2.0"))
    shown = json.loads(venv.aimm("types", "show", "acme.nearest", "--json").out)
    assert shown["actions"][0]["parameters"] == ["changed", "power"]
    venv.uninstall("acme-nearest")
    assert "acme.nearest" not in listed(venv)


def test_a_missing_file_names_the_repair(venv: Environment) -> None:
    """An installation that lost a module: the error says which distribution to reinstall, and doing so repairs it."""
    venv.install(PROJECTS / "acme-nearest", PROJECTS / "acme-points")
    (venv.site / "acme_nearest" / "models.py").unlink()
    fit = ("fit", "acme.nearest", "--data", "acme.points", "-o", "m.aimm")
    done = venv.aimm(*fit)
    assert done.code == 1
    assert "pip install --force-reinstall acme-nearest" in done.err
    venv.uninstall("acme-nearest")
    venv.install(PROJECTS / "acme-nearest")
    assert venv.aimm(*fit).code == 0


def test_a_left_over_of_an_interrupted_uninstallation_is_ignored(venv: Environment) -> None:
    """What pip renamed to ~name before it was interrupted declares nothing."""
    venv.install(PROJECTS / "acme-nearest")
    info = next(venv.site.glob("acme_nearest-*.dist-info"))
    info.rename(info.with_name("~" + info.name[1:]))
    assert listed(venv) == {}
