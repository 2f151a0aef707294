"""What tests build plugins from: installed distributions as real ``dist-info`` trees, and real modules."""

import importlib
import itertools
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

EntryPoints = Mapping[str, Mapping[str, str] | Iterable[tuple[str, str]]]
"""Group to its entry points; pairs where one name stands twice."""

_numbers = itertools.count(1)


class FakeSite:
    """A folder that looks like ``site-packages``; whoever makes it puts it on ``sys.path``.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path

    def add(
        self,
        name: str,
        version: str = "1.0",
        entry_points: EntryPoints | None = None,
        modules: Mapping[str, str] | None = None,
        summary: str = "",
        *,
        raw_entry_points: str | bytes | None = None,
        raw_metadata: str | bytes | None = None,
        without_metadata: bool = False,
        folder: str | None = None,
    ) -> Path:
        """Install a distribution, or overwrite it.

        Args:
            name: Name of the distribution.
            version: Its version.
            entry_points: What ``entry_points.txt`` declares.
            modules: Dotted module name to source, which is dedented.
            summary: The summary in ``METADATA``.
            raw_entry_points: Content of ``entry_points.txt`` instead, for malformed ones.
            raw_metadata: Content of ``METADATA`` instead.
            without_metadata: Leave ``METADATA`` out.
            folder: Name of the metadata folder; ``<name>-<version>.dist-info`` if not given.

        Returns:
            The metadata folder.
        """
        info = self.path / (folder or f"{name.replace('-', '_')}-{version}.dist-info")
        info.mkdir(parents=True, exist_ok=True)
        if not without_metadata:
            identity = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n"
            _write(info / "METADATA", identity if raw_metadata is None else raw_metadata)
        if raw_entry_points is not None or entry_points:
            _write(info / "entry_points.txt", raw_entry_points or entry_points_text(entry_points or {}))
        for module, source in (modules or {}).items():
            self.module(module, source)
        _write(info / "RECORD", "".join(f"{file.relative_to(self.path)},,\n" for file in info.iterdir()))
        importlib.invalidate_caches()
        return info

    def module(self, name: str, source: str = "") -> Path:
        """Write a module; the packages around a dotted name are made where they are missing.

        Returns:
            The file.
        """
        *packages, last = name.split(".")
        folder = self.path
        for package in packages:
            folder = folder / package
            folder.mkdir(exist_ok=True)
            if not (folder / "__init__.py").exists():
                _write(folder / "__init__.py", "")
        file = folder / last / "__init__.py" if (folder / last).is_dir() else folder / f"{last}.py"
        _write(file, textwrap.dedent(source))
        importlib.invalidate_caches()
        return file

    def remove(self, name: str, version: str = "1.0") -> None:
        """Uninstall the metadata of a distribution; its modules stay."""
        shutil.rmtree(self.path / f"{name.replace('-', '_')}-{version}.dist-info")


def entry_points_text(entry_points: EntryPoints) -> str:
    """The content of an ``entry_points.txt``."""
    lines: list[str] = []
    for group, declared in entry_points.items():
        pairs = declared.items() if isinstance(declared, Mapping) else declared
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in pairs), ""]
    return "\n".join(lines)


def unique_name(stem: str = "mod") -> str:
    """A module name that no other test of this process uses."""
    return f"{stem}_{next(_numbers)}"


def model_source(*model_types: str, tag: str = "", before: str = "", after: str = "") -> str:
    """The source of a module that declares all five actions of some model types by decorators.

    An instance is a list; ``fit`` appends its arguments, ``predict`` returns ``(tag or module name, argument)``.

    Args:
        model_types: The model types.
        tag: What predictions carry.
        before: Source lines to run first, after ``from aimm import plugins``.
        after: Source lines to run at the end.
    """
    template = """
        from aimm import plugins
        {before}
        TYPES = {types!r}
        def make(*args, **kwargs):
            return [*args, kwargs]
        for model_type in TYPES:
            plugins.instantiate(model_type)(make)
        @plugins.fit(TYPES)
        def fit(instance, *args, **kwargs):
            instance.append((args, kwargs))
            return instance
        @plugins.predict(TYPES)
        def predict(instance, *args, **kwargs):
            return {tag!r} or __name__, args, kwargs
        @plugins.serialize(TYPES)
        def serialize(instance):
            return repr(instance).encode()
        @plugins.deserialize(TYPES)
        def deserialize(instance_bytes):
            import ast
            return ast.literal_eval(bytes(instance_bytes).decode())
        {after}
    """
    source = textwrap.dedent(template)
    return source.format(
        types=list(model_types), tag=tag, before=textwrap.dedent(before), after=textwrap.dedent(after)
    ).lstrip()


def class_source(name: str = "Forest", *, decorated: bool = False) -> str:
    """The source of a module with a model class: ``predict`` returns ``(class name, X)``, the state is ``n``."""
    return textwrap.dedent(f"""
        from aimm import plugins

        {"@plugins.model" if decorated else ""}
        class {name}(plugins.Model):
            def __init__(self, n=0):
                self.n = n

            def fit(self, X, y=None, epochs=1):
                self.n += epochs
                return self

            def predict(self, X):
                return {name!r}, X

            def serialize(self):
                return str(self.n).encode()

            @classmethod
            def deserialize(cls, instance_bytes):
                return cls(int(bytes(instance_bytes)))
    """).lstrip()


def _write(file: Path, content: str | bytes) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
