import json
import sys
from pathlib import Path

import pytest

from aimm.environment import _conda
from aimm.environment._conda import read_environment
from aimm.environment._installed import Installed
from aimm.errors import RequirementsFileError

PACKAGES = {"six": Installed("six", "1.16.0")}


@pytest.fixture
def conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prefix whose ``conda-meta`` lists numpy 1.26.4 and openssl 1.1.1w."""
    folder = tmp_path / "prefix" / "conda-meta"
    folder.mkdir(parents=True)
    for name, version, build in (("numpy", "1.26.4", "py311h64a7726_0"), ("openssl", "1.1.1w", "h0_1")):
        record = {"name": name, "version": version, "build": build}
        (folder / f"{name}-{version}-{build}.json").write_text(json.dumps(record))
    (folder / "broken.json").write_text("{")
    monkeypatch.setattr(_conda, "prefix", lambda: str(tmp_path / "prefix"))


def found(tmp_path: Path, *specs: str, pip: tuple[str, ...] = ()) -> list[str]:
    """What deviates from an environment.yml with these dependencies."""
    text = "dependencies:\n" + "".join(f"  - {json.dumps(spec)}\n" for spec in specs)
    text += "  - pip:\n" + "".join(f"      - '{line}'\n" for line in pip) if pip else ""
    (tmp_path / "environment.yml").write_text(text)
    return [" ".join(part) for part in read_environment(str(tmp_path / "environment.yml")).deviations(PACKAGES)]


MET = [
    *("numpy", "numpy=1.26", "numpy=1.26.4", "numpy==1.26.4", "numpy>=1.20,<2", "numpy 1.26.*", "numpy >=1.26"),
    *("conda-forge::numpy=1.26", "numpy=1.26.4=py311h64a7726_0", "numpy=1.26.4=py311*", "numpy[version='>=1.2']"),
    *("numpy<1|>=1.26", "openssl=1.1.1w", "six=1.16", f"python={sys.version_info[0]}.{sys.version_info[1]}"),
]


@pytest.mark.usefixtures("conda")
@pytest.mark.parametrize("spec", MET)
def test_what_is_met(spec: str, tmp_path: Path) -> None:
    """The forms of a conda specification; Python and what pip installed count where conda has none."""
    assert found(tmp_path, spec) == []


@pytest.mark.usefixtures("conda")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("numpy=1.2", "numpy environment.yml wants numpy=1.2 but 1.26.4 py311h64a7726_0 is installed"),
        ("numpy==1.26", "numpy environment.yml wants numpy==1.26 but 1.26.4 py311h64a7726_0 is installed"),
        ("numpy=1.26.4=other_0", "but 1.26.4 py311h64a7726_0 is installed"),
        ("numpy>=2", "but 1.26.4 py311h64a7726_0 is installed"),
        ("scipy=1", "scipy environment.yml wants scipy=1 but it is not installed"),
        ("openssl>=1", "which cannot be compared with 1.1.1w"),
    ],
)
def test_what_is_not(spec: str, message: str, tmp_path: Path) -> None:
    """One deviation each, with the file, what it wants and what is there."""
    (deviation,) = found(tmp_path, spec)
    assert message in deviation


@pytest.mark.usefixtures("conda")
def test_the_part_for_pip(tmp_path: Path) -> None:
    """Markers count; what does not fit, is missing or is no requirement deviates."""
    lines = ("six==1.16.0", 'nothing; python_version < "3"', "six<1", "requests", "-e .")
    assert found(tmp_path, "numpy", pip=lines) == [
        "six environment.yml wants six<1 from pip but 1.16.0 is installed",
        "requests environment.yml wants requests from pip but it is not installed",
        "-e . environment.yml wants it from pip which cannot be compared with what is installed",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "cannot be read"),
        ("name: x\n", "is no conda environment: it has no list 'dependencies'"),
        ("dependencies: [{npm: [x]}]\n", "is neither a package nor 'pip:"),
    ],
)
def test_what_is_no_environment(text: str, message: str, tmp_path: Path) -> None:
    """The file and what was expected."""
    (tmp_path / "e.yml").write_text(text)
    with pytest.raises(RequirementsFileError, match=message):
        read_environment(str(tmp_path / "e.yml"))
