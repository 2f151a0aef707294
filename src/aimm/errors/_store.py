"""Errors of :mod:`aimm.store`."""

from aimm.errors import AimmError


class ModelFileError(AimmError, ValueError):
    """A model file cannot be used; no plugin was imported for it.

    Attributes:
        path: The file.
        message: What is wrong with it.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path, self.message = path, message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class ForeignFileError(ModelFileError):
    """The file is not a model file."""


class FormatVersionError(ModelFileError):
    """The file has a format version that this ``aimm`` cannot read."""


class DamagedFileError(ModelFileError):
    """The file is cut short or was altered."""


class PayloadError(ModelFileError):
    """A plugin's ``serialize`` did not return bytes, so nothing was written."""
