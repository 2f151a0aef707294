"""``aimm types``: model types and their owners."""

import click

from aimm import plugins
from aimm._types import MODEL_ACTIONS
from aimm.cli._names import names_in
from aimm.cli._options import json_option
from aimm.cli._session import Session
from aimm.errors import PluginNotFoundError


@click.group("types")
def types_group() -> None:
    """List and show model types and their owners."""


@types_group.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List every model type that is declared by name, and the plugins that answer to further ones.

    Only hook plugins are imported. The actions of a model type are known once its owner is loaded.
    """
    owners = session.manager().owners("model type")
    if as_json:
        session.write_json([owner._asdict() for owner in owners])
        return
    rows = [
        [o.name, o.plugin, o.distribution or "", o.version or "", ", ".join(o.actions) or "(not loaded)"]
        for o in owners
    ]
    session.write_table(["MODEL TYPE", "PLUGIN", "DISTRIBUTION", "VERSION", "ACTIONS"], rows)


@types_group.command()
@click.argument("model_type", shell_complete=names_in("aimm.models"))
@json_option
@click.pass_obj
def show(session: Session, model_type: str, as_json: bool) -> None:
    """Show who owns a model type, what it can do, and which arguments it takes. Loads its owner."""
    manager = session.manager()
    manager.route(model_type)
    actions = [_action(manager, model_type, action) for action in MODEL_ACTIONS]
    if as_json:
        session.write_json({"model_type": model_type, "actions": [action for action in actions if action]})
        return
    rows = [
        [str(a["action"]), str(a["plugin"]), f"{a['distribution'] or ''} {a['version'] or ''}", _shown(a["parameters"])]
        for a in actions
        if a
    ]
    session.write_table(["ACTION", "PLUGIN", "DISTRIBUTION", "ARGUMENTS"], rows)


def _action(manager: plugins.PluginManager, model_type: str, action: str) -> dict[str, object]:
    try:
        owner = manager.owner(model_type, action)
    except PluginNotFoundError:
        return {}
    parameters = manager.parameters(model_type, action) if action in ("instantiate", "fit", "predict") else []
    return {
        "action": action,
        "plugin": owner.plugin,
        "distribution": owner.distribution,
        "version": owner.version,
        "parameters": parameters,
    }


def _shown(parameters: object) -> str:
    return "(any)" if parameters is None else ", ".join(map(str, parameters)) if isinstance(parameters, list) else ""
