"""What is read of a distribution that is installed."""

import pytest

from aimm._types import READ_AS
from aimm.environment._installed import read_installed
from support import FakeSite


@pytest.mark.parametrize(("group", "is_plugin"), [*((group, True) for group in READ_AS), ("console_scripts", False)])
def test_a_distribution_is_a_plugin_by_the_groups_that_the_index_reads(
    site: FakeSite, group: str, *, is_plugin: bool
) -> None:
    """The name that a plugin of ravenML has after its renaming is one of them."""
    site.add("acme", entry_points={group: {"acme-train": "acme:main"}})
    acme = read_installed([str(site.path)])["acme"]
    assert (acme.is_plugin, acme.offers) == (is_plugin, ("acme-train",) if is_plugin else ())
