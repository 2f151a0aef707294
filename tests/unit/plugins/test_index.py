import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from aimm.plugins import _cache, _scan
from aimm.plugins._index import Index, canonical_name, escaped, first_line, index_text, is_bare, search_path
from aimm.plugins._scan import Declared, IndexEntry, IndexProblem
from support import FakeSite

MODELS = {"aimm.models": {"forest": "forest_mod:Forest"}}
Scans = Callable[[], int]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything counts as old enough for its stamp, however young."""
    monkeypatch.setattr(_cache, "_SETTLED", -3600)


@pytest.fixture
def scans(settled: None, monkeypatch: pytest.MonkeyPatch) -> Scans:
    """How often the distributions were read since last asked."""
    made: list[object] = []
    scan = _scan.scan
    monkeypatch.setattr(_scan, "scan", lambda path: made.append(path) or scan(path))

    def count() -> int:
        number = len(made)
        made.clear()
        return number

    return count


def later() -> None:
    """Let the clock of the file system go on: some tick only every few milliseconds."""
    time.sleep(0.02)


def names(index: Index) -> list[str]:
    return [row[1] for row in index.declared()]


# What is answered


def test_sys_path_is_searched(site: FakeSite) -> None:
    """The folders that imports use."""
    site.add("d", entry_points=MODELS)
    assert names(Index()) == ["forest"]


def test_relative_folders_count_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty one is the current one, as for imports; what is no text is passed over."""
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", "sub", "/abs", 7])
    assert search_path() == [f"{tmp_path}/", f"{tmp_path}/sub", "/abs"]


def test_without_a_current_folder_relative_ones_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was deleted, say."""
    (tmp_path / "gone").mkdir()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setattr(sys, "path", ["", "sub", "/abs"])
    assert search_path() == ["/abs"]


def test_an_entry_has_seven_fields(site: FakeSite) -> None:
    """Group, name, value, distribution, version, summary and the file that declares it."""
    info = site.add("my-dist", "2.1", MODELS, summary="Trees")
    row = ["aimm.models", "forest", "forest_mod:Forest", "my-dist", "2.1", "Trees", str(info / "entry_points.txt")]
    assert Index().named("aimm.models", "forest") == Index().declared() == [row]


def test_a_class_answers_to_its_canonical_name(site: FakeSite) -> None:
    """Beside those that are declared under that very name."""
    site.add("a", entry_points={"aimm.models": {"m": "pkg.mod : Forest [x]"}})
    site.add("b", entry_points={"aimm.models": {"pkg.mod.Forest": "other:Forest"}})
    assert [row[3] for row in Index().named("aimm.models", "pkg.mod.Forest")] == ["b", "a"]
    assert Index().named("aimm.data_access", "pkg.mod.Forest") == []


@pytest.mark.parametrize("name", ["fores", "forest2", "", "aimm.models\tforest", "Forest"])
def test_a_name_is_met_as_a_whole(site: FakeSite, name: str) -> None:
    """Neither its beginning nor its continuation."""
    site.add("d", entry_points=MODELS)
    assert Index().named("aimm.models", name) == []


def test_a_group_is_met_as_a_whole(site: FakeSite) -> None:
    """With the tab behind it."""
    site.add("d", entry_points={"aimm.train": {"c": "m:c"}, **MODELS})
    assert [row[1] for row in Index().declared("aimm.train\t")] == ["c"]


field = st.text(st.sampled_from("ab\\\t\n\r=![] :.\x85é\udc80"), min_size=1, max_size=6)
entries = st.lists(st.builds(IndexEntry, st.sampled_from(_scan.GROUPS), *[field] * 5, st.just("/p")), max_size=8)
problems = st.lists(st.builds(IndexProblem, field, field, field), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(entries=entries, problems=problems)
def test_the_text_says_what_was_found(
    entries: list[IndexEntry], problems: list[IndexProblem], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every entry point and problem comes back from the text; by each of its names and by its group."""
    declared = Declared(tuple(sorted(set(entries))), tuple(sorted(set(problems))), {"/p": "1,2"})
    monkeypatch.setattr(_scan, "scan", lambda path: declared)
    monkeypatch.setenv("AIMM_NO_CACHE", "1")
    index = Index([])
    assert sorted(index.declared()) == sorted(map(list, declared.entries))
    assert index.problems() == sorted(map(list, declared.problems))
    for entry in declared.entries:
        assert list(entry) in index.named(entry.group, entry.name)
        assert list(entry) in index.named(
            entry.group, canonical_name(entry.group, entry.name, entry.value) or entry.name
        )
        same = [list(e) for e in declared.entries if e.group == entry.group and e.name == entry.name]
        assert sorted(row for row in index.named(entry.group, entry.name) if row[1] == entry.name) == same


@given(lines=st.lists(st.text("abc\t\\", min_size=1, max_size=5)), start=st.text("abc\t", min_size=1, max_size=3))
def test_the_first_line_is_found_among_sorted_ones(lines: list[str], start: str) -> None:
    """Where a search from the beginning finds it, if every line is as long as what is sought."""
    rows = sorted(line + "\t" * 3 for line in lines)
    text = "\n".join(("stamps", *rows, ""))
    expected = next((row for row in rows if row.startswith(start)), None)
    found = text[first_line(text, start) :].partition("\n")[0]
    assert (found if found.startswith(start) else None) == expected


def test_no_field_breaks_a_line() -> None:
    """Tabs, line breaks and the backslash itself."""
    assert escaped("a\tb\nc\\") == "a\\tb\\nc\\\\"
    entry = IndexEntry("aimm.train", "a\nb", "c\td", "d", "1", "", "/p")
    assert index_text(Declared((entry,), (), {"/p": "1,2"}), ["x"]) == (
        "x\naimm.train\ta\\nb\tc\\td\td\t1\t\t/p\t1,2\n"
    )


# The cache


def test_a_second_index_reads_no_distribution(site: FakeSite, scans: Scans) -> None:
    """Nor does asking it for what there is."""
    site.add("d", entry_points=MODELS)
    first = Index()
    assert scans() == 1
    second = Index()
    assert second.named("aimm.models", "forest") == first.named("aimm.models", "forest")
    assert second.declared() == first.declared()
    assert second.problems() == first.problems() == []
    assert scans() == 0


def test_an_unknown_name_is_looked_for_once(site: FakeSite, scans: Scans) -> None:
    """It may stand in a file that declared nothing before; who has another owner in mind need not wait for that."""
    site.add("d", entry_points=MODELS)
    Index()
    index = Index()
    scans()
    assert index.named("aimm.models", "x", wanted=False) == []
    assert scans() == 0
    assert index.named("aimm.models", "x") == index.named("aimm.models", "y") == []
    assert scans() == 1


def test_what_changed_just_now_is_not_kept(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another change in the same moment would go unnoticed; two seconds later it is kept."""
    site.add("d", entry_points=MODELS)
    Index()
    assert not (Path(os.environ["XDG_CACHE_HOME"]) / "aimm").exists()
    time.sleep(2.1)
    Index()
    assert (Path(os.environ["XDG_CACHE_HOME"]) / "aimm").exists()


def test_a_clock_that_was_set_back_keeps_nothing(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """By it, the files will change only tomorrow; the answers are right all the same, before and after."""
    site.add("d", entry_points=MODELS)
    time.sleep(2.1)
    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() - 86400)
        assert names(Index()) == ["forest"]
        assert not (Path(os.environ["XDG_CACHE_HOME"]) / "aimm").exists()
    Index()
    site.add("e", entry_points={"aimm.models": {"new": "x"}})
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() - 86400)
        assert names(Index()) == ["forest", "new"]


def grown(site: FakeSite) -> None:
    site.add("e", entry_points={"aimm.models": {"new": "x"}})


def shrunk(site: FakeSite) -> None:
    site.remove("d")


def edited(site: FakeSite) -> None:
    site.add("d", entry_points={"aimm.models": {"forest": "other_mod:Forest"}})


def upgraded(site: FakeSite) -> None:
    site.remove("d")
    site.add("d", "2.0", MODELS)


def renamed(site: FakeSite) -> None:
    site.add("d", entry_points={"aimm.models": {"tree": "forest_mod:Forest"}})


def re_described(site: FakeSite) -> None:
    site.add("d", entry_points=MODELS, raw_metadata="Metadata-Version: 2.1\nName: d\nVersion: 1.0.post1\n")


def broken(site: FakeSite) -> None:
    site.add("d", raw_entry_points=b"[aimm.models]\nnonsense\n")


def repaired(site: FakeSite) -> None:
    site.add("bad", entry_points={"aimm.models": {"good": "x"}})


CHANGES = [grown, shrunk, edited, upgraded, renamed, re_described, broken, repaired]


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_about_a_name_is_never_stale(
    site: FakeSite, scans: Scans, change: Callable[[FakeSite], None]
) -> None:
    """After any change, before and behind the moment at which the cache is read: as if there were no cache."""
    site.add("d", entry_points=MODELS)
    site.add("bad", raw_entry_points="[aimm.models]\nnonsense\n")
    site.add("stranger", entry_points={"console_scripts": {"x": "y"}})
    Index()
    early = Index()
    assert scans() == 1
    later()
    change(site)
    late, fresh = Index(), _scan.scan(search_path())
    for name in ("forest", "forest_mod.Forest", "new", "tree", "good"):
        expected = [list(e) for e in fresh.entries if name in (e.name, canonical_name(e.group, e.name, e.value))]
        assert early.named("aimm.models", name) == expected
        assert late.named("aimm.models", name) == expected


@pytest.mark.parametrize("change", [c for c in CHANGES if c is not re_described])
def test_a_list_is_never_stale(site: FakeSite, scans: Scans, change: Callable[[FakeSite], None]) -> None:
    """Nor is that of what cannot be used."""
    site.add("d", entry_points=MODELS)
    site.add("bad", raw_entry_points="[aimm.models]\nnonsense\n")
    Index()
    later()
    change(site)
    index, fresh = Index(), _scan.scan(search_path())
    assert index.declared() == list(map(list, fresh.entries))
    assert index.problems() == list(map(list, fresh.problems))


def test_an_archive_on_the_path_counts(site: FakeSite, scans: Scans, tmp_path: Path) -> None:
    """Added, replaced in place, and removed again."""
    wheel = tmp_path / "w-1.0-py3-none-any.whl"

    def write(name: str) -> None:
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("w-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: w\nVersion: 1.0\n")
            archive.writestr("w-1.0.dist-info/entry_points.txt", f"[aimm.models]\n{name} = w\n")

    site.add("d", entry_points=MODELS)
    Index()
    write("first")
    sys.path.append(str(wheel))
    assert names(Index()) == ["first", "forest"]
    scans()
    assert names(Index()) == ["first", "forest"]
    assert scans() == 0
    later()
    write("other")
    assert names(Index()) == ["forest", "other"]
    wheel.unlink()
    assert names(Index()) == ["forest"]
    sys.path.remove(str(wheel))
    assert names(Index()) == ["forest"]


def test_the_order_of_the_path_counts(tmp_path: Path, scans: Scans) -> None:
    """The first distribution of a name wins; with another order it is another."""
    for version in ("1", "2"):
        FakeSite(tmp_path / version).add("d", version, MODELS)
    folders = [str(tmp_path / version) for version in ("1", "2")]
    for path in (folders, folders[::-1], folders, folders[::-1]):
        assert [row[4] for row in Index(path).declared()] == [path[0][-1]]
    assert scans() == 2


def test_a_folder_on_the_path_may_come_later(tmp_path: Path, scans: Scans) -> None:
    """``PYTHONPATH`` may name one that does not exist yet."""
    folder = tmp_path / "later"
    assert names(Index([str(folder)])) == []
    later()
    FakeSite(folder).add("d", entry_points=MODELS)
    assert names(Index([str(folder)])) == ["forest"]


def test_changes_in_a_folder_without_metadata_cost_nothing(site: FakeSite, scans: Scans, tmp_path: Path) -> None:
    """The folder of a script is on the path, and scripts write files; a first distribution there is noticed."""
    work = tmp_path / "work"
    work.mkdir()
    sys.path.insert(0, str(work))
    site.add("d", entry_points=MODELS)
    Index()
    scans()
    later()
    (work / "results.csv").touch()
    assert names(Index()) == ["forest"]
    assert scans() == 0
    FakeSite(work).add("e", entry_points={"aimm.models": {"new": "x"}})
    assert names(Index()) == ["forest", "new"]


@pytest.mark.parametrize(
    ("child", "bare"), [("x.py", True), ("X.DIST-INFO", False), ("x.egg-info", False), ("EGG-INFO", False)]
)
def test_a_folder_is_bare_without_metadata(tmp_path: Path, child: str, bare: bool) -> None:
    """Whatever its content otherwise."""
    (tmp_path / child).touch()
    assert is_bare(str(tmp_path)) is bare


def test_what_cannot_be_listed_may_hold_metadata(tmp_path: Path) -> None:
    """An archive, for one; what does not exist holds none."""
    (tmp_path / "x.whl").touch()
    assert not is_bare(str(tmp_path / "x.whl"))
    assert is_bare(str(tmp_path / "nothing"))


def test_a_new_version_of_ours_starts_anew(site: FakeSite, scans: Scans, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may know further groups."""
    import aimm

    site.add("d", entry_points=MODELS)
    Index()
    monkeypatch.setattr(aimm, "__version__", "99")
    assert names(Index()) == ["forest"]
    assert scans() == 2


def test_another_interpreter_has_a_cache_of_its_own(
    site: FakeSite, scans: Scans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both share a home and take turns without reading anew."""
    site.add("d", entry_points=MODELS)
    for executable in ("/a", "/b", "/a", "/b"):
        monkeypatch.setattr(sys, "executable", executable)
        assert names(Index()) == ["forest"]
    assert scans() == 2


def test_without_the_cache_everything_is_read(site: FakeSite, scans: Scans, monkeypatch: pytest.MonkeyPatch) -> None:
    """``AIMM_NO_CACHE=1``."""
    site.add("d", entry_points=MODELS)
    Index()
    monkeypatch.setenv("AIMM_NO_CACHE", "1")
    assert names(Index()) == ["forest"]
    assert scans() == 2


def test_many_processes_may_build_the_index_at_once(site: FakeSite, tmp_path: Path) -> None:
    """Twenty, started together: each answers, and what they leave is whole."""
    for number in range(50):
        site.add(f"d{number}", entry_points={"aimm.models": {f"m{number}": "x"}})
    time.sleep(2.1)
    source = "from aimm.plugins._index import Index; print(sum(row[3][:1] == 'd' for row in Index().declared()))"
    environment = {**os.environ, "PYTHONPATH": str(site.path)}
    command = [sys.executable, "-c", source]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(20)]
    assert [int(process.communicate()[0]) for process in running] == [50] * 20
    (file,) = (tmp_path / "cache" / "aimm").iterdir()
    head, _, body = file.read_bytes().partition(b"\n")
    assert head == _cache._head(body)
