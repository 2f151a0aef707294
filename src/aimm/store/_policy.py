"""What a host demands of the model files that it loads, and with which key it signs those that it writes."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from aimm.errors import ConfigError, ModelTooLargeError, SignatureError
from aimm.store._layout import UNSIGNED, Head

OtherVersion = Literal["ok", "warn", "migrate", "refuse"]
"""What may happen to a model file that another version of its plugin wrote."""

SHORTEST_KEY = 16
VARIABLE = "AIMM_MODEL_POLICY"


@dataclass(frozen=True)
class Policy:
    """What a host demands of model files, and with which key it signs.

    Attributes:
        other_version: What happens to a file that another version of its plugin wrote. ``ok``: it is loaded.
            ``warn``: it is loaded, with a :class:`~aimm.errors.ModelVersionWarning` unless a migration applied.
            ``migrate``: it is loaded if a migration applied, else refused. ``refuse``: it is refused.
        require_signature: Whether files without a signature are refused. Where they are not, whoever can write a file
            can also take its signature away.
        keys: Name to key: the keys whose signatures count.
        sign_with: Name of the key that signs what is saved; None not to sign.
        max_bytes: Largest payload that is read; None for as much as the machine has memory.

    Raises:
        ConfigError: A value is not one of these, a key is short, or a signature is required and there is no key.
    """

    other_version: OtherVersion = "warn"
    require_signature: bool = False
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    sign_with: str | None = None
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        self._check_values()
        for name, key in self.keys.items():
            if not name or not name.isprintable():
                raise _wrong(f"a key is called {name!r}: expected printable text", "keys")
            if len(key) < SHORTEST_KEY:
                advice = "openssl rand -hex 32 makes a good one"
                raise _wrong(f"expected at least {SHORTEST_KEY} bytes, got {len(key)}; {advice}", f"keys.{name}")
        if self.sign_with is not None and self.sign_with not in self.keys:
            raise _wrong(f"there is no key {self.sign_with!r} (keys: {self._key_names()})", "sign_with")
        if self.require_signature and not self.keys:
            raise _wrong("a signature is required, but there is no key that could verify one", "keys")

    def _check_values(self) -> None:
        if self.other_version not in get_args(OtherVersion):
            choices = ", ".join(get_args(OtherVersion))
            raise _wrong(f"expected one of {choices}, got {self.other_version!r}", "other_version")
        if not isinstance(self.require_signature, bool):
            raise _wrong(f"expected true or false, got {self.require_signature!r}", "require_signature")
        if self.max_bytes is not None and (type(self.max_bytes) is not int or self.max_bytes < 0):
            raise _wrong(f"expected a number of bytes, got {self.max_bytes!r}", "max_bytes")

    def _key_names(self) -> str:
        return ", ".join(sorted(self.keys)) or "none"

    def sign(self, prefix: bytes) -> bytes:
        """The signature of a file, made of its first bytes, which stand for all others."""
        return UNSIGNED if self.sign_with is None else _signature(self.keys[self.sign_with], prefix)

    def check(self, head: Head, path: str) -> None:
        """Check signature and size of a file, of which only the head is read.

        Raises:
            SignatureError: It is not signed as it has to be.
            ModelTooLargeError: Its payload is too large.
        """
        self._check_signature(head, path)
        most, whose = (self.max_bytes, "the policy") if self.max_bytes is not None else (_memory(), "the memory here")
        if head.header.length > most:
            raise ModelTooLargeError(
                path,
                f"its payload has {head.header.length:,} bytes, {whose} allows {most:,}: raise max_bytes to load it",
            )

    def _check_signature(self, head: Head, path: str) -> None:
        name = head.header.signed_by
        if name is None:
            if self.require_signature:
                raise SignatureError(path, "it is not signed, and the policy of this host requires a signature")
        elif name in self.keys:
            if not hmac.compare_digest(_signature(self.keys[name], head.prefix), head.signature):
                raise SignatureError(path, f"its signature does not match the key {name!r}: it is forged or altered")
        elif self.keys:
            raise SignatureError(path, f"it is signed with key {name!r}, this host has: {self._key_names()}")


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy from a TOML file, whose keys are the attributes of :class:`Policy`.

    ``keys`` is a table from names to files, relative to the policy file, that hold one key each; white space around a
    key does not belong to it.

    Raises:
        ConfigError: The file, or a key file, cannot be read, or something in it is wrong.
    """
    import tomllib

    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            found: dict[str, Any] = tomllib.load(file)
        unknown = sorted(found.keys() - {*Policy.__dataclass_fields__})
        if unknown:
            raise ConfigError(f"unknown key; a policy has {', '.join(Policy.__dataclass_fields__)}", unknown[0])
        keys = found.get("keys", {})
        if not isinstance(keys, dict) or not all(isinstance(file, str) for file in keys.values()):
            raise ConfigError("expected a table from key names to key files", "keys")
        folder = os.path.dirname(name)
        found["keys"] = {key: _read_key(os.path.join(folder, file)) for key, file in keys.items()}
        return Policy(**found)
    except ConfigError as error:
        raise ConfigError(error.message, error.location, name) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", "", name) from None


def default_policy() -> Policy:
    """The policy of this process: that in the file that the variable ``AIMM_MODEL_POLICY`` names, else the defaults.

    Raises:
        ConfigError: See :func:`load_policy`.
    """
    path = os.environ.get(VARIABLE)
    return load_policy(path) if path else _DEFAULT


def _wrong(message: str, location: str) -> ConfigError:
    return ConfigError(message, location, "model policy")


def _read_key(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(1 << 16).strip()


def _signature(key: bytes, prefix: bytes) -> bytes:
    return hmac.digest(key, prefix, hashlib.sha256)


def _memory() -> int:
    global _memory_here
    if not _memory_here:
        try:
            _memory_here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, ValueError, OSError):  # Windows
            _memory_here = 1 << 40
    return _memory_here


_memory_here = 0
_DEFAULT = Policy()
