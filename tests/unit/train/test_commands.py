"""``aimm train``: mounting, building the input, saving the output; and ``aimm runs``."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

from aimm.plugins import PluginManager, _cache, _scan
from support import FakeSite
from terminal import AIMM, Cli, run, run_on_terminal

RUN = ("--dataset", "numbers", "--artifact-path", "run")


def metadata(path: str = "run") -> dict:  # type: ignore[type-arg]
    return json.loads((Path(path) / "metadata.json").read_text())


class TestMounting:
    """Training commands are listed without an import and loaded when they are invoked."""

    def test_help_imports_nothing(self, aimm: Cli, trainer: FakeSite) -> None:
        """The listing shows names with dashes, and the summaries of distributions."""
        assert "mean-of  Means of numbers" in aimm("train", "--help").out
        assert "trainers" not in sys.modules

    def test_help_gives_each_command_a_line(self, aimm: Cli, site: FakeSite) -> None:
        """A summary that is too long for it is cut off between two words."""
        site.add("a", "1", {"aimm.train": {"long": "a:a"}}, {"a": ""}, "many words " * 30)
        (line,) = [line for line in aimm("train", "--help").out.splitlines() if line.startswith("  long  many")]
        assert len(line) <= 80
        assert line.endswith(("many...", "words..."))

    def test_a_stored_index_knows_both_spellings(self, site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
        """A command that is declared twice, an alias group and a left-over one, in what the last process stored."""
        monkeypatch.setattr(_cache, "_SETTLED", -3600)
        source = "import click\nmean = click.Group('mean')"
        site.add("one", entry_points={"aimm.plugins.train": {"mean_of": "m:mean"}}, modules={"m": source})
        site.add("two", entry_points={"aimm.train": {"mean-of": "m:mean"}})
        site.add("late", entry_points={"ravenml.plugins.train": {"old": "old:old"}})
        first = PluginManager()
        first.initialize()
        monkeypatch.setattr(_scan, "scan", lambda path: pytest.fail("read anew"))
        for manager in (first, PluginManager()):
            manager.initialize()
            for name in ("mean-of", "mean_of"):
                assert manager.target("aimm.train", name).name == "mean"
            assert [problem.distribution for problem in manager.discover().problems] == ["late"]

    @pytest.mark.parametrize("name", ["mean-of", "mean_of"])
    def test_both_spellings_work(self, aimm: Cli, trainer: FakeSite, name: str) -> None:
        """Underscores are accepted in the place of dashes."""
        done = aimm("train", name, "--help")
        assert (done.code, done.err) == (0, "")
        assert "Fit means." in done.out

    def test_a_list_shows_who_brings_what(self, aimm: Cli, trainer: FakeSite) -> None:
        """Name, distribution, version and summary; nothing is imported."""
        rows = json.loads(aimm("train", "list", "--json").out)
        assert rows == [
            {
                "name": "mean-of",
                "distribution": "trainers",
                "version": "2.1",
                "status": "ok",
                "summary": "Means of numbers",
            }
        ]
        assert aimm("train", "list").out.split()[-7:-2] == ["mean-of", "trainers", "2.1", "ok", "Means"]
        assert "trainers" not in sys.modules

    def test_an_empty_list_says_so(self, aimm: Cli) -> None:
        """Without a training command, stdout stays empty and stderr tells."""
        assert aimm("train", "list") == (0, "", "no training command is installed\n")

    def test_a_broken_plugin_fails_alone(self, aimm: Cli, trainer: FakeSite) -> None:
        """It is listed, fails with its reason when it is invoked, and the other one works."""
        trainer.add("bad", "3.0", {"aimm.train": {"bad": "bad_train:cli"}}, {"bad_train": "import no_such_module"})
        assert "bad" in aimm("train", "--help").out
        broken = aimm("train", "bad", "fit")
        assert broken.code == 1
        assert "training command 'bad' is not available" in broken.err
        assert "distribution bad 3.0" in broken.err
        assert "no_such_module" in broken.err
        assert aimm("train", "mean-of", "--help").code == 0

    def test_metadata_that_cannot_be_read_is_pointed_at(self, aimm: Cli, trainer: FakeSite) -> None:
        """The other commands are listed all the same."""
        info = trainer.add("torn", entry_points={"aimm.train": {"torn": "torn:cli"}})
        (info / "METADATA").write_bytes(b"\xff\xfe")
        done = aimm("train", "list")
        assert "mean-of" in done.out
        assert done.err == "metadata problems: 1; 'aimm plugins doctor' explains them\n"

    def test_what_is_no_command_is_refused(self, aimm: Cli, site: FakeSite) -> None:
        """An entry point that names a plain function explains what it should name."""
        site.add("f", entry_points={"aimm.train": {"f": "f_train:f"}}, modules={"f_train": "def f(): pass"})
        done = aimm("train", "f")
        assert done.code == 1
        assert "f_train:f must be a click group or command" in done.err

    def test_a_conflict_is_explained(self, aimm: Cli, trainer: FakeSite, tmp_path: Path) -> None:
        """Two plugins whose names differ in a dash are rivals: both are named, and ``prefer:`` settles it."""
        trainer.add("rival", "1.0", {"aimm.train": {"mean-of": "rival:cli"}}, {"rival": "raise SystemExit"})
        assert "(claimed by rival and by trainers)" in aimm("train", "--help").out
        assert [row["status"] for row in json.loads(aimm("train", "list", "--json").out)] == ["contested"] * 2
        done = aimm("train", "mean-of", "--help")
        assert done.code == 1
        assert "rival 1.0" in done.err
        assert "prefer: {mean-of: trainers}" in done.err
        (tmp_path / "aimm.yaml").write_text("names: []\nprefer: {mean-of: trainers}\n")
        assert aimm("--config", "aimm.yaml", "train", "mean-of", "--help").code == 0

    def test_a_misspelt_name_gets_a_suggestion(self, aimm: Cli, trainer: FakeSite) -> None:
        """A near miss is answered with the name that exists."""
        done = aimm("train", "mean_off")
        assert done.code == 2
        assert "no training command is called 'mean_off'; did you mean 'mean-of'?" in done.err
        assert "no training command is called 'xyz'; installed: mean-of" in aimm("train", "xyz").err
        trainer.remove("trainers", "2.1")
        assert "no training command is called 'xyz'; none is installed" in aimm("train", "xyz").err

    def test_a_name_of_ours_hides_a_plugin(self, aimm: Cli, site: FakeSite) -> None:
        """A training command called ``list`` is said to be out of reach."""
        site.add("l", entry_points={"aimm.train": {"list": "l_train:cli"}}, modules={"l_train": "raise SystemExit"})
        done = aimm("train", "list")
        assert "hidden" in done.out
        assert "cannot be reached" in done.err

    def test_safe_mode_mounts_none(self, aimm: Cli, trainer: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
        """With ``--safe`` no third-party command is there."""
        monkeypatch.setenv("AIMM_SAFE_MODE", "1")
        assert "mean-of" not in aimm("train", "--help").out
        assert "safe mode" in aimm("train", "list").err

    def test_names_are_completed_without_an_import(self, trainer: FakeSite) -> None:
        """Completion knows the names, both spellings begun."""
        trainer.add("bad", entry_points={"aimm.train": {"mean-bad": "bad:cli"}}, modules={"bad": "raise SystemExit"})
        begun = {"COMP_WORDS": "aimm train mean_", "COMP_CWORD": "2"}
        inside = {"COMP_WORDS": "aimm train mean-bad ", "COMP_CWORD": "3"}
        variables = {"_AIMM_COMPLETE": "bash_complete", "PYTHONPATH": str(trainer.path)}
        assert run(*AIMM, env=variables | begun).out.split() == ["plain,mean-bad", "plain,mean-of"]
        assert "Traceback" not in run(*AIMM, env=variables | inside).err


class TestInput:
    """What a command gets, and what is said if it lacks something."""

    def test_options_make_an_input(self, aimm: Cli, trainer: FakeSite) -> None:
        """A data set with arguments and an artifact path are enough."""
        done = aimm("train", *RUN, "--dataset-param", "count=4", "mean-of", "fit", "--shift", "1")
        assert done.code == 0, done.err
        assert json.loads(Path("run/model.json").read_text()) == 2.5
        assert metadata()["dataset"]["arguments"] == {"count": 4}

    @pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
    def test_a_file_makes_an_input(self, aimm: Cli, trainer: FakeSite, suffix: str) -> None:
        """The same from a configuration in any of three languages."""
        text = {
            "yaml": "dataset: {name: numbers, arguments: {count: 3}}\nartifact_path: run\nmetadata: {created_by: Ada}",
            "toml": 'artifact_path = "run"\ndataset = {name = "numbers", arguments = {count = 3}}\n'
            'metadata = {created_by = "Ada"}',
            "json": '{"artifact_path": "run", "dataset": {"name": "numbers", "arguments": {"count": 3}}, '
            '"metadata": {"created_by": "Ada"}}',
        }
        Path(f"train.{suffix}").write_text(text[suffix])
        done = aimm("train", "--config", f"train.{suffix}", "mean-of", "fit")
        assert done.code == 0, done.err
        assert (metadata()["created_by"], metadata()["metrics"]) == ("Ada", {"error": pytest.approx(2 / 3)})

    def test_placeholders_name_each_run(self, aimm: Cli, trainer: FakeSite) -> None:
        """The artifact path may hold the command and the time."""
        done = aimm("train", "--dataset", "numbers", "--artifact-path", "runs/{command}-{time}", "mean-of", "fit")
        (run,) = Path("runs").iterdir()
        assert run.name.startswith("mean-of-2")
        assert done.out == f"{run.resolve()}\n"

    def test_the_variable_is_the_last_resort(
        self, aimm: Cli, trainer: FakeSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """AIMM_ARTIFACT_PATH counts where neither an option nor the file gives a path."""
        monkeypatch.setenv("AIMM_ARTIFACT_PATH", "from-variable")
        assert aimm("train", "--dataset", "numbers", "mean-of", "fit").code == 0
        assert Path("from-variable/metadata.json").exists()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--no-input", "mean-of", "fit"), "needs 'artifact_path'"),
            (("--artifact-path", "run", "mean-of", "fit"), "needs 'dataset'"),
            (("--artifact-path", "run", "mean-of", "needy"), "needs 'plugin.optimizer'"),
        ],
    )
    def test_what_is_missing_is_named(
        self, aimm: Cli, trainer: FakeSite, arguments: tuple[str, ...], message: str
    ) -> None:
        """Without a terminal nobody is asked: the key, and the ways to give it, are the answer."""
        done = aimm("train", *arguments)
        assert done.code == 2
        assert message in done.err
        assert "'aimm train --config FILE'" in done.err
        assert not Path("run").exists()

    def test_a_key_missing_in_a_file_names_the_file(self, aimm: Cli, trainer: FakeSite) -> None:
        """The place to put it is the file that was given."""
        Path("train.yaml").write_text("artifact_path: run\nplugin: {optimizer: {}}\n")
        done = aimm("train", "--config", "train.yaml", "mean-of", "needy")
        assert done.code == 2
        assert "put 'plugin.optimizer.rate:' into train.yaml" in done.err

    @pytest.mark.parametrize(
        ("option", "place"),
        [("--dataset", "aimm train"), ("--kfold", "aimm train mean-of"), ("-k", "aimm train mean-of")],
    )
    def test_an_option_in_the_wrong_place_is_sent_to_its_own(
        self, aimm: Cli, trainer: FakeSite, option: str, place: str
    ) -> None:
        """Options of ``aimm train`` and of the group stand in front of the command."""
        done = aimm("train", "mean-of", "fit", option, "3")
        assert done.code == 2
        assert f"{option} goes before the command: {place} {option} ..." in done.err

    def test_dataset_arguments_need_a_dataset(self, aimm: Cli, trainer: FakeSite) -> None:
        """``--dataset-param`` alone has nothing to go to."""
        done = aimm("train", "--dataset-param", "count=4", "mean-of", "fit")
        assert done.code == 2
        assert "--dataset-param needs --dataset" in done.err

    def test_on_a_terminal_what_is_missing_is_asked_for(self, trainer: FakeSite, tmp_path: Path) -> None:
        """Artifact path, user, comments and data set are asked for, in the order in which they are needed."""
        answers = "asked\nAda\nfirst try\nnumbers\n"
        command = (*AIMM, "train", "mean-of", "fit")
        shown = run_on_terminal(*command, env={"PYTHONPATH": str(trainer.path)}, feed=answers)[1]
        assert "Where to save the run" in shown
        saved = metadata("asked")
        assert (saved["created_by"], saved["comments"]) == ("Ada", "first try")
        assert saved["dataset"]["source"] == "numbers"

    def test_on_a_terminal_too_nothing_is_asked_for_if_so_wished(self, trainer: FakeSite) -> None:
        """With ``--no-input`` what is missing is an error there as well."""
        command = (*AIMM, "train", "--no-input", "mean-of", "fit")
        done, shown = run_on_terminal(*command, env={"PYTHONPATH": str(trainer.path)}, feed="asked\n" * 4)
        assert (done.code, "needs 'artifact_path'" in shown) == (2, True)
        assert not Path("asked").exists()


class TestOutput:
    """What a command returns is saved, or it is said why not."""

    def test_the_run_is_described(self, aimm: Cli, trainer: FakeSite) -> None:
        """metadata.json has who, when, with what and what came of it."""
        Path("train.yaml").write_text("metadata: {created_by: Ada, comments: why not, project: x}\nplugin: {a: 1}\n")
        assert aimm("train", "-c", "train.yaml", *RUN, "mean-of", "fit").code == 0
        saved = metadata()
        assert (saved["created_by"], saved["comments"], saved["metadata"]) == ("Ada", "why not", {"project": "x"})
        assert saved["started"] <= saved["ended"]
        assert saved["config"]["plugin"] == {"a": 1}
        assert saved["dataset"]["kind"] == "data access"
        assert saved["dataset"]["digest"].startswith("sha256:")
        assert saved["plugin_metadata"] == {"architecture": "mean"}
        assert saved["plugin"]["entry_point"] == "[aimm.train] mean_of = trainers:mean_of"
        assert (saved["plugin"]["version"], saved["plugin"]["editable"]) == ("2.1", False)
        assert saved["python"] == ".".join(map(str, sys.version_info[:3]))
        assert "click" in saved["packages"]
        assert saved["platform"]
        assert [(file["role"], file["name"]) for file in saved["files"]] == [
            ("model", "model.json"),
            ("extra", "plots/log.txt"),
        ]
        assert saved["files"][1]["sha256"] == hashlib.sha256(b"log").hexdigest()
        assert Path("run/plots/log.txt").read_text() == "log"

    def test_json_is_all_there_is_on_stdout(self, aimm: Cli, trainer: FakeSite) -> None:
        """Whatever the command prints while it trains goes to stderr."""
        loud = "import click, trainers\n@click.group()\ndef cli():\n    print('group')\ncli.add_command(trainers.fit)"
        trainer.add("loud", entry_points={"aimm.train": {"loud": "loud:cli"}}, modules={"loud": loud})
        done = aimm("train", "--json", *RUN, "loud", "fit")
        assert json.loads(done.out)["path"] == str(Path("run").resolve())
        assert "group\nchatter" in done.err

    def test_a_finished_run_is_not_overwritten(self, aimm: Cli, trainer: FakeSite) -> None:
        """A second run at the same place is refused before it trains; --overwrite replaces the first."""
        assert aimm("train", *RUN, "mean-of", "fit").code == 0
        Path("run/stale.txt").touch()
        done = aimm("train", *RUN, "mean-of", "fit")
        assert done.code == 1
        assert "a finished run stands at" in done.err
        assert "--overwrite" in done.err
        assert "chatter" not in done.err
        assert aimm("train", "--overwrite", *RUN, "mean-of", "fit", "--shift", "5").code == 0
        assert json.loads(Path("run/model.json").read_text()) == 9.5
        assert not Path("run/stale.txt").exists()

    def test_what_is_no_run_is_never_overwritten(self, aimm: Cli, trainer: FakeSite) -> None:
        """A folder with other files is safe from --overwrite."""
        Path("run").mkdir()
        Path("run/thesis.txt").touch()
        done = aimm("train", "--overwrite", *RUN, "mean-of", "fit")
        assert done.code == 1
        assert "holds something else than a finished run" in done.err
        assert Path("run/thesis.txt").exists()

    def test_a_command_that_returns_nothing_saves_nothing(self, aimm: Cli, trainer: FakeSite) -> None:
        """It succeeds, and leaves nothing behind."""
        assert aimm("train", *RUN, "mean-of", "quiet").code == 0
        assert not Path("run").exists()
        assert list(Path("cache/aimm/train/mean-of/runs").iterdir()) == []

    def test_what_a_failed_command_wrote_is_kept(self, aimm: Cli, trainer: FakeSite) -> None:
        """The error says where."""
        Path("train.yaml").write_text("plugin: {optimizer: {rate: 1}}\n")
        done = aimm("train", "-c", "train.yaml", *RUN, "mean-of", "needy")
        assert done.code == 1
        assert "ValueError: diverged" in done.err
        kept = Path(done.err.rpartition("is kept in ")[2].strip())
        assert (kept / "half.txt").read_text() == "1"

    def test_what_an_interrupted_command_wrote_is_kept(self, aimm: Cli, trainer: FakeSite) -> None:
        """After Ctrl-C too it is said where."""
        source = "from pathlib import Path\nimport click\nfrom aimm.train.options import pass_train\n"
        source += "@click.command()\n@pass_train\ndef slow(train):\n"
        source += "    (train.work_path / 'half').touch()\n    raise KeyboardInterrupt\n"
        trainer.add("slow", entry_points={"aimm.train": {"slow": "slow:slow"}}, modules={"slow": source})
        done = aimm("train", *RUN, "slow")
        assert done.code == 130
        assert done.err.startswith("aimm: interrupted\nwhat it wrote until then is kept in ")
        assert Path(done.err.rpartition("is kept in ")[2].strip(), "half").exists()

    def test_the_work_folder_is_removed_after_saving(self, aimm: Cli, trainer: FakeSite) -> None:
        """The cache of a command does not grow with every run."""
        assert aimm("train", *RUN, "mean-of", "fit").code == 0
        assert list(Path("cache/aimm/train/mean-of/runs").iterdir()) == []

    def test_kfold_joins_the_metrics(self, aimm: Cli, trainer: FakeSite) -> None:
        """Each fold has its files and plugin metadata; metrics have mean, deviation and every value."""
        done = aimm("train", *RUN, "mean-of", "--kfold", "5", "fit")
        assert done.code == 0, done.err
        saved = metadata()
        assert saved["folds"] == 5
        assert len(saved["metrics"]["error"]["folds"]) == 5
        assert saved["metrics"]["error"]["mean"] == pytest.approx(sum(saved["metrics"]["error"]["folds"]) / 5)
        assert saved["plugin_metadata"] == {"folds": [{"architecture": "mean"}] * 5}
        assert sorted(path.name for path in Path("run").iterdir()) == [
            *(f"fold-{n}" for n in range(1, 6)),
            "metadata.json",
        ]

    @pytest.mark.parametrize("value", ["1", "many"])
    def test_kfold_wants_a_number_from_two(self, aimm: Cli, trainer: FakeSite, value: str) -> None:
        """One fold is no cross-validation."""
        done = aimm("train", *RUN, "mean-of", "--kfold", value, "fit")
        assert done.code == 2
        assert "--kfold" in done.err

    def test_kfold_without_an_input_is_said_to_do_nothing(self, aimm: Cli, skeleton: FakeSite) -> None:
        """A command that takes no TrainInput has no folds."""
        assert "--kfold has no effect" in aimm("train", "gauge", "-k", "2", "more", "hello").err

    def test_progress_goes_to_stderr(self, trainer: FakeSite) -> None:
        """On a terminal there is a bar, with the fold beside it."""
        shown = run_on_terminal(
            *AIMM, "train", "--no-input", *RUN, "mean-of", "-k", "2", "fit", env={"PYTHONPATH": str(trainer.path)}
        )[1]
        assert "train mean-of" in shown
        assert "100%" in shown


class TestRuns:
    """``aimm runs`` reads what was saved."""

    @pytest.fixture
    def runs(self, aimm: Cli, trainer: FakeSite) -> Path:
        for name in ("one", "two"):
            run = ("--dataset", "numbers", "--artifact-path", f"runs/{name}", "mean-of", "fit")
            assert aimm("train", *run).code == 0
        Path("runs/.hidden.tmp").mkdir()
        Path("runs/.hidden.tmp/metadata.json").write_text("{}")
        Path("runs/foreign").mkdir()
        Path("runs/foreign/metadata.json").write_text('{"format": "other"}')
        return Path("runs")

    def test_list_shows_finished_runs(self, aimm: Cli, runs: Path) -> None:
        """Unfinished and foreign folders are left out."""
        rows = json.loads(aimm("runs", "list", "runs", "--json").out)
        assert {Path(row["path"]).name for row in rows} == {"one", "two"}
        table = aimm("runs", "list", "runs").out
        assert "mean-of fit" in table
        assert "error=2.5" in table

    def test_list_takes_the_path_of_a_configuration(
        self, aimm: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Up to its first placeholder; and that of the variable."""
        Path("train.yaml").write_text("artifact_path: runs/{command}-{time}\n")
        assert len(json.loads(aimm("runs", "list", "-c", "train.yaml", "--json").out)) == 2
        monkeypatch.setenv("AIMM_ARTIFACT_PATH", "runs/{time}")
        assert len(json.loads(aimm("runs", "list", "--json").out)) == 2

    def test_list_asks_which(self, aimm: Cli) -> None:
        """Without any path it says how to give one."""
        done = aimm("runs", "list")
        assert done.code == 2
        assert "set AIMM_ARTIFACT_PATH" in done.err

    def test_list_of_an_empty_folder_says_so(self, aimm: Cli, tmp_path: Path) -> None:
        """There is a word on stderr."""
        (tmp_path / "empty").mkdir()
        assert "no finished run under" in aimm("runs", "list", "empty").err
        assert "there is no such folder" in aimm("runs", "list", "nowhere").err

    def test_show_tells_everything(self, aimm: Cli, runs: Path) -> None:
        """As lines, and as JSON."""
        shown = aimm("runs", "show", "runs/one").out
        assert "created_by:" in shown
        assert "plots/log.txt" in shown
        assert "metrics.error:" in shown
        assert json.loads(aimm("runs", "show", "runs/one", "--json").out)["format"] == "aimm-run"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "there is no finished run here"),
            ("{", "its metadata.json is damaged"),
            ("[]", "was not written by aimm"),
            ('{"format": "aimm-run", "format_version": 9}', "has format version 9"),
        ],
    )
    def test_show_explains_what_is_no_run(self, aimm: Cli, content: str | None, message: str) -> None:
        """Nothing there, damaged, foreign, or of a later version."""
        Path("run").mkdir()
        if content:
            Path("run/metadata.json").write_text(content)
        done = aimm("runs", "show", "run")
        assert done.code == 1
        assert message in done.err


def test_doctor_examines_training_commands(aimm: Cli, trainer: FakeSite) -> None:
    """A healthy one is loaded; what ravenML would have read is pointed at."""
    trainer.add("old", entry_points={"ravenml.plugins.train": {"old": "old:cli"}}, modules={"old": ""})
    done = aimm("plugins", "doctor")
    assert "'ravenml.plugins.train', which nothing here reads: rename it to 'aimm.train'" in done.out
    assert "2 plugins: 2 ok, 0 broken, 1 other problems" in done.out
