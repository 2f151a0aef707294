"""The pages below ``example-plugins/`` become the READMEs of the example plugins when the documentation is built."""

import re
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "example_plugins"


def replace_by_readme(app: Any, docname: str, source: list[str]) -> None:
    """Put the README in the place of the page, with its links seen from there."""
    folder, _, name = docname.partition("/")
    if folder != "example-plugins":
        return
    readme = EXAMPLES / name / "README.md"
    app.env.note_dependency(str(readme))
    text = readme.read_text("utf-8").replace("](../../README.md)", "](../index.md)").replace("](../../docs/", "](../")
    source[0] = re.sub(r"\]\(\.\./([\w-]+)/README\.md\)", r"](\1.md)", text)


def setup(app: Any) -> dict[str, bool]:
    """Register the replacement."""
    app.connect("source-read", replace_by_readme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
