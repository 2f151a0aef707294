"""The checks of one model type as the cases of one pytest test."""

from collections.abc import Callable
from functools import cache
from typing import Any

from aimm.errors import ConformanceError
from aimm.testing._checks import IMPORT, MODEL, checks
from aimm.testing._model import check_model
from aimm.testing._report import EXPECTED_FAIL, SKIPPED, Report

_ENOUGH = "enough-checks-run"


def parametrize(model: str | type, **options: Any) -> Callable[[str], None]:
    """Make a pytest test with one case for each check: ``test_conforms = aimm.testing.parametrize("my.model")``.

    The checks run together, when the first case does; one more case fails if too few of them ran.

    Args:
        model: A model type, or a model class.
        **options: As for :func:`check_model`.

    Returns:
        The test, to be bound to a name that begins with ``test``.
    """
    import pytest

    @cache
    def report() -> Report:
        return check_model(model, **options)

    names = [found.name for found in checks() if found.kind in (IMPORT, MODEL)]

    @pytest.mark.parametrize("check", [*names, _ENOUGH])
    def test_conforms(check: str) -> None:
        """The model type keeps its contract."""
        __tracebackhide__ = True
        found = report()
        if check == _ENOUGH:
            if not any(result.is_bad for result in found.results):
                found.raise_if_bad()
            return
        results = [result for result in found.results if result.check == check]
        bad = [result.describe() for result in results if result.is_bad]
        if bad:
            raise ConformanceError(found.subject, bad)
        for result in results:
            if result.status == EXPECTED_FAIL:
                pytest.xfail(result.message)
        if all(result.status == SKIPPED for result in results):
            pytest.skip(results[0].message)

    return test_conforms
