from aimm import errors
from aimm.errors import PluginFailure

FAILURE = PluginFailure(
    "forest",
    "import",
    "dist-a",
    "1.2",
    "[aimm.models] forest = a.b:Forest",
    "/site/a/b.py:3",
    "ValueError: boom",
    "correct it",
    "Traceback ...",
)
CONFLICT = errors.PluginConflictError("model type", "m", ["dist-a 1.0 (a)", "dist-b 1.0 (b)"], ["dist-a", "dist-b"])

EXAMPLES = {
    errors.AimmError: errors.AimmError("anything"),
    errors.ConfigError: errors.ConfigError("expected a list", "names[0]", "/etc/aimm.yaml"),
    errors.DeclarationError: errors.DeclarationError("@fit expects a list"),
    errors.HookSignatureError: errors.HookSignatureError("takes 'x', which the hook does not pass"),
    errors.DuplicateError: errors.DuplicateError("fit", "m", "module 'a'", "module 'b'"),
    errors.PluginNotFoundError: errors.PluginNotFoundError("fit", "m", ["n"], ["did you mean 'n'?"]),
    errors.PluginConflictError: CONFLICT,
    errors.PluginUnavailableError: errors.PluginUnavailableError("fit", "m", FAILURE),
    errors.PluginLoadError: errors.PluginLoadError([FAILURE], ("any", "report"), [CONFLICT]),
    errors.StateCallbackError: errors.StateCallbackError("fit", "m", "list [1]"),
    errors.ArgumentTwiceError: errors.ArgumentTwiceError("fit", "m", "mod.fit", "callback", "state callback"),
    errors.AsyncCallError: errors.AsyncCallError("fit", "m"),
    errors.PluginExitError: errors.PluginExitError("fit", "m", "plugin 'm'", "3"),
    errors.PluginContractWarning: errors.PluginContractWarning("returned str"),
}
