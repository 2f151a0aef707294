"""Plugins with every kind of defect, installed beside a good one."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from environments import PROJECTS, Environment, make_environment, make_wheel, once
from support import EntryPoints

CLASS = """
class Model:
    def fit(self, X): return self
    def predict(self, X): return X
    def serialize(self): return b""
    @classmethod
    def deserialize(cls, instance_bytes): return cls()
"""
HOOK = "from aimm.plugins import hookimpl\n@hookimpl\n"


class Defect(NamedTuple):
    """One kind of broken plugin: its module, and what doctor says of it."""

    source: str
    cause: str
    fix: str = "exclude: [bad-{}]"
    group: str = "aimm.models"
    attribute: str = ":Model"


DEFECTS = {
    "import-error": Defect("from math import nothing", "ImportError: cannot import name 'nothing'"),
    "no-dependency": Defect("import not_installed", "No module named 'not_installed'", "pip install not_installed"),
    "syntax": Defect("class Model(:", "SyntaxError", "correct the file"),
    "exit": Defect("import sys; sys.exit(4)", "SystemExit: 4", "calls sys.exit()"),
    "dies": Defect("import os; os._exit(5)", "it ended its process with exit code 5"),
    "segfault": Defect("import ctypes; ctypes.string_at(0)", "it ended its process with signal SIGSEGV"),
    "loop": Defect("while True: pass", "it did not finish loading within 5 seconds", "raise --timeout"),
    "raises": Defect("raise BaseException('no reason')", "BaseException: no reason"),
    "unicode": Defect("b'\\xff'.decode()", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff"),
    "no-module": Defect(CLASS, "No module named 'bad_nowhere'", "--force-reinstall bad-no-module"),
    "no-attribute": Defect("Other = 1", "AttributeError", "no such attribute"),
    "no-class": Defect("Model = 42", "expected a class with the methods"),
    "half-class": Defect("class Model:\n    def fit(self): pass", "the class has no 'predict'"),
    "undeclared": Defect("from aimm import plugins", "was to declare the model type", attribute=""),
    "no-data": Defect("Model = 3", "must be a function that fetches data", group="aimm.data_access"),
    "no-hooks": Defect("", "has neither hook implementations", group="aimm.plugins", attribute=""),
    "signature": Defect(
        HOOK + "def fit(instance, epochs=10): ...", "the hook is fit(", group="aimm.plugins", attribute=""
    ),
    "misspelt": Defect(HOOK + "def predikt(): ...", "did you mean 'predict'?", group="aimm.plugins", attribute=""),
    "hook-exit": Defect("raise SystemExit", "SystemExit", "calls sys.exit()", group="aimm.plugins", attribute=""),
}
UNHARMED = {
    "prints": ("print('I am here')", "prints 10 bytes to stdout while it loads"),
    "chdir": ("import os; os.chdir('/')", "changed the working directory (put back)"),
    "umask": ("import os; os.umask(0)", "changed the umask (put back)"),
    "signals": ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", "changed signal handlers (put back)"),
}
MALFORMED = {
    "unrelated": (b"[console_scripts]\nno equals sign here\n", "line 2"),
    "binary": (b"[aimm.models]\n\xff\xfe = x\n", "cannot be read"),
}
"""Distributions that are no plugins at all: what their entry_points.txt has become, and what doctor says of it."""
DEADLY = ("dies", "segfault", "loop")


def install_everything(path: Path, base: Path, aimm: Path) -> None:
    """One environment with a good plugin and one distribution for each defect."""
    venv = make_environment(path, base, aimm)
    wheels = path / "wheels"
    wheels.mkdir()
    made = [_wheel(wheels, kind, defect) for kind, defect in DEFECTS.items()]
    made += [_wheel(wheels, kind, Defect(f"{source}\n{CLASS}", "")) for kind, (source, _) in UNHARMED.items()]
    made += [make_wheel(wheels, name, "7.7", {"console_scripts": {name: "os:getcwd"}}) for name in MALFORMED]
    venv.install(PROJECTS / "acme-nearest", PROJECTS / "acme-points", *made)
    # No installer lets these through; other tools, editors and full disks do.
    for name, (content, _) in MALFORMED.items():
        (venv.site / f"{name}-7.7.dist-info" / "entry_points.txt").write_bytes(content)


def _wheel(folder: Path, kind: str, defect: Defect) -> Path:
    module = f"bad_{kind.replace('-', '_')}"
    target = "bad_nowhere" if kind == "no-module" else module
    points: EntryPoints = {defect.group: {f"bad.{kind}": f"{target}{defect.attribute}"}}
    return make_wheel(folder, f"bad-{kind}", "6.6", points, {module: defect.source})


@pytest.fixture
def hospital(workshop: Path, base: Path, aimm_wheel: Path) -> Environment:
    """The environment with everything in it; only read by the tests."""
    return Environment(once(workshop, "hospital", lambda path: install_everything(path, base, aimm_wheel)), base)


@pytest.fixture
def findings(workshop: Path, hospital: Environment) -> dict[str, Any]:
    """What ``aimm plugins doctor --json`` finds in it."""

    def examine(file: Path) -> None:
        done = hospital.aimm("plugins", "doctor", "--json", "--timeout", "5")
        assert done.code == 1
        file.write_text(done.out)

    found: dict[str, Any] = json.loads(once(workshop, "findings", examine).read_text())
    return found


@pytest.mark.parametrize("kind", DEFECTS)
def test_doctor_explains_every_defect(findings: dict[str, Any], kind: str) -> None:
    """Distribution, version, entry point, cause and fix."""
    defect = DEFECTS[kind]
    (failure,) = [failure for failure in findings["failures"] if failure["plugin"] == f"bad.{kind}"]
    assert (failure["distribution"], failure["version"]) == (f"bad-{kind}", "6.6")
    assert failure["entry_point"].startswith(f"[{defect.group}] bad.{kind} = bad_")
    assert defect.cause in failure["cause"]
    assert defect.fix.format(kind) in failure["hint"]


@pytest.mark.parametrize("kind", UNHARMED)
def test_doctor_remarks_on_side_effects(findings: dict[str, Any], kind: str) -> None:
    """What a plugin changes in the process is told; it is no failure."""
    (plugin,) = [plugin for plugin in findings["plugins"] if plugin["name"] == f"bad.{kind}"]
    assert plugin["ok"]
    assert plugin["remarks"] == [UNHARMED[kind][1]]


@pytest.mark.parametrize("name", MALFORMED)
def test_doctor_names_malformed_metadata(findings: dict[str, Any], name: str) -> None:
    """Whose file it is and what is wrong with it."""
    (failure,) = [failure for failure in findings["failures"] if failure["distribution"] == name]
    assert failure["file"].endswith("entry_points.txt")
    assert MALFORMED[name][1] in failure["cause"]


def test_doctor_finds_nothing_else(findings: dict[str, Any]) -> None:
    """The good plugins are good."""
    assert len(findings["failures"]) == len(DEFECTS) + 2
    healthy = {plugin["name"] for plugin in findings["plugins"] if plugin["ok"]}
    assert healthy == {"acme.nearest", "acme.points", *(f"bad.{kind}" for kind in UNHARMED)}


def test_every_plugin_is_listed(hospital: Environment) -> None:
    """Listing imports nothing, so nothing can go wrong."""
    done = hospital.aimm("plugins", "list", "--json")
    names = {row["name"] for row in json.loads(done.out)}
    assert names == {"acme.nearest", "acme.points", *(f"bad.{kind}" for kind in (*DEFECTS, *UNHARMED))}
    assert done.err == "metadata problems: 2; 'aimm plugins doctor' explains them\n"


def test_the_good_plugin_works_beside_all_of_them(hospital: Environment, tmp_path: Path) -> None:
    """Fit, save, reload and predict; what is broken in the hook group is a message on stderr."""
    file = tmp_path / "m.aimm"
    fitted = hospital.aimm("fit", "acme.nearest", "--data", "acme.points", "--split", "train", "-o", file)
    assert (fitted.code, fitted.out) == (0, "")
    for kind in ("no-hooks", "signature", "misspelt", "hook-exit"):
        assert f"bad-{kind} 6.6" in fitted.err
    predicted = hospital.aimm("predict", file, "--data", "acme.points", "--split", "test", "--score", "--json")
    assert json.loads(predicted.out)["accuracy"] >= 0.9


@pytest.mark.parametrize("kind", [kind for kind in DEFECTS if kind not in DEADLY])
def test_using_a_broken_plugin_explains_it(hospital: Environment, tmp_path: Path, kind: str) -> None:
    """Each use of its name is an error with its cause, never a crash."""
    defect = DEFECTS[kind]
    name, data = (
        (f"bad.{kind}", "acme.points") if defect.group != "aimm.data_access" else ("acme.nearest", f"bad.{kind}")
    )
    done = hospital.aimm("fit", name, "--data", data, "-o", tmp_path / "m.aimm")
    assert (done.code, done.out) == (1, "")
    assert f"bad-{kind} 6.6" in done.err
    assert defect.cause in done.err
    assert not (tmp_path / "m.aimm").exists()


def test_python_sees_the_same(hospital: Environment) -> None:
    """initialize() returns; what failed is in its report; the good plugin works; the process is as it was."""
    done = hospital.run_python("""
        import os
        before = os.getcwd()
        from aimm import plugins
        from aimm.errors import PluginUnavailableError
        report = plugins.initialize()
        assert sorted(f.distribution for f in report.failed) == [
            "bad-hook-exit", "bad-misspelt", "bad-no-hooks", "bad-signature", "binary", "unrelated"], report.failed
        assert plugins.exec_instantiate("acme.nearest").power == 2.0
        for kind in ("exit", "raises", "syntax", "unicode"):
            try:
                plugins.exec_instantiate(f"bad.{kind}")
            except PluginUnavailableError as error:
                assert error.__cause__ is not None, kind
            else:
                raise AssertionError(kind)
        plugins.exec_instantiate("bad.chdir")
        assert os.getcwd() == before
    """)
    assert (done.code, done.out) == (0, "")


def test_safe_mode_starts_without_them(hospital: Environment) -> None:
    """--safe needs none of them, and neither mentions nor imports one."""
    done = hospital.aimm("--safe", "types", "list")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_excluded_plugins_are_never_imported(hospital: Environment, tmp_path: Path) -> None:
    """With the broken ones left out, the doctor is content though one of them would end every process."""
    (tmp_path / "conf.yaml").write_text("names: []\nentry_points: {exclude: ['bad-*']}\n")
    done = hospital.aimm("--config", tmp_path / "conf.yaml", "plugins", "doctor", "--json")
    found = json.loads(done.out)
    assert [plugin["name"] for plugin in found["plugins"]] == ["acme.points", "acme.nearest"]
    assert {failure["distribution"] for failure in found["failures"]} == {"binary", "unrelated"}


def test_a_misspelt_name_is_not_found_whatever_else_is_broken(hospital: Environment) -> None:
    """A typo is an unknown name with suggestions, not the import error of a stranger."""
    for name in ("acme.nearst", "nearest"):
        done = hospital.aimm("types", "show", name)
        assert done.code == 1
        assert "did you mean 'acme.nearest'?" in done.err
        assert "not_installed" not in done.err


def test_completion_works_beside_all_of_them(hospital: Environment) -> None:
    """The tab key imports nothing."""
    done = hospital.aimm(_AIMM_COMPLETE="bash_complete", COMP_WORDS="aimm fit acme", COMP_CWORD="2")
    assert [line.partition(",")[2] for line in done.out.splitlines()] == ["acme.nearest", "acme_nearest.models.Nearest"]
    assert done.err == ""
