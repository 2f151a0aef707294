import json
import sys
from pathlib import Path

import pytest

from aimm.environment import _journal
from environments import make_wheel
from places import Place, entry_points
from support import FakeSite, class_source
from terminal import Cli, Run, run_on_terminal


@pytest.fixture
def uv(aimm: Cli, place: Place, links: Path) -> Cli:
    """``aimm plugins`` with uv and the folder of wheels."""
    sources = ("--no-index", "--find-links", links, "--installer", "uv")

    def invoke(command: str, *arguments: str | Path) -> Run:
        return aimm("plugins", command, *arguments, *(sources if command != "uninstall" else sources[3:]))

    return invoke


def test_install_shows_the_plan_and_does_it(uv: Cli, place: Place) -> None:
    """The plan goes to stdout, the environment and what was done to stderr."""
    code, out, err = uv("install", "acme-a", "--gpu")
    assert code == 0, err
    assert [line.split()[:3] for line in out.splitlines()] == [
        ["PLAN", "DISTRIBUTION", "VERSION"],
        ["install", "acme-a", "1.0"],
        ["install", "lib-gpu", "1.0"],
        ["install", "lib-one", "2.0"],
        ["install", "lib-two", "1.0"],
    ]
    assert err.startswith(f"environment: {place.path} (Python {sys.version.split()[0]})\n")
    assert "note: acme-a 1.0 needs no-such-program-at-all (>=3), which is not on this machine\n" in err
    assert err.endswith("done: 4 to install\n")
    assert (place.path / "bin" / "acme-a").exists()
    assert "nothing to do: acme-a installed already" in uv("install", "acme-a").err


def test_a_dry_run_changes_nothing(uv: Cli, place: Place) -> None:
    """Neither an installation nor an uninstallation."""
    before = place.content()
    done = uv("install", "acme-b", "--dry-run")
    assert (done.code, "nothing was changed: 3 to install" in done.err) == (0, True)
    assert place.content() == before
    place.install("acme-b")
    before = place.content()
    done = uv("uninstall", "acme-b", "--dry-run")
    assert (done.code, "nothing was changed: 3 to remove" in done.err) == (0, True)
    assert place.content() == before


def test_upgrade_takes_the_newest(uv: Cli, place: Place, links: Path) -> None:
    """Without -U what fits stays; a plan that changes something needs --yes where nobody can be asked."""
    place.install("acme-b==1.0")
    make_wheel(links, "acme-b", "2.0", entry_points=entry_points("acme-b"), requires=["lib-one"])
    assert "nothing to do" in uv("install", "acme-b").err
    refused = uv("install", "-U", "acme-b")
    assert (refused.code, "nobody can be asked: add --yes, or --dry-run to look" in refused.err) == (2, True)
    done = json.loads(uv("install", "-U", "acme-b", "--yes", "--json").out)
    assert [(step["name"], step["version"], step["to"]) for step in done["change"]] == [("acme-b", "1.0", "2.0")]
    assert done["done"] is True


def test_uninstall_as_json_has_every_reason(uv: Cli, place: Place) -> None:
    """What goes, what stays, and why."""
    place.install("acme-a", "acme-b")
    found = json.loads(uv("uninstall", "acme-a", "--yes", "--json").out)
    assert {step["name"]: step["why"] for step in found["remove"]} == {"acme-a": "asked for"}
    assert {step["name"]: step["why"] for step in found["keep"]} == {
        "lib-one": "needed by acme-b 1.0, lib-two 1.0",
        "lib-two": "needed by lib-one 2.0",
    }
    found = json.loads(uv("uninstall", "--all", "--yes", "--json").out)
    assert [step["name"] for step in found["remove"]] == ["acme-b", "lib-one", "lib-two"]
    assert not (place.path / "share").exists()


def test_uninstall_takes_the_name_of_a_plugin_too(uv: Cli, place: Place, links: Path) -> None:
    """If one distribution offers it, that is meant."""
    points = {"aimm.models": {"Oak_Tree": "acme_trees:Oak"}}
    make_wheel(links, "acme-trees", entry_points=points, modules={"acme_trees": ""})
    place.install("acme-trees")
    assert "done: 1 to remove" in uv("uninstall", "oak-tree", "--yes").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["install"], "name a plugin to install, or a folder of plugin projects with --from"),
        (["uninstall"], "name the plugins to uninstall, or say --all"),
        (["uninstall", "acme-b", "--all"], "name the plugins to uninstall, or say --all"),
        (["uninstall", "acme-b"], "this changes what is installed, and nobody can be asked: add --yes, or --dry-run"),
    ],
    ids=["install", "none", "both", "unasked"],
)
def test_usage_errors(uv: Cli, place: Place, arguments: list[str], message: str) -> None:
    """They end with 2 and say what was expected."""
    place.install("acme-b")
    done = uv(*arguments)
    assert (done.code, message in done.err) == (2, True)


def test_what_is_interrupted_is_told(aimm: Cli, uv: Cli, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verify names it, and the next change undoes it first."""

    def dies(ledger: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(_journal, "commit", dies)
        patch.setattr(_journal, "undo", lambda: None)
        with pytest.raises(SystemExit):
            place.install("acme-b")
    told = aimm("plugins", "verify")
    line = "install acme-b: was begun, but has not ended; the next install or uninstall undoes it"
    assert (told.code, line in told.out.splitlines()) == (1, True)
    done = uv("install", "acme-b", "--dry-run")
    assert "'install acme-b' of" in done.err
    assert "was interrupted and has been undone (removed again: acme-b 1.0, lib-one 2.0, lib-two 1.0)" in done.err


class TestVerify:
    """``verify`` compares with the needs of everything installed, a conda environment, and constraints."""

    CONDA = """
        name: work
        channels: [conda-forge]
        dependencies:
          - python>=3.11
          - conda-forge::numpy=1.26
          - openssl=3.2.*
          - scipy
          - pip
          - pip:
            - lib-one>=1
            - lib-two==3
        """

    @pytest.fixture
    def conda(self, place: Place, links: Path) -> Path:
        """A conda environment: records in ``conda-meta`` as conda writes them, and what it and pip installed."""
        meta = place.path / "conda-meta"
        meta.mkdir()
        (meta / "history").write_text("==> 2024-05-01 10:00:00 <==\n# cmd: conda create -n work\n")
        for name, version, build in (("numpy", "1.26.4", "py311h64a7726_0"), ("openssl", "3.1.4", "hd590300_0")):
            record = {
                "build": build,
                "build_number": 0,
                "channel": "https://conda.anaconda.org/conda-forge/linux-64",
                "depends": ["libzlib >=1.2.13,<2.0a0"],
                "files": [],
                "fn": f"{name}-{version}-{build}.conda",
                "link": {"source": f"/opt/conda/pkgs/{name}-{version}-{build}", "type": 1},
                "name": name,
                "requested_spec": name,
                "subdir": "linux-64",
                "version": version,
            }
            (meta / f"{name}-{version}-{build}.json").write_text(json.dumps(record, indent=2))
        info = place.add("numpy", "1.26.4")
        (info / "INSTALLER").write_text("conda\n")
        place.uv("install", "--no-deps", "lib-one==1.0", "lib-two")
        file = Path("environment.yml")
        file.write_text("\n".join(line[8:] for line in self.CONDA.splitlines()))
        return file

    def test_against_a_conda_environment_and_constraints(self, aimm: Cli, conda: Path) -> None:
        """One line for each deviation, sorted; what fits is silent; exit code 1."""
        Path("constraints.txt").write_text("lib-one<1  # old\nlib-two==1.0\nnot-installed==1\n")
        code, out, err = aimm("plugins", "verify", "--environment", conda, "--constraints", "constraints.txt")
        mine = [line for line in out.splitlines() if line.split(":")[0] in {"lib-one", "lib-two", "openssl", "scipy"}]
        assert mine == [
            "lib-one: constraints.txt line 1 wants lib-one<1, but 1.0 is installed",
            "lib-two: environment.yml wants lib-two==3 from pip, but 1.0 is installed",
            "openssl: environment.yml wants openssl=3.2.*, but 3.1.4 hd590300_0 is installed",
            "scipy: environment.yml wants scipy, but it is not installed",
        ]
        assert code == 1
        assert err.endswith(f"{len(out.splitlines())} deviations\n")

    def test_as_json(self, aimm: Cli, conda: Path) -> None:
        """What it is about, what is wanted, what is found."""
        found = json.loads(aimm("plugins", "verify", "--environment", conda, "--json").out)
        assert {
            "name": "scipy",
            "wanted": "environment.yml wants scipy",
            "found": "but it is not installed",
        } in found

    def test_after_an_uninstallation(self, uv: Cli, place: Place, conda: Path) -> None:
        """``uninstall --environment`` verifies afterwards: what conda needs is still as it should be, or it is said."""
        place.install("acme-b")
        code, out, err = uv("uninstall", "acme-b", "--yes", "--environment", conda)
        assert "done: 1 to remove" in err
        assert "openssl: environment.yml wants openssl=3.2.*, but 3.1.4 hd590300_0 is installed" in out
        assert code == 1

    def test_what_conda_installed_stays(self, uv: Cli, place: Place, links: Path) -> None:
        """It is no business of an uninstallation."""
        (place.add("mkl-service", "2.4") / "INSTALLER").write_text("conda\n")
        make_wheel(links, "acme-n", entry_points=entry_points("acme-n"), requires=["mkl-service"])
        place.install("acme-n")
        done = json.loads(uv("uninstall", "acme-n", "--yes", "--json").out)
        assert [(step["name"], step["why"]) for step in done["keep"]] == [("mkl-service", "installed by conda")]
        assert (place.site / "mkl_service-2.4.dist-info").exists()

    @pytest.mark.usefixtures("links")
    def test_what_is_missing(self, aimm: Cli, place: Place) -> None:
        """A requirement that is not met, and one that is not met by the version."""
        place.uv("install", "--no-deps", "acme-a", "lib-one==1.0")
        code, out, _ = aimm("plugins", "verify")
        assert code == 1
        assert {
            "lib-one: acme-a 1.0 needs lib-one>=2, but 1.0 is installed",
            "lib-two: lib-one 1.0 needs lib-two, but it is not installed",
            "no-such-program-at-all: acme-a 1.0 needs no-such-program-at-all (>=3), but no such program or library is "
            "on this machine",
        } <= set(out.splitlines())


class TestFreezeAndRestore:
    """``freeze`` writes the plugins down, and ``restore`` brings them back."""

    def test_into_a_fresh_environment(
        self, aimm: Cli, uv: Cli, place: Place, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same versions, extras and dependencies included, although newer ones are there by now."""
        place.install("acme-a", gpu=True)
        place.install("acme-b")
        assert aimm("plugins", "freeze", "-o", tmp_path / "plugins.txt").code == 0
        make_wheel(links, "lib-one", "3.0", modules={"lib_one": ""})
        sys.path.remove(str(place.site))
        fresh = Place(tmp_path / "second", monkeypatch)
        done = uv("restore", tmp_path / "plugins.txt", "--yes")
        assert done.code == 0, done.err
        names = ("acme_a-1.0", "acme_b-1.0", "lib_gpu-1.0", "lib_one-2.0", "lib_two-1.0")
        assert sorted(path.name for path in fresh.site.glob("*.dist-info")) == [f"{name}.dist-info" for name in names]
        assert aimm("plugins", "freeze", "-o", tmp_path / "again.txt").code == 0
        assert (tmp_path / "again.txt").read_text() == (tmp_path / "plugins.txt").read_text()

    def test_without_plugins(self, aimm: Cli, place: Place) -> None:
        """The file names none, and restore says so."""
        code, out, err = aimm("plugins", "freeze")
        assert (code, err) == (0, "")
        assert out.startswith("# plugins of aimm, version 1 (aimm-plugins ")
        Path("plugins.txt").write_text(out)
        assert aimm("plugins", "restore", "plugins.txt").err == "plugins.txt names no plugin\n"


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)], ids=["yes", "no"])
def test_on_a_terminal_it_asks(place: Place, answer: str, code: int) -> None:
    """Yes does it, no leaves everything as it was and ends with 1."""
    place.install("acme-b")
    before = place.content()
    command = (*place.aimm, "plugins", "uninstall", "acme-b", "--installer", "uv")
    ended, shown = run_on_terminal(*command, env=place.variables, feed=f"{answer}\n")
    assert ended.code == code, shown
    assert "Go on? [y/N]:" in shown
    assert ("done: 3 to remove" in shown, "nothing was changed" in shown) == (code == 0, code == 1)
    assert (place.content() == before) == (code == 1)


def test_doctor_names_what_the_machine_lacks(process: Cli, site: FakeSite) -> None:
    """``Requires-External`` of a plugin that is otherwise fine."""
    site.add(
        "acme-gpu",
        entry_points={"aimm.models": {"gpu": "acme_gpu:Model"}},
        modules={"acme_gpu": class_source("Model")},
        raw_metadata="Metadata-Version: 2.1\nName: acme-gpu\nVersion: 1.0\nRequires-External: no-such-driver\n",
    )
    done = process("plugins", "doctor")
    assert "needs no-such-driver, which is not on this machine" in done.out
