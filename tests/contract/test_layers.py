"""The order of layers, and the size of what stands in them."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import aimm

PACKAGE = Path(aimm.__file__).parent
ROOT = Path(__file__).parents[2]
MODULES = sorted(module for module in PACKAGE.rglob("*.py") if "template" not in module.parts)


def name_of(module: Path) -> str:
    """A module as it is written in messages."""
    return module.relative_to(PACKAGE.parent).as_posix()


def test_imports_only_point_back_along_the_data_flow() -> None:
    """The contracts of import-linter in pyproject.toml are kept, imports inside functions included."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_every_module_of_plugins_has_a_layer() -> None:
    """No module of ``aimm.plugins`` stands outside the contract, and sisters may reach none but the facade."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    modules = {module.stem for module in (PACKAGE / "plugins").glob("*.py")} - {"__init__"}
    inner = next(contract for contract in contracts if contract.get("containers") == ["aimm.plugins"])
    assert {name.strip() for layer in inner["layers"] for name in layer.split("|")} == modules
    facade = next(contract for contract in contracts if contract["type"] == "forbidden")
    private = {f"aimm.plugins.{name}" for name in modules if name.startswith("_")}
    assert set(facade["forbidden_modules"]) == private


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_module_is_longer_than_400_lines(module: Path) -> None:
    """A module that grows past 400 lines has two jobs."""
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_function_is_longer_than_50_lines(module: Path) -> None:
    """A function has at most 50 lines beside its docstring."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[1] if documented and len(node.body) > 1 else node.body[0]
            assert (node.end_lineno or 0) - first.lineno < 50, f"{node.name} in {name_of(module)}"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(module: Path) -> None:
    """Each file begins with a docstring."""
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


def test_median_sizes_stay_small() -> None:
    """Half of the modules have at most 150 lines."""
    sizes = sorted(len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES)
    assert sizes[len(sizes) // 2] <= 150
