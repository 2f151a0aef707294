"""An artifact handler: numbers as a table that people read."""

from pathlib import Path
from typing import Any

from aimm.tasks import ArtifactTaskInterface


class ReportArtifactTask(ArtifactTaskInterface):
    """Numbers by name, as a Markdown table."""

    @staticmethod
    def serialize(working_dir: Path, name: str, contents: dict[str, float], digits: int = 4, **kwargs: Any) -> Path:
        """Write ``<name>.md``."""
        rows = [f"| {key} | {value:.{digits}f} |" for key, value in contents.items()]
        path = working_dir / f"{name}.md"
        path.write_text("\n".join(["| name | value |", "|---|---|", *rows, ""]), encoding="utf-8")
        return path

    @staticmethod
    def deserialize(working_dir: Path, path: str, **kwargs: Any) -> dict[str, float]:
        """Read the numbers; they have as many digits as were written."""
        lines = Path(working_dir, path).read_text(encoding="utf-8").splitlines()[2:]
        cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
        return {key: float(value) for key, value in cells}

    @staticmethod
    def validation() -> dict[str, Any] | None:
        """``digits`` after the point."""
        return {"digits": {"type": "integer", "minimum": 0, "maximum": 17}}
