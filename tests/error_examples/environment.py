from aimm import errors

EXAMPLES = {
    errors.PluginEnvironmentError: errors.PluginEnvironmentError("/venv cannot be written"),
    errors.EnvironmentBusyError: errors.EnvironmentBusyError("another process changes /venv"),
    errors.LedgerError: errors.LedgerError("/venv/share/aimm/ledger.json: cannot be read"),
    errors.InstallerError: errors.InstallerError("installing", "pip", 1, ["ERROR: no"], "see below", "/tmp/pip.log"),
    errors.HostConflictError: errors.HostConflictError(["click 8.1 -> 9.0: acme needs click>=9"]),
    errors.StillNeededError: errors.StillNeededError("acme", ["shop 1.0 (acme>=1)"]),
    errors.RequirementsFileError: errors.RequirementsFileError("requirements.txt", 3, "'!' is no requirement"),
}
