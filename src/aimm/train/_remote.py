"""Reaching a path or URL through fsspec, which knows S3 and dozens of other places."""

import os
from typing import Any

from aimm.errors import MissingExtraError, TrainError

_S3 = ("s3", "s3a")


def is_remote(place: str) -> bool:
    """Whether this is a URL of something else than a local file."""
    return "://" in place and not place.startswith(("file://", "local://"))


def local_path(place: str) -> str:
    """A local place as an absolute path; ``~`` and ``file://`` are understood."""
    for scheme in ("file://", "local://"):
        place = place.removeprefix(scheme)
    return os.path.abspath(os.path.expanduser(place))


def connect(url: str) -> tuple[Any, str]:
    """The fsspec file system that a URL belongs to, and the path in there without a slash at the end.

    Credentials and other options come from the environment and from the configuration of fsspec, never from a
    training configuration: that is published with each run.

    Raises:
        MissingExtraError: fsspec, or what it needs for this protocol, is not installed.
        TrainError: The protocol is unknown.
    """
    protocol = url.partition("://")[0]
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtraError("fsspec", "s3" if protocol in _S3 else "remote", f"reaching {url}") from error
    try:
        filesystem, path = url_to_fs(url)
    except ImportError as error:
        if protocol in _S3:
            raise MissingExtraError("s3fs", "s3", f"reaching {url}") from error
        raise TrainError(f"{url} cannot be reached: {error}") from error
    except ValueError as error:
        raise TrainError(f"{url} cannot be reached: {error}") from error
    return filesystem, path.rstrip("/")


def fetch(url: str, folder: str) -> str:
    """Copy a remote file or folder into a local folder, unless its present state is there already.

    Args:
        url: Where it is.
        folder: Where copies are kept.

    Returns:
        The local path.

    Raises:
        FileNotFoundError: There is nothing.
    """
    import hashlib
    import secrets
    import shutil

    filesystem, root = connect(url)
    names = sorted(filesystem.find(root))
    if not names:
        raise FileNotFoundError(url)
    state = "\n".join([url, *(f"{name} {filesystem.ukey(name)}" for name in names)])
    target = os.path.join(folder, hashlib.sha256(state.encode()).hexdigest()[:20], os.path.basename(root) or "root")
    if os.path.exists(target):
        return target
    partial = f"{target}.{secrets.token_hex(4)}.part"
    try:
        for name in names:
            inner = name[len(root) :].strip("/")
            file = os.path.join(partial, *inner.split("/")) if inner else partial
            os.makedirs(os.path.dirname(file), exist_ok=True)
            filesystem.get_file(name, file)
        os.rename(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        if os.path.isfile(partial):
            os.unlink(partial)
        raise
    return target
