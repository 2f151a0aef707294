"""The smallest task there is."""

from aimm.tasks import register


@register
def hello(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"


@register(outputs=["first", "rest"])
def take_apart(words: list[str]) -> tuple[str, list[str]]:
    """The first word, and the others."""
    return words[0], words[1:]
