"""A plugin directory is a flat folder of files like this one."""

from aimm import tasks as pyplugs


@pyplugs.register
def hello(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"
