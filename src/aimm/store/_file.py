"""Model files: written whole or not at all, and verified before any plugin is imported."""

import hashlib
import os
import platform
import shlex
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import aimm
from aimm import plugins
from aimm.errors import DamagedFileError, PayloadError, PluginContractWarning, PluginNotFoundError, ReplayError
from aimm.store import _disk
from aimm.store._atomic import write_atomically
from aimm.store._example import Example, is_same, recall, record
from aimm.store._layout import Head, Header, build_head, identity_of, read_head
from aimm.store._policy import Policy, default_policy
from aimm.store._versions import bridge


class ModelFile(NamedTuple):
    """A model file that was read and verified; no plugin was imported for it.

    Attributes:
        path: Where it was read, for messages.
        header: Its header.
        payload: The bytes that the plugin's ``serialize`` returned.
        format_version: Its format version.
        policy: The policy that it was verified with.
        front: The bytes before the payload.
    """

    path: str
    header: Header
    payload: plugins.ByteString
    format_version: int
    policy: Policy
    front: bytes

    def __repr__(self) -> str:
        """Without the bytes, which may be very many."""
        return f"ModelFile(path={self.path!r}, header={self.header!r}, format_version={self.format_version})"

    @property
    def identity(self) -> str:
        """SHA-256 of its header, hexadecimal, which stands for the whole file."""
        return identity_of(self.front)

    def load(self, *, manager: plugins.PluginManager = plugins.default_manager) -> Any:
        """Have the model type deserialise the payload, migrated to the installed version of its plugin.

        Args:
            manager: Whose plugins deserialise it.

        Returns:
            The instance.

        Raises:
            PluginNotFoundError: No installed plugin owns its model type; a note says which distribution wrote it.
            ModelVersionError: Another version of the plugin wrote it, and the policy refuses that.
            PayloadError: A migration did not return bytes.
        """
        header = self.header
        try:
            owner = manager.owner(header.model_type, "deserialize")
        except PluginNotFoundError as error:
            if header.distribution:
                wanted = shlex.quote(f"{header.distribution}=={header.version}")
                wrote = f"{self.path} was written by {header.distribution} {header.version}"
                error.add_note(f"{wrote}; pip install {wanted}")
            raise
        payload = bridge(header, owner, self.payload, self.policy, self.path)
        return manager.exec_deserialize(header.model_type, payload)

    def replay(self, *, manager: plugins.PluginManager = plugins.default_manager) -> bool:
        """Load the model, predict for its input example, and compare with what it predicted when it was saved.

        Args:
            manager: Whose plugins do it.

        Returns:
            Whether there is an example; False means that nothing was compared.

        Raises:
            ReplayError: The prediction is another one.
            ExampleError: The example cannot be brought back.
        """
        if self.header.example is None:
            return False
        example, recorded = recall(self.header.example, self.path)
        output = _predicted(self.load(manager=manager), self.header.model_type, example, manager)
        if not is_same(output, recorded):
            owner, header = manager.owner(self.header.model_type, "predict"), self.header
            now = f"{owner.distribution or owner.plugin} {owner.version or ''}".rstrip()
            then = f"{header.distribution or 'its plugin'} {header.version or ''}".rstrip()
            raise ReplayError(
                self.path,
                f"{now} on Python {platform.python_version()} predicts something else for its input example than "
                f"{then} on Python {header.python} did when it was saved",
            )
        return True

    def parts(self) -> Iterator[plugins.ByteString]:
        """The content of the file, as it is."""
        yield self.front
        yield self.payload

    def head(self) -> bytes:
        """The bytes before the payload."""
        return self.front


def save_model(
    path: str | os.PathLike[str],
    model_type: str,
    instance: Any,
    *,
    example: Example | None = None,
    policy: Policy | None = None,
    manager: plugins.PluginManager = plugins.default_manager,
) -> Header:
    """Serialise an instance and write it to a model file, whole or not at all.

    Args:
        path: Where the file goes; an existing file is replaced.
        model_type: Model type of the instance.
        instance: The instance.
        example: Arguments of a prediction to keep with the model. The bytes are then brought back once, and predict.
        policy: With which key to sign; that of the process if not given.
        manager: Whose plugins serialise it.

    Returns:
        The header that was written.

    Raises:
        PayloadError: The plugin's ``serialize`` did not return bytes.
        ExampleError: The example, or the prediction for it, cannot be kept.
        OSError: The file could not be written; what stood there before is untouched.
    """
    name = os.fspath(path)
    draft = Draft(name, model_type, instance, example, policy, manager)
    write_atomically(name, draft.parts(), draft.head)
    return draft.header


def pack_model(
    model_type: str,
    instance: Any,
    *,
    example: Example | None = None,
    policy: Policy | None = None,
    manager: plugins.PluginManager = plugins.default_manager,
) -> bytes:
    """Serialise an instance to what :func:`save_model` would write, for another process say.

    Args:
        model_type: Model type of the instance.
        instance: The instance.
        example: As for :func:`save_model`.
        policy: As for :func:`save_model`.
        manager: Whose plugins serialise it.

    Raises:
        PayloadError: The plugin's ``serialize`` did not return bytes.
        ExampleError: The example, or the prediction for it, cannot be kept.
    """
    draft = Draft("bytes", model_type, instance, example, policy, manager)
    _, *chunks = draft.parts()
    return b"".join([draft.head(), *chunks])


def unpack_model(content: plugins.ByteString, *, policy: Policy | None = None) -> ModelFile:
    """Check the bytes of a model file; the payload is not copied.

    Args:
        content: What :func:`pack_model` returned, or the content of a model file.
        policy: What to demand; that of the process if not given.

    Raises:
        ModelFileError: As for :func:`open_model`.
    """
    view = memoryview(content).cast("B").toreadonly()
    policy = default_policy() if policy is None else policy
    start = bytes(view[: _disk.START])
    head = read_head(start, lambda place, count: bytes(view[place : place + count]), len(view), "bytes")
    policy.check(head, "bytes")
    return _verified(head, view[len(head.front) :], "bytes", policy)


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read and check the header of a model file; the payload is neither read nor checked, nor is the signature.

    Raises:
        ForeignFileError: It is no model file.
        FormatVersionError: Its format version is unknown.
        DamagedFileError: It is cut short or altered.
        OSError: It cannot be read.
    """
    name = os.fspath(path)
    with _disk.open_file(name) as file:
        return read_front(file, name).header


def open_model(path: str | os.PathLike[str], *, policy: Policy | None = None) -> ModelFile:
    """Read and check a model file, header, signature and payload; no plugin is needed for it.

    Args:
        path: The file.
        policy: What to demand; that of the process if not given.

    Returns:
        The file as it was verified: it is not read again when it is loaded.

    Raises:
        ForeignFileError: It is no model file.
        FormatVersionError: Its format version is unknown.
        DamagedFileError: It is cut short or altered.
        SignatureError: It is not signed as the policy requires.
        ModelTooLargeError: Its payload is larger than the policy allows.
        OSError: It cannot be read.
    """
    name = os.fspath(path)
    with _disk.open_file(name) as file:
        return read_verified(file, name, policy)


def read_verified(file: BinaryIO, path: str, policy: Policy | None) -> ModelFile:
    """What :func:`open_model` does, for a file that is open."""
    policy = default_policy() if policy is None else policy
    start, size = _disk.read_start(file)
    head = read_head(start, partial(_disk.read, file), size, path)
    policy.check(head, path)
    begin = len(head.front)
    # Into one object of this size, which is what the plugin gets.
    payload = start[begin:] if size == len(start) else _disk.read(file, begin, head.header.length)
    return _verified(head, payload, path, policy)


def verify_model(path: str | os.PathLike[str], *, policy: Policy | None = None) -> Header:
    """Read and check a model file as :func:`open_model` does, and return its header."""
    return open_model(path, policy=policy).header


def load_model(
    path: str | os.PathLike[str],
    *,
    policy: Policy | None = None,
    manager: plugins.PluginManager = plugins.default_manager,
) -> tuple[Header, Any]:
    """Verify a model file, then have its model type deserialise it.

    Args:
        path: The file.
        policy: What to demand; that of the process if not given.
        manager: Whose plugins deserialise it.

    Returns:
        Its header and the instance.

    Raises:
        ModelFileError: As for :func:`open_model` and :meth:`ModelFile.load`.
        PluginNotFoundError: No installed plugin owns its model type; a note says which distribution wrote it.
        OSError: It cannot be read.
    """
    opened = open_model(path, policy=policy)
    return opened.header, opened.load(manager=manager)


class Draft:
    """A model file that is about to be written: its header is complete once its parts were consumed."""

    def __init__(
        self,
        path: str,
        model_type: str,
        instance: Any,
        example: Example | None,
        policy: Policy | None,
        manager: plugins.PluginManager,
    ) -> None:
        policy = default_policy() if policy is None else policy
        owner = manager.owner(model_type, "serialize")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginContractWarning)  # the error below says the same
            self._payload = _as_view(path, manager.exec_serialize(model_type, instance), model_type)
        recorded = None
        if example is not None:
            # The saved bytes predict, not the instance: that must stay as it is, and they are proved to come back.
            again = manager.exec_deserialize(model_type, self._payload.toreadonly())
            recorded = record(example, _predicted(again, model_type, example, manager), path)
        self._sign = policy.sign if policy.sign_with else None
        self.header = Header(
            model_type,
            owner.distribution,
            owner.version,
            aimm.__version__,
            platform.python_version(),
            datetime.now(UTC).isoformat(timespec="seconds"),
            "0" * 64,
            self._payload.nbytes,
            policy.sign_with,
            recorded,
        )
        self._front = b""

    @property
    def identity(self) -> str:
        """SHA-256 of the header; not yet true before the parts were consumed."""
        return identity_of(self._front)

    def parts(self) -> Iterator[plugins.ByteString]:
        """The head, then the payload piece by piece.

        A payload of one piece is hashed first. Of a longer one each piece is hashed just before it is handed out, while
        the processor's cache has it, and there is only room for the head before.
        """
        if self._payload.nbytes <= _disk.CHUNK:
            content = bytes(self._payload)
            self._complete(hashlib.sha256(content))
            yield self._front
            yield content
            return
        sha256 = hashlib.sha256()
        yield bytes(len(build_head(self.header, self._sign)))
        for start in range(0, self._payload.nbytes, _disk.CHUNK):
            chunk: plugins.ByteString = self._payload[start : start + _disk.CHUNK]
            if not self._payload.readonly:
                chunk = bytes(chunk)  # what can change must not do so between the digest and the writing
            sha256.update(chunk)
            yield chunk
        self._complete(sha256)

    def _complete(self, sha256: Any) -> None:
        self.header = self.header._replace(sha256=sha256.hexdigest())
        self._front = build_head(self.header, self._sign)

    def head(self) -> bytes:
        """What stands before the payload; not yet true before the parts were consumed."""
        return self._front


def _as_view(path: str, payload: Any, model_type: str) -> memoryview:
    try:
        view = memoryview(payload)
        return view.cast("B") if view.c_contiguous and view.nbytes else memoryview(view.tobytes())
    except (TypeError, ValueError, BufferError):
        kind = type(payload).__name__
        message = f"serialize of {model_type!r} returned {kind}, not bytes; nothing was written"
        raise PayloadError(path, message) from None


def read_front(file: BinaryIO, path: str) -> Head:
    """Read and check what stands before the payload of a file that is open."""
    start, size = _disk.read_start(file)
    return read_head(start, partial(_disk.read, file), size, path)


def _verified(head: Head, payload: plugins.ByteString, path: str, policy: Policy) -> ModelFile:
    header = head.header
    if len(payload) != header.length or hashlib.sha256(payload).hexdigest() != header.sha256:
        raise DamagedFileError(path, "its payload was altered: the SHA-256 in the header does not match")
    return ModelFile(path, header, payload, head.format_version, policy, head.front)


def _predicted(instance: Any, model_type: str, example: Example, manager: plugins.PluginManager) -> Any:
    return manager.route(model_type).predict(instance, None, *example.args, **example.kwargs)[1]
