"""Training commands as their users get them: installed by pip, saving to disk and to a real S3 protocol server."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments import Environment, make_environment, make_wheel, once
from integration.s3 import CREDENTIALS, CutWire, s3_server

SETUP = """
from setuptools import setup

setup(
    name='aimm_gauge',
    version='0.1',
    description='Training plugin for aimm',
    packages=['aimm_gauge'],
    install_requires=[
        'Click',
    ],
    entry_points='''
        [aimm.plugins.train]
        gauge=aimm_gauge.core:gauge
    '''
)
"""
"""The skeleton of ``setup.py`` as ravenML gives it, with ``ravenml`` replaced by ``aimm``."""

CORE = """
import click
from aimm.train.options import kfold_opt, pass_train
from aimm.train.interfaces import TrainInput, TrainOutput

@click.group(help='Top level command group description')
@click.pass_context
@kfold_opt
def gauge(ctx, kfold):
    pass

@gauge.command()
@pass_train
@click.pass_context
def train(ctx, train: TrainInput):
    # after training, create an instance of TrainOutput and return it
    result = TrainOutput()
    return result               # return result back up the command chain
"""

WRITER = """
import click
from aimm.train.interfaces import TrainOutput
from aimm.train.options import pass_train

@click.command()
@click.option("--megabytes", default=0)
@pass_train
def write(train, megabytes):
    model, big = train.work_path / "model.bin", train.work_path / "big.bin"
    model.write_bytes(b"abc")
    big.write_bytes(bytes(megabytes * 1_000_000))
    return TrainOutput(model, [big], {"size": megabytes})
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A training plugin in the layout of ravenML, in a git repository."""
    project = tmp_path / "aimm_gauge"
    (project / "aimm_gauge").mkdir(parents=True)
    (project / "setup.py").write_text(SETUP)
    (project / "aimm_gauge" / "__init__.py").touch()
    (project / "aimm_gauge" / "core.py").write_text(CORE)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", project)
    subprocess.run([*git, "init", "-q"], check=True)
    (project / ".gitignore").write_text("*.egg-info\n__pycache__\nbuild\n")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "all"], check=True)
    return project


def metadata(run: Path) -> dict:  # type: ignore[type-arg]
    return json.loads((run / "metadata.json").read_text())


def test_a_ravenml_plugin_is_installed_and_trains(venv: Environment, project: Path, tmp_path: Path) -> None:
    """With its own ``setup.py`` and entry-point group: listed, run, saved with its version."""
    venv.install(project)
    assert json.loads(venv.aimm("train", "list", "--json").out)[0]["distribution"].replace("_", "-") == "aimm-gauge"
    done = venv.aimm("train", "--artifact-path", tmp_path / "run", "gauge", "train")
    assert done.code == 0, done.err
    assert metadata(tmp_path / "run")["plugin"]["version"] == "0.1"
    assert metadata(tmp_path / "run")["plugin"]["editable"] is False


def test_an_editable_plugin_leaves_its_commit(venv: Environment, project: Path, tmp_path: Path) -> None:
    """The commit of the checkout, and whether it had changes."""
    venv.install_editable(project)
    for name, dirty in (("clean", False), ("dirty", True)):
        done = venv.aimm("train", "--artifact-path", tmp_path / name, "gauge", "train")
        assert done.code == 0, done.err
        facts = metadata(tmp_path / name)["plugin"]
        head = subprocess.run(["git", "-C", project, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        assert (facts["editable"], facts["git"]) == (True, {"commit": head.stdout.strip(), "dirty": dirty})
        (project / "aimm_gauge" / "core.py").write_text(CORE + "# changed\n")


@pytest.fixture(scope="session")
def s3_environment(workshop: Path, base: Path, aimm_wheel: Path) -> Environment:
    """An environment with s3fs, the server, and a training command ``write``."""

    def make(path: Path) -> None:
        made = make_environment(path, base, aimm_wheel)
        made.pip("install", "moto[s3]", "flask", "flask-cors", "s3fs")
        made.install(make_wheel(path, "writer", "1.0", {"aimm.train": {"write": "writer:write"}}, {"writer": WRITER}))

    return Environment(once(workshop, "s3", make), base)


@pytest.fixture
def port(s3_environment: Environment) -> Iterator[int]:
    """The port of a server with an empty bucket ``bucket``."""
    with s3_server(s3_environment) as port:
        s3_environment.variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        made = s3_environment.run_python("import s3fs; s3fs.S3FileSystem().mkdir('bucket')")
        assert made.code == 0, made.err
        yield port


def train(environment: Environment, *options: str | Path, **variables: str) -> tuple[int, str, str]:
    command = ("train", "--no-input", "--artifact-path", "s3://bucket/runs/one", *options)
    return environment.aimm(*command, **variables)


@pytest.mark.timeout(900)
def test_a_run_goes_to_s3_and_comes_back(s3_environment: Environment, port: int) -> None:
    """Uploaded whole, listed, shown, safe from a second run, and replaced on request."""
    code, out, err = train(s3_environment, "write", "--megabytes", "1")
    assert (code, out) == (0, "s3://bucket/runs/one\n"), err
    (run,) = json.loads(s3_environment.aimm("runs", "list", "s3://bucket/runs", "--json").out)
    assert {file["name"]: file["size"] for file in run["files"]} == {"model.bin": 3, "big.bin": 1_000_000}
    names = s3_environment.run_python("import s3fs; print(*s3fs.S3FileSystem().find('bucket'))").out.split()
    assert names == [f"bucket/runs/one/{name}" for name in ("big.bin", "metadata.json", "model.bin")]
    code, _, err = train(s3_environment, "write")
    assert code == 1
    assert "a finished run stands at s3://bucket/runs/one" in err
    assert train(s3_environment, "--overwrite", "write")[0] == 0
    shown = json.loads(s3_environment.aimm("runs", "show", "s3://bucket/runs/one", "--json").out)
    assert shown["metrics"] == {"size": 0}


@pytest.mark.timeout(900)
def test_a_lost_connection_leaves_no_run(s3_environment: Environment, port: int, tmp_path: Path) -> None:
    """Cut off in the middle of a file: the message says what is kept and where; nothing half can be seen."""
    wire = CutWire(port, after=5_000_000)
    cache = {"XDG_CACHE_HOME": str(tmp_path), "AWS_ENDPOINT_URL": f"http://127.0.0.1:{wire.port}"}
    try:
        code, out, err = train(s3_environment, "write", "--megabytes", "20", **cache)
    finally:
        wire.cut()
    assert (code, out) == (1, "")
    assert "the run could not be saved to s3://bucket/runs/one" in err
    assert "(1 of 3 files were written). It is not visible there" in err
    kept = next(Path(line.strip()) for line in err.splitlines() if line.startswith(f"  {tmp_path}"))
    assert (kept / "big.bin").stat().st_size == 20_000_000
    assert metadata(kept)["metrics"] == {"size": 20}
    assert "left over under s3://bucket/runs/one/.incoming-" in err
    assert s3_environment.aimm("runs", "list", "s3://bucket/runs", "--json").out == "[]\n"
    assert train(s3_environment, "write")[0] == 0


@pytest.mark.timeout(900)
def test_data_comes_from_s3(s3_environment: Environment, port: int, tmp_path: Path) -> None:
    """A data set may be a URL: it is copied once, and its digest is that of its content."""
    script = """
        import sys, s3fs
        from aimm.train import TrainInput
        s3fs.S3FileSystem().pipe_file("bucket/data/a.csv", b"x\\n1\\n")
        train = TrainInput(dataset="s3://bucket/data", plugin_cache=sys.argv[1])
        first = train.dataset.path
        assert (first / "a.csv").read_text() == "x\\n1\\n"
        assert TrainInput(dataset="s3://bucket/data", plugin_cache=sys.argv[1]).dataset.path == first
        s3fs.S3FileSystem().pipe_file("bucket/data/a.csv", b"x\\n2\\n")
        s3fs.S3FileSystem.clear_instance_cache()
        second = TrainInput(dataset="s3://bucket/data", plugin_cache=sys.argv[1]).dataset.path
        assert (second / "a.csv").read_text() == "x\\n2\\n"
        print(train.dataset.describe()["digest"][:7])
    """
    done = s3_environment.run_python(script, tmp_path)
    assert (done.code, done.out) == (0, "sha256:\n"), done.err
