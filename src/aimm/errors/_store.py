"""Errors of :mod:`aimm.store`."""

from aimm.errors import AimmError


class ModelFileError(AimmError, ValueError):
    """A model file cannot be used.

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


class SignatureError(ModelFileError):
    """The file is not signed as the host's policy requires; no plugin was imported for it."""


class ModelTooLargeError(ModelFileError):
    """The payload is larger than the host's policy, or the memory of the machine, allows; nothing of it was read."""


class ModelVersionError(ModelFileError):
    """Another version of the plugin wrote the file, and the host's policy refuses it; nothing was deserialised."""


class PayloadError(ModelFileError):
    """A plugin's ``serialize`` or migration did not return bytes."""


class ExampleError(ModelFileError):
    """An input example, or what is predicted for it, cannot be recorded or brought back."""


class ReplayError(ModelFileError):
    """The model predicts something else for its input example than when it was saved."""


class ModelVersionWarning(UserWarning):
    """Another version of the plugin wrote the model file that is loaded."""


class StoreError(AimmError):
    """A model store cannot do what it was asked for; nothing was changed.

    Attributes:
        store: Where the store is.
        message: What is wrong.
    """

    def __init__(self, store: str, message: str) -> None:
        super().__init__(store, message)
        self.store, self.message = store, message

    def __str__(self) -> str:
        return f"model store {self.store}: {self.message}"


class ModelNotFoundError(StoreError, LookupError):
    """The store has no such model, version or alias."""


class ModelNameError(StoreError, ValueError):
    """A name, an alias, a version or metadata are not of the form that a store takes."""


class StaleVersionError(StoreError):
    """Somebody else was faster: the model or alias is no longer at the version that was expected.

    Attributes:
        name: The model, or ``model@alias``.
        expected: The version that was expected; 0 for none yet.
        found: The version that is there; 0 for none.
    """

    def __init__(self, store: str, name: str, expected: int, found: int) -> None:
        there = f"is at version {found}" if found else "has no version"
        super().__init__(store, f"{name} {there}, not at {expected} as expected; look at what changed, then try again")
        self.args = (store, name, expected, found)
        self.name, self.expected, self.found = name, expected, found
