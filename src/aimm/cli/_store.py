"""``aimm models``: model files, and the store of named models."""

import re
from typing import Any

import click

from aimm import store
from aimm.cli._arguments import json_or_text, parse_pairs
from aimm.cli._options import json_option
from aimm.cli._progress import progress
from aimm.cli._references import complete_models, open_reference, split_reference, versions_told
from aimm.cli._session import Session

store_option = click.option(
    "--store", "root", type=click.Path(file_okay=False), help="Folder of the store.  [env: AIMM_STORE]"
)
_CONDITION = re.compile(r"(?P<key>[^=<>!]+)(?P<operator>[=<>!]+)(?P<value>.*)", re.DOTALL)
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_MEANT = {"=>": ">=", "=<": "<=", "==": "=", "<>": "!="}


@click.group("models")
def models_group() -> None:
    """Keep models: verified files, and a store of named versions.

    Where a MODEL is wanted, give a model file, or the NAME, NAME@VERSION or NAME@ALIAS of a stored model.
    """


@models_group.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--meta", multiple=True, metavar="KEY=JSON", help="Say something about this version.")
@click.option("--alias", help="Let this alias point to the new version.")
@click.option("--expect", type=click.IntRange(0), help="Fail unless this is the last version; 0 for a new model.")
@store_option
@json_option
@click.pass_obj
def save(
    session: Session,
    name: str,
    file: str,
    meta: tuple[str, ...],
    alias: str | None,
    expect: int | None,
    root: str | None,
    as_json: bool,
) -> None:
    """Verify the model file FILE and keep it as the next version of NAME. No plugin is imported.

    \b
    aimm models save fraud svc.aimm --meta accuracy=0.97 --alias candidate
    """
    models = store.ModelStore(root)
    with progress(f"save {name}"):
        entry = models.add(name, file, metadata=parse_pairs(meta, "--meta"), expected=expect)
    if alias is not None:
        entry = models.alias(name, alias, entry.version)
    if as_json:
        session.write_json(entry._asdict())
    session.say(f"saved {name}@{entry.version}: {entry.model_type}, {entry.length:,} bytes, in {models.root}")


@models_group.command("list")
@click.argument("name", required=False, shell_complete=complete_models)
@click.option("--alias", help="Only versions that this alias points to; 'latest' for the last of each model.")
@click.option("--where", multiple=True, metavar="KEY>=JSON", help="Only versions whose metadata are so.")
@store_option
@json_option
@click.pass_obj
def list_(
    session: Session, name: str | None, alias: str | None, where: tuple[str, ...], root: str | None, as_json: bool
) -> None:
    """List stored versions, all or those of NAME.

    \b
    aimm models list --where 'accuracy>=0.9' --alias production
    """
    entries = store.ModelStore(root).list(name, alias=alias, where=[_condition(text) for text in where])
    if as_json:
        session.write_json([entry._asdict() for entry in entries])
        return
    rows = [
        [
            f"{entry.name}@{entry.version}",
            ", ".join(entry.aliases),
            entry.model_type,
            f"{entry.distribution or ''} {entry.plugin_version or ''}".strip(),
            f"{entry.length:,}",
            entry.created,
            " ".join(f"{key}={value}" for key, value in entry.metadata.items()),
        ]
        for entry in entries
    ]
    session.write_table(["MODEL", "ALIASES", "MODEL TYPE", "PLUGIN", "BYTES", "CREATED", "METADATA"], rows)
    if not rows:
        session.say(f"no such model is stored in {store.ModelStore(root).root}")


@models_group.command()
@click.argument("model", shell_complete=complete_models)
@store_option
@json_option
@click.pass_obj
def show(session: Session, model: str, root: str | None, as_json: bool) -> None:
    """Show what the MODEL says about itself. Its payload is not read, no plugin is imported."""
    facts = _facts(model, root)
    if as_json:
        session.write_json(facts)
        return
    if facts["example"] is not None:
        facts["example"] = "yes; 'aimm models verify' replays it"
    for key, value in facts.items():
        text = "" if value is None else value if isinstance(value, str) else repr(value)
        shown = text if text.isprintable() else ascii(text)  # a file does not get to write to the terminal
        session.write(f"{key + ':':<14}{shown}".rstrip())


def _facts(model: str, root: str | None) -> dict[str, Any]:
    reference = split_reference(model)
    if reference is None:
        return store.read_header(model)._asdict()
    models = store.ModelStore(root)
    entry = models.get(*reference)
    stored = {"model": f"{entry.name}@{entry.version}", "identity": entry.identity}
    said = {"aliases": list(entry.aliases), "metadata": entry.metadata}
    return {**stored, **said, **models.header(*reference)._asdict()}


@models_group.command()
@click.argument("model", shell_complete=complete_models)
@click.option("--no-replay", is_flag=True, help="Do not load the model; import no plugin.")
@store_option
@json_option
@click.pass_obj
def verify(session: Session, model: str, no_replay: bool, root: str | None, as_json: bool) -> None:
    """Check the MODEL, and have it predict for its input example once more.

    Digests, signature and size are checked before any plugin is imported. Exits with 1 if anything is wrong.
    """
    with progress(f"verify {model}"):
        opened = open_reference(model, root)
    checked = ["digests"]
    name = opened.header.signed_by
    if name is not None and name in opened.policy.keys:
        checked.append("signature")
    if opened.header.example is not None and not no_replay:
        manager = session.manager()
        with progress(f"replay {model}"), versions_told(session):
            opened.replay(manager=manager)
        checked.append("example")
    result = {"model": model, "checked": checked, "header": opened.header._asdict()}
    if as_json:
        session.write_json(result)
        return
    session.write(f"{model}: ok ({', '.join(checked)})")
    if name is not None and "signature" not in checked:
        session.say(f"it is signed with key {name!r}, which was not checked: no policy names that key")
    if opened.header.example is None:
        session.say("it has no input example, so what it predicts was not compared")


@models_group.command()
@click.argument("model", metavar="NAME[@VERSION]", shell_complete=complete_models)
@click.argument("alias")
@click.option("--remove", is_flag=True, help="Take the alias away instead.")
@click.option("--expect", type=click.IntRange(0), help="Fail unless the alias is at this version; 0 for none yet.")
@store_option
@click.pass_obj
def alias(session: Session, model: str, alias: str, remove: bool, expect: int | None, root: str | None) -> None:
    """Let ALIAS point to a version, the last one if none is given.

    \b
    aimm models alias fraud@3 production
    """
    name, _, version = model.partition("@")
    models = store.ModelStore(root)
    if remove:
        if version or expect is not None:
            raise click.UsageError("--remove takes NAME and ALIAS alone")
        models.remove_alias(name, alias)
        session.say(f"removed the alias {name}@{alias}")
        return
    entry = models.alias(name, alias, version or "latest", expected=expect)
    session.say(f"{name}@{alias} is version {entry.version} now")


@models_group.command()
@click.argument("model", metavar="NAME[@VERSION]", shell_complete=complete_models)
@click.option("--all", "whole", is_flag=True, help="Every version of NAME.")
@store_option
@click.pass_obj
def rm(session: Session, model: str, whole: bool, root: str | None) -> None:
    """Forget a version of a stored model, and the aliases that point to it; 'aimm models gc' frees the disk."""
    name, _, version = model.partition("@")
    if whole == bool(version):
        raise click.UsageError(f"say which version, as in {name}@3, or --all for every version of {name}")
    count = store.ModelStore(root).remove(name, None if whole else version)
    session.say(f"removed {count} version(s) of {name}")


@models_group.command()
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=store.GRACE,
    show_default=True,
    help="Seconds before a file that no version needs is taken for forgotten.",
)
@store_option
@json_option
@click.pass_obj
def gc(session: Session, grace: float, root: str | None, as_json: bool) -> None:
    """Remove the files that no version needs, and what interrupted saves left behind."""
    with progress("collect garbage"):
        count, size = store.ModelStore(root).gc(grace=grace)
    if as_json:
        session.write_json({"files": count, "bytes": size})
    session.say(f"removed {count} file(s), {size:,} bytes")


def _condition(text: str) -> "store.Condition":
    found = _CONDITION.fullmatch(text)
    if not found:
        raise click.UsageError(f"--where {text!r}: expected a key, one of {' '.join(_OPERATORS)}, and a value")
    if (operator := found["operator"]) not in _OPERATORS:
        near = f"; did you mean {_MEANT[operator]!r}?" if operator in _MEANT else ""
        raise click.UsageError(
            f"--where {text!r}: there is no operator {operator!r}, only {' '.join(_OPERATORS)}{near} "
            "(a text that begins with such a sign goes into double quotes)"
        )
    return found["key"].strip(), operator, json_or_text(found["value"].strip())
