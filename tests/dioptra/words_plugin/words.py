import logging
from collections import Counter

from dioptra import pyplugs

LOGGER = logging.getLogger(__name__)


@pyplugs.register
def hello(full_name: str, greeting: str = "Hello") -> str:
    message = f"{greeting}, {full_name}"
    LOGGER.info(message)
    return message


@pyplugs.register()
def split_name(full_name: str):
    first, last = full_name.split()
    return first, last, "more than the graph wants"


@pyplugs.register(sort_value=10)
def words(text: str) -> list[str]:
    return text.split()


@pyplugs.register
def count(words: list[str]) -> dict[str, int]:
    return dict(Counter(words))


@pyplugs.register
def most(counts: dict[str, int]) -> tuple[str, int]:
    return max(counts.items(), key=lambda item: item[1])


@pyplugs.register
def repeat(value: str, times: int) -> str:
    return " ".join([value] * times)


@pyplugs.register
def note() -> None:
    LOGGER.info("it begins")
