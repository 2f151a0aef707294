"""Task plugins as their users get them, from the folders in the repository."""

from environments import ROOT
from terminal import AIMM, run

EXAMPLE = ROOT / "example_plugins" / "aimm-hello-tasks"


def test_the_plugin_directory_of_the_example() -> None:
    """Named in a configuration it is listed; its source says what it registers, and so does importing it."""
    listed = run(*AIMM, "--config", EXAMPLE / "plugin_directory" / "aimm.yaml", "tasks", "list")
    assert listed.code == 0, listed.err
    assert "greetings_plugin.hello.hello" in listed.out
    folder = EXAMPLE / "plugin_directory" / "greetings_plugin"
    inspected = run(*AIMM, "tasks", "inspect", folder, "--import")
    assert (inspected.code, inspected.err) == (0, "")
    assert '"hello"' in inspected.out
