"""The error of every package whose work needs an optional dependency."""

from aimm.errors import AimmError


class MissingExtraError(AimmError, ImportError):
    """An optional dependency is not installed.

    Attributes:
        package: The distribution that is missing.
        extra: The extra of ``aimm-plugins`` that brings it.
        purpose: What it is needed for, as in ``making a new package``.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(package, extra, purpose)
        self.package, self.extra, self.purpose = package, extra, purpose

    def __str__(self) -> str:
        return f'{self.purpose} needs {self.package}, which is not installed: pip install "aimm-plugins[{self.extra}]"'
