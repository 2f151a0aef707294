"""Named models with versions, aliases and metadata: the composition of an index and of files named by content."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO, TypeVar

from aimm import plugins
from aimm.errors import DamagedFileError, ModelNameError, ModelNotFoundError, StoreError
from aimm.store._example import Example
from aimm.store._file import Draft, ModelFile, open_model, read_front, read_verified
from aimm.store._index import LATEST, OPERATORS, Condition, Index, ModelVersion, SqliteIndex, Value, is_flat
from aimm.store._layout import Head, Header
from aimm.store._objects import GRACE, ObjectFolder, Objects
from aimm.store._policy import Policy

ATTEMPTS = 20
VARIABLE = "AIMM_STORE"
Opened = TypeVar("Opened", Head, ModelFile)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class ModelStore:
    """Named models, each with numbered versions and with aliases that point to some of them.

    A version is there as a whole or not at all, whatever process dies and whenever. Many processes and threads of one
    machine may use a store at once, each through as many objects of this class as it likes.

    Args:
        root: Folder of the store; made when the first model is saved. If not given: what the variable ``AIMM_STORE``
            names, else ``aimm/models`` among the user's data.
        index: Another index than the SQLite file in this folder.
        objects: Another place for model files than this folder.

    Attributes:
        root: The folder.
    """

    def __init__(
        self, root: str | os.PathLike[str] | None = None, *, index: Index | None = None, objects: Objects | None = None
    ) -> None:
        self.root = os.path.abspath(default_root() if root is None else os.fspath(root))
        self._index = index or SqliteIndex(os.path.join(self.root, "index.sqlite"), self.root)
        self._objects = objects or ObjectFolder(os.path.join(self.root, "objects"))

    def save(
        self,
        name: str,
        model_type: str,
        instance: Any,
        *,
        metadata: Mapping[str, Value] | None = None,
        expected: int | None = None,
        example: Example | None = None,
        policy: Policy | None = None,
        manager: plugins.PluginManager = plugins.default_manager,
    ) -> ModelVersion:
        """Serialise an instance and keep it as the next version of a model.

        Args:
            name: The model: letters, digits, ``.``, ``_`` and ``-``.
            model_type: Model type of the instance.
            instance: The instance.
            metadata: What to say about it, flat: text to text, numbers, truth values or None.
            expected: The number that the last version has to have; 0 for a new model; None for any.
            example: As for :func:`save_model`.
            policy: As for :func:`save_model`.
            manager: Whose plugins serialise it.

        Returns:
            The version.

        Raises:
            ModelNameError: The name or the metadata are not of this form.
            StaleVersionError: The last version is another one than expected.
            PayloadError: The plugin's ``serialize`` did not return bytes.
            ExampleError: The example cannot be kept.
            StoreError: The index cannot be written.
            OSError: The file cannot be written.
        """
        said = self._checked(name, metadata)
        draft = Draft(f"{name} in model store {self.root}", model_type, instance, example, policy, manager)
        return self._commit(name, said, expected, draft)

    def add(
        self,
        name: str,
        path: str | os.PathLike[str],
        *,
        metadata: Mapping[str, Value] | None = None,
        expected: int | None = None,
        policy: Policy | None = None,
    ) -> ModelVersion:
        """Verify a model file and keep it, as it is, as the next version of a model; no plugin is needed for it.

        Args:
            name: As for :meth:`save`.
            path: The model file.
            metadata: As for :meth:`save`.
            expected: As for :meth:`save`.
            policy: What to demand of the file; that of the process if not given.

        Returns:
            The version.

        Raises:
            ModelFileError: As for :func:`open_model`.
            ModelNameError: The name or the metadata are not of this form.
            StaleVersionError: The last version is another one than expected.
            StoreError: The index cannot be written.
            OSError: A file cannot be read or written.
        """
        said = self._checked(name, metadata)
        return self._commit(name, said, expected, open_model(path, policy=policy))

    def _commit(
        self, name: str, metadata: dict[str, Value], expected: int | None, file: Draft | ModelFile
    ) -> ModelVersion:
        for _ in range(ATTEMPTS):
            try:
                identity = self._objects.write(file.parts(), file.head, lambda: file.identity)
            except FileNotFoundError:
                continue
            head = file.header
            origin = head.model_type, head.distribution, head.version, head.created, head.length
            entry = ModelVersion(name, 0, identity, *origin, metadata)
            committed = self._index.add(entry, expected, self._objects.has)
            if committed is not None:
                return committed
            # Somebody's gc took the file for forgotten, as this process was asleep: write it again.
        raise StoreError(
            self.root, f"{name}: what is written disappears again and again: is a gc without grace running?"
        )

    def open(self, name: str, version: int | str = LATEST, *, policy: Policy | None = None) -> ModelFile:
        """Read and verify a stored model, without any plugin.

        Args:
            name: The model.
            version: Number, alias or ``latest``.
            policy: What to demand; that of the process if not given.

        Raises:
            ModelNotFoundError: There is no such version.
            ModelFileError: As for :func:`open_model`.
            OSError: The file cannot be read.
        """
        return self._read(name, version, lambda file, shown: read_verified(file, shown, policy))

    def header(self, name: str, version: int | str = LATEST) -> Header:
        """The header of a stored model; neither payload nor signature are checked.

        Args:
            name: The model.
            version: Number, alias or ``latest``.

        Raises:
            ModelNotFoundError: There is no such version.
            ModelFileError: As for :func:`read_header`.
            OSError: The file cannot be read.
        """
        return self._read(name, version, read_front).header

    def _read(self, name: str, version: int | str, read: Callable[[BinaryIO, str], Opened]) -> Opened:
        while True:
            entry = self.get(name, version)
            shown = f"{entry.name}@{entry.version} ({self._objects.place(entry.identity)})"
            try:
                with self._objects.open(entry.identity) as file:
                    opened = read(file, shown)
            except FileNotFoundError:
                if entry != self.get(name, version):
                    continue  # removed and collected, or replaced, since it was looked up
                raise DamagedFileError(shown, "the model file is gone: somebody removed it from the store") from None
            if opened.identity != entry.identity:
                raise DamagedFileError(shown, "it is another model file than the one that was saved under this version")
            return opened

    def load(
        self,
        name: str,
        version: int | str = LATEST,
        *,
        policy: Policy | None = None,
        manager: plugins.PluginManager = plugins.default_manager,
    ) -> tuple[ModelFile, Any]:
        """Verify a stored model, then have its model type deserialise it.

        Args:
            name: The model.
            version: Number, alias or ``latest``.
            policy: As for :meth:`open`.
            manager: Whose plugins deserialise it.

        Returns:
            The verified file and the instance.

        Raises:
            ModelNotFoundError: There is no such version.
            ModelFileError: As for :func:`load_model`.
            PluginNotFoundError: No installed plugin owns its model type.
        """
        opened = self.open(name, version, policy=policy)
        return opened, opened.load(manager=manager)

    def get(self, name: str, version: int | str = LATEST) -> ModelVersion:
        """What is known about one version.

        Args:
            name: The model.
            version: Number, alias or ``latest``.

        Raises:
            ModelNotFoundError: There is no such version; the message says what there is.
        """
        found = self._index.find(name, _number(version), ())
        if not found:
            raise ModelNotFoundError(self.root, self._what_there_is(name, version))
        return found[0]

    def list(
        self, name: str | None = None, *, alias: str | None = None, where: Iterable[Condition] = ()
    ) -> list[ModelVersion]:
        """Versions, sorted by model and number.

        Args:
            name: Only those of this model.
            alias: Only those that this alias points to.
            where: Only those whose metadata fulfil all of these: key, one of ``= != < <= > >=``, value. What has
                no such key counts as None. Numbers are greater or less than numbers only, text than text.

        Raises:
            ModelNameError: A condition has another operator or value.
            StoreError: The index cannot be read.
        """
        conditions = list(where)
        for key, operator, value in conditions:
            if operator not in OPERATORS or not is_flat({key: value}):
                message = f"({key!r}, {operator!r}, {value!r}) is no condition: expected key, one of"
                raise ModelNameError(self.root, f"{message} {' '.join(OPERATORS)}, value")
        return self._index.find(name, alias, conditions)

    def alias(self, name: str, alias: str, version: int | str = LATEST, *, expected: int | None = None) -> ModelVersion:
        """Let an alias of a model point to one of its versions.

        Args:
            name: The model.
            alias: The alias, ``production`` say; not ``latest``, and no number.
            version: Number, other alias or ``latest``.
            expected: The version that it has to point to until now; 0 for none; None for any.

        Returns:
            The version that it points to now.

        Raises:
            ModelNotFoundError: There is no such version.
            ModelNameError: The alias is not of this form.
            StaleVersionError: It points to another version than expected.
            StoreError: The index cannot be written.
        """
        self._check_name(alias, "an alias")
        if alias == LATEST or alias.isdecimal():
            raise ModelNameError(self.root, f"{alias!r} cannot be an alias: numbers and {LATEST!r} mean versions")
        entry = self._index.point(name, alias, _number(version), expected)
        if entry is None:
            raise ModelNotFoundError(self.root, self._what_there_is(name, version))
        return entry

    def remove_alias(self, name: str, alias: str) -> None:
        """Take an alias away; the version stays.

        Raises:
            ModelNotFoundError: The model has no such alias.
            StoreError: The index cannot be written.
        """
        if self._index.point(name, alias, None, None) is None:
            raise ModelNotFoundError(self.root, self._what_there_is(name, alias))

    def remove(self, name: str, version: int | str | None = None) -> int:
        """Forget a version, or a whole model; ``gc`` removes the files.

        Args:
            name: The model.
            version: Number, alias or ``latest``; None for all.

        Returns:
            How many versions were forgotten.

        Raises:
            ModelNotFoundError: There is no such version.
            StoreError: The index cannot be written.
        """
        removed = self._index.remove(name, None if version is None else self.get(name, version).version)
        if not removed:
            raise ModelNotFoundError(self.root, self._what_there_is(name, LATEST))
        return removed

    def gc(self, *, grace: float = GRACE) -> tuple[int, int]:
        """Remove the files that no version needs, and what killed saves left behind.

        Args:
            grace: Seconds since a file was written before it is taken for forgotten: another process may be about to
                commit it.

        Returns:
            How many files were removed, and how many bytes they had.

        Raises:
            StoreError: The index cannot be read.
            OSError: A file cannot be removed.
        """
        sizes = dict(self._objects.old(grace))
        removed = self._index.sweep(sizes, self._objects.remove) if sizes else []
        return len(removed), sum(sizes[identity] for identity in removed)

    def _checked(self, name: str, metadata: Mapping[str, Value] | None) -> dict[str, Value]:
        self._check_name(name, "a model name")
        said = dict(metadata or {})
        if not is_flat(said):
            expected = "expected a flat mapping from text without quotes to text, numbers, truth values or None"
            raise ModelNameError(self.root, f"metadata {said!r}: {expected}")
        return said

    def _check_name(self, name: str, what: str) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            allowed = "expected up to 128 letters, digits, '.', '_', '-', the first a letter or digit"
            raise ModelNameError(self.root, f"{name!r} is not {what}: {allowed}")

    def _what_there_is(self, name: str, version: int | str) -> str:
        versions = self._index.find(name, None, ())
        if not versions:
            from difflib import get_close_matches

            known = sorted({entry.name for entry in self._index.find(None, None, ())})
            near = get_close_matches(str(name), known, n=1)
            return f"no model is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        names = sorted({alias for entry in versions for alias in entry.aliases})
        numbers = f"{versions[0].version} to {versions[-1].version}" if len(versions) > 1 else str(versions[0].version)
        return f"{name} has no version {version!r}: it has {numbers}, aliases: {', '.join(names) or 'none'}"


def _number(version: int | str) -> int | str:
    return int(version) if str(version).isdecimal() else version


def default_root() -> str:
    """The folder of the store of this user, unless the variable ``AIMM_STORE`` names another."""
    if named := os.environ.get(VARIABLE):
        return named
    home = os.path.expanduser("~")
    data = {"win32": os.environ.get("LOCALAPPDATA", home), "darwin": f"{home}/Library/Application Support"}
    usual = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    return os.path.join(data.get(sys.platform, usual), "aimm", "models")
