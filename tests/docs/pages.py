"""Runs a page of the documentation from top to bottom, in an empty folder, as a reader would.

What happens with a fenced block depends on its language and on what stands before it:

* after a paragraph that ends with the name of a file, such as ```` `forest/pyproject.toml`: ````, it is written to that
  file, whatever its language;
* ``python`` is executed. The blocks of a page share one namespace, and modules in the page's folder can be imported.
  In a page with ``sh`` or ``console`` blocks, each ``python`` block is a program of its own instead;
* ``console`` holds commands behind ``$`` and what they print, both streams together. A command that fails must be
  followed by ``$ echo $?``;
* ``sh`` holds commands that must succeed; what they print is not compared;
* any other block must follow a ``python`` block, and is compared with what that printed.

In expected output, ``...`` stands for anything in a line, and for any number of lines if it is alone in one. Lines of
progress (``fit: 50%``) are no part of it: they come when something takes more than a second.

All commands of a page share one shell, whose ``python`` belongs to an
environment of the page's own, with ``aimm`` in it. Directives such as ``{doctest}`` are left to Sphinx.
"""

import contextlib
import difflib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FILE = re.compile(r"`([\w./-]+\.(?:py|toml|yaml|json|csv))`:$")
_PROGRESS = re.compile(r"^[a-z ]+: \d+%.*\n", re.MULTILINE)
_SHELLS = ("sh", "console")


class Block(NamedTuple):
    """One fenced block.

    Attributes:
        language: Its first word; starts with ``{`` if it is a directive.
        text: Its content.
        line: Number of its first line in the page.
        file: The file that it is the content of, if it is.
    """

    language: str
    text: str
    line: int
    file: str | None


class PageError(AssertionError):
    """A block of a page does not do what the page says."""

    def __init__(self, page: Path, line: int, message: str) -> None:
        super().__init__(f"{page.relative_to(ROOT)}:{line}: {message}")


def all_pages() -> list[Path]:
    """Every page of the documentation."""
    return sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)


def read_blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order.

    Raises:
        PageError: There is an indented code block, which has no language and so cannot be checked.
    """
    blocks, paragraph = [], ""
    for token in MarkdownIt("commonmark").parse(page.read_text("utf-8")):
        if token.type == "inline":
            paragraph = token.content
        elif token.type == "code_block":
            raise PageError(page, token.map[0] + 1, "indented code: put it between fences, with a language")
        elif token.type == "fence":
            file = _FILE.search(paragraph)
            language = token.info.split()[0] if token.info.strip() else ""
            blocks.append(Block(language, token.content, token.map[0] + 2, file and file[1]))
        if token.type in ("fence", "heading_open", "html_block"):
            paragraph = ""
    return blocks


def needs_shell(page: Path) -> bool:
    """Whether a page has commands in it."""
    return any(block.language in _SHELLS for block in read_blocks(page))


def check_output(page: Path, line: int, wanted: str, got: str) -> None:
    """Compare what a block printed with what the page says.

    Raises:
        PageError: They differ.
    """
    wanted, got = _tidied(wanted), _tidied(_PROGRESS.sub("", got))
    pattern = "".join(
        "(?:.*\n)*" if text == "...\n" else ".*".join(map(re.escape, text.split("...")))
        for text in wanted.splitlines(keepends=True)
    )
    if not re.fullmatch(pattern, got):
        differences = "".join(difflib.ndiff(wanted.splitlines(keepends=True), got.splitlines(keepends=True)))
        raise PageError(page, line, f"the page says (-), but it prints (+):\n{differences}")


def _tidied(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip().splitlines())


class PageRun:
    """One run of one page.

    Args:
        page: The page.
        folder: The empty folder to run it in.
        shell: Where its commands go; None for a page without any.
    """

    def __init__(self, page: Path, folder: Path, shell: "Shell | None" = None) -> None:
        self._page, self._folder, self._shell = page, folder, shell
        self._namespace: dict[str, Any] = {"__name__": "__main__"}

    def run(self) -> None:
        """Run every block.

        Raises:
            PageError: A block does not do what the page says.
        """
        printed: str | None = None
        for block in read_blocks(self._page):
            if block.language.startswith("{"):
                continue
            if block.file:
                path = self._folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, "utf-8")
            elif block.language == "python":
                printed = self._run_python(block)
                continue
            elif block.language in _SHELLS:
                self._run_commands(block)
            elif printed is None:
                raise PageError(self._page, block.line, f"nobody writes or prints this {block.language!r} block")
            else:
                check_output(self._page, block.line, block.text, printed)
            printed = None

    def _run_python(self, block: Block) -> str:
        if self._shell:
            return self._shell.run_program(self._page, block)
        code = compile("\n" * (block.line - 1) + block.text, str(self._page), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self._namespace)
        return printed.getvalue()

    def _run_commands(self, block: Block) -> None:
        assert self._shell
        if block.language == "sh":
            output, code = self._shell.run(block.text)
            if code:
                raise PageError(self._page, block.line, f"exit code {code}\n{output}")
            return
        failed = 0
        for line, command, wanted in _commands(self._page, block):
            if failed and command != "echo $?":
                raise PageError(self._page, line, f"the command before this one failed ({failed}): add '$ echo $?'")
            output, failed = self._shell.run(command)
            check_output(self._page, line, wanted, output)
        if failed:
            raise PageError(self._page, block.line, f"the last command failed ({failed}): add '$ echo $?'")


def _commands(page: Path, block: Block) -> Iterator[tuple[int, str, str]]:
    """The (line, command, expected output) of a console block; a backslash continues a command on the next line."""
    parts = re.split(r"^\$ ((?:.*\\\n)*.*)\n", block.text, flags=re.MULTILINE)
    if parts[0]:
        raise PageError(page, block.line, "a console block starts with a command: '$ command'")
    line = block.line
    for command, wanted in zip(parts[1::2], parts[2::2], strict=True):
        yield line, command, wanted
        line += command.count("\n") + 1 + wanted.count("\n")


def makes_environment(page: Path) -> bool:
    """Whether a page makes a virtual environment of its own."""
    return "-m venv" in page.read_text("utf-8")


class Shell:
    """A bash that keeps its folder, variables and exit code from one command to the next.

    Args:
        folder: Where it starts.
        env: Its variables.
    """

    _END = "--- end of a documented command ---"

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._folder, self._env = folder, env
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """Run commands and return what they printed, both streams together, and the exit code of the last one."""
        assert self._process.stdin
        assert self._process.stdout
        # stdin is where the next command comes from: what runs must not read it.
        text = f"{{ {command}\n}} </dev/null\n__code=$?; echo; echo '{self._END}' $__code; (exit $__code)\n"
        self._process.stdin.write(text)
        self._process.stdin.flush()
        printed: list[str] = []
        for line in self._process.stdout:
            if line.startswith(self._END):
                return "".join(printed), int(line.removeprefix(self._END))
            printed.append(line)
        raise AssertionError(f"the shell ended in {command!r}: {''.join(printed)}")

    def run_program(self, page: Path, block: Block) -> str:
        """Run a Python block as a program of its own, with warnings as errors, and return what it wrote to stdout."""
        program = self._folder / f"line_{block.line}_of_{page.stem}.py"
        program.write_text(block.text, "utf-8")
        messages = program.with_suffix(".txt")
        output, code = self.run(f"python -W error '{program}' 2> '{messages}'")
        if code:
            raise PageError(page, block.line, f"exit code {code}\n{output}{messages.read_text('utf-8')}")
        return output

    def close(self) -> None:
        """End the shell."""
        self._process.communicate()


class BaseEnvironment:
    """A virtual environment with ``aimm``, on which the throw-away environments of the pages stand.

    Making a virtual environment and installing ``aimm`` takes many seconds, so that happens once. A page's own
    environment is another one, in which the packages of the first can be imported, and to which ``pip`` installs.

    Args:
        folder: Where it is; it is built if it is not there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.exists():
            made = folder.with_name(f"{folder.name}-unfinished")
            self._build(made)
            made.rename(folder)
        (self.wheel,) = folder.glob("*.whl")
        (self._site,) = folder.glob("lib/python*/site-packages")

    @staticmethod
    def _build(folder: Path) -> None:
        _call(sys.executable, "-m", "venv", folder)
        # A copy, so that nothing is left behind in the checkout; symbolic links and caches stay there.
        source = folder / "source"
        shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        pip = (folder / "bin" / "python", "-m", "pip", "-q", "--disable-pip-version-check")
        _call(*pip, "wheel", "--no-deps", "-w", folder, source)
        _call(*pip, "install", "setuptools>=77", "packaging>=24.0", *folder.glob("*.whl"))

    def environment(self, folder: Path, *, build_here: bool = True) -> dict[str, str]:
        """Make a throw-away environment and return the variables of a shell in which it is active.

        Args:
            folder: Where it is.
            build_here: Whether ``pip`` builds packages with the setuptools of this environment, which saves seconds.
        """
        _call(sys.executable, "-m", "venv", "--without-pip", folder)
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "base.pth").write_text(f"{self._site}\n", "utf-8")
        for name, module, call in (("aimm", "aimm.cli", "main"), ("pip", "pip._internal.cli.main", "main")):
            script = folder / "bin" / name
            script.write_text(
                f"#!{folder}/bin/python\nimport sys\nfrom {module} import {call}\nsys.exit({call}())\n", "utf-8"
            )
            script.chmod(0o755)
        constraints = folder / "constraints.txt"
        # Whoever installs aimm-plugins in a page gets the one of this checkout, whatever a package index may have.
        constraints.write_text(f"aimm-plugins @ {self.wheel.as_uri()}\n", "utf-8")
        own = ("AIMM_", "PYTHON", "VIRTUAL_ENV", "COV_", "PYTEST_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        return {
            **env,
            "PATH": f"{folder / 'bin'}{os.pathsep}{env['PATH']}",
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
            "PIP_CONSTRAINT": str(constraints),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # Not a typing error: for pip, an option that begins with "no" is switched on by "no".
            **({"PIP_NO_BUILD_ISOLATION": "no"} if build_here else {}),
        }


def _call(*command: object) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
