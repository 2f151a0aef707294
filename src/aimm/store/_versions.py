"""Models of another version of their plugin: the migrations that plugins declare, and what the policy makes of them."""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from aimm.errors import DeclarationError, DuplicateError, ModelVersionError, ModelVersionWarning, PayloadError
from aimm.plugins import ByteString, Owner
from aimm.store._layout import Header
from aimm.store._policy import Policy

Migrate = Callable[[ByteString], ByteString]
F = TypeVar("F", bound=Migrate)

_migrations: dict[str, dict[str, Migrate]] = {}


def migration(model_types: list[str], before: str) -> Callable[[F], F]:
    """Declare that payloads which older versions of a plugin wrote have to be rewritten before they are deserialised.

    Stands beside the plugin's ``deserialize``, in a module that is imported with it. When a model file is loaded, all
    migrations of its model type whose ``before`` is later than the recorded version of the plugin, and not later than
    the installed one, are applied one after the other, oldest first.

    Args:
        model_types: The model types that it is for.
        before: The version of the plugin's distribution that changed the payload: versions before it wrote the old one.

    Raises:
        DeclarationError: ``model_types`` is a bare string or empty, or ``before`` is no version (PEP 440).
        DuplicateError: Another function is declared for the same step.
    """
    if isinstance(model_types, str) or not model_types:
        raise DeclarationError(f"@migration expects a list of model types, not {model_types!r}")
    if _parsed(before) is None:
        raise DeclarationError(f"@migration(..., before={before!r}): expected a version such as '2.0'")

    def declare(function: F) -> F:
        for model_type in model_types:
            known = _migrations.get(model_type, {}).get(before)
            # A module that is imported again, after its first try failed, declares the same once more.
            if known is not None and _place(known) != _place(function):
                raise DuplicateError(f"migration before {before}", model_type, _place(known), _place(function))
        for model_type in model_types:
            _migrations.setdefault(model_type, {})[before] = function
        return function

    return declare


def bridge(header: Header, owner: Owner, payload: ByteString, policy: Policy, path: str) -> ByteString:
    """Turn a payload into what the installed version of the plugin reads, as far as the policy lets it.

    Raises:
        ModelVersionError: The policy refuses it.
        PayloadError: A migration did not return bytes.
    """
    if (header.distribution, header.version) == (owner.distribution, owner.version):
        return payload
    differs = f"it was written by {_named(header)}, installed is {_named(owner)}"
    if policy.other_version == "refuse":
        raise ModelVersionError(path, f"{differs}, and the policy of this host refuses other versions")
    steps = _steps(header, owner)
    if steps:
        for before, migrate in steps:
            payload = _apply(migrate, before, payload, header.model_type, path)
    elif policy.other_version == "migrate":
        advice = "the plugin declares no migration between the two, and the policy of this host requires one"
        raise ModelVersionError(path, f"{differs}; {advice}")
    elif policy.other_version == "warn":
        message = f"{path}: {differs}; check what it predicts, then save it again"
        warnings.warn(ModelVersionWarning(message), stacklevel=4)
    return payload


def _steps(header: Header, owner: Owner) -> list[tuple[str, Migrate]]:
    declared = _migrations.get(header.model_type)
    recorded, installed = _parsed(header.version), _parsed(owner.version)
    if not declared or recorded is None or installed is None or header.distribution != owner.distribution:
        return []
    steps = [(_parsed(before), before, migrate) for before, migrate in declared.items()]
    between = [step for step in steps if recorded < step[0] <= installed]
    return [(before, migrate) for _, before, migrate in sorted(between, key=lambda step: step[0])]


def _apply(migrate: Migrate, before: str, payload: ByteString, model_type: str, path: str) -> ByteString:
    try:
        changed = migrate(payload)
    except Exception as error:
        error.add_note(f"raised by the migration {_place(migrate)} of {model_type!r}, before {before}, for {path}")
        raise
    if not isinstance(changed, bytes | bytearray | memoryview):
        kind = type(changed).__name__
        raise PayloadError(path, f"the migration {_place(migrate)} of {model_type!r} returned {kind}, not bytes")
    return changed


def _named(origin: Header | Owner) -> str:
    return f"{origin.distribution} {origin.version}" if origin.distribution else "a plugin without distribution"


def _place(function: Migrate) -> str:
    return f"{function.__module__}.{getattr(function, '__qualname__', function)}"


def _parsed(version: str | None) -> Any:
    # Imported here, for most files are of the version that is installed.
    from packaging.version import InvalidVersion, Version

    try:
        return Version(version or "")
    except InvalidVersion:
        return None
