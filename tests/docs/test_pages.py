"""Every fenced block of the documentation and of the README does what the page says; ``docs.pages`` has the rules."""

import sys
from pathlib import Path

import pytest

from docs.pages import (
    ROOT,
    BaseEnvironment,
    PageError,
    PageRun,
    Shell,
    all_pages,
    makes_environment,
    needs_shell,
    read_blocks,
)

PAGES = {str(page.relative_to(ROOT)): page for page in all_pages()}
WITHOUT_SHELL = [name for name, page in PAGES.items() if not needs_shell(page)]
WITH_SHELL = [name for name, page in PAGES.items() if needs_shell(page)]


@pytest.mark.parametrize("name", WITHOUT_SHELL)
def test_page(name: str, tmp_path: Path) -> None:
    """A page of Python runs."""
    sys.path.insert(0, str(tmp_path))
    PageRun(PAGES[name], tmp_path).run()


@pytest.mark.integration
@pytest.mark.parametrize("name", WITH_SHELL)
def test_page_with_commands(name: str, tmp_path: Path, base_environment: BaseEnvironment) -> None:
    """A page with commands runs in a throw-away environment."""
    folder = tmp_path / "page"
    folder.mkdir()
    build_here = not makes_environment(PAGES[name])
    shell = Shell(folder, base_environment.environment(tmp_path / "environment", build_here=build_here))
    try:
        PageRun(PAGES[name], folder, shell).run()
    finally:
        shell.close()


class TestReadme:
    """The README is no page: its sh blocks are the demo and the test command, which ``.ci/run`` runs."""

    def test_blocks(self) -> None:
        """The README has the blocks that the other tests here, and ``.ci/run``, take from it."""
        languages = [block.language for block in read_blocks(ROOT / "README.md")]

        assert languages == ["sh", "sh", "python", "python", "toml"]

    @pytest.mark.integration
    def test_use(self, tmp_path: Path, base_environment: BaseEnvironment) -> None:
        """The first Python block runs where aimm-sklearn is installed."""
        folder = tmp_path / "page"
        folder.mkdir()
        shell = Shell(folder, base_environment.environment(tmp_path / "environment"))
        page = ROOT / "README.md"
        try:
            output, code = shell.run(f"pip install -q --no-compile '{ROOT}/example_plugins/aimm-sklearn'")
            assert code == 0, output
            shell.run_program(page, read_blocks(page)[2])
        finally:
            shell.close()

    @pytest.mark.integration
    def test_plugin(self, tmp_path: Path, base_environment: BaseEnvironment) -> None:
        """The second Python block and the TOML block make a package whose model type works."""
        package = tmp_path / "page" / "my_package"
        package.mkdir(parents=True)
        module, declaration = read_blocks(ROOT / "README.md")[3:]
        head = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        project = '[project]\nname = "my-package"\nversion = "1.0"\n[tool.setuptools]\npackages = ["my_package"]\n'
        (package / "__init__.py").touch()
        (package / "models.py").write_text(module.text, "utf-8")
        (package.parent / "pyproject.toml").write_text(f"{head}\n{project}\n{declaration.text}", "utf-8")
        calls = """
            from aimm import plugins
            plugins.initialize()
            mean = plugins.exec_fit("mean", plugins.exec_instantiate("mean"), None, [1.0, 2.0, 6.0])
            again = plugins.exec_deserialize("mean", plugins.exec_serialize("mean", mean))
            print(plugins.exec_predict("mean", again, None, [[0], [1]])[1])
        """
        (package.parent / "calls.py").write_text("\n".join(map(str.strip, calls.splitlines())), "utf-8")
        shell = Shell(package.parent, base_environment.environment(tmp_path / "environment"))
        try:
            output, code = shell.run("pip install -q . && cd / && python $OLDPWD/calls.py")
        finally:
            shell.close()

        assert (output.split(), code) == (["[3.0,", "3.0]"], 0), output


class TestRunner:
    """A page that does not say the truth fails."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("```python\nprint(1)\n```\n```text\n2\n```\n", r"- 2\n\+ 1"),
            ("```toml\na = 1\n```\n", "nobody writes or prints this 'toml' block"),
            ("Text.\n\n    code\n", "indented code"),
        ],
    )
    def test_refused(self, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A wrong output, a block that nothing uses and code without a language are found."""
        monkeypatch.setattr("docs.pages.ROOT", tmp_path)
        page = tmp_path / "page.md"
        page.write_text(text, "utf-8")

        with pytest.raises(PageError, match=message):
            PageRun(page, tmp_path).run()

    def test_file(self, tmp_path: Path) -> None:
        """A block behind the name of a file is written to it."""
        page = tmp_path / "page.md"
        page.write_text("This is `shop/conf.toml`:\n\n```toml\na = 1\n```\n", "utf-8")

        PageRun(page, tmp_path).run()

        assert (tmp_path / "shop" / "conf.toml").read_text("utf-8") == "a = 1\n"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("```console\n$ echo a\nb\n```\n", r"- b\n\+ a"),
            ("```console\n$ false\n```\n", "the last command failed"),
            ("```console\n$ false\n$ true\n```\n", "the command before this one failed"),
            ("```sh\nfalse\n```\n", "exit code 1"),
        ],
    )
    def test_commands_refused(self, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Commands that print something else, or fail without saying so, are found."""
        monkeypatch.setattr("docs.pages.ROOT", tmp_path)
        page = tmp_path / "page.md"
        page.write_text(text, "utf-8")
        shell = Shell(tmp_path, {"PATH": "/usr/bin:/bin"})
        try:
            with pytest.raises(PageError, match=message):
                PageRun(page, tmp_path, shell).run()
        finally:
            shell.close()
