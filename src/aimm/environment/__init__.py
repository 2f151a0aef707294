"""Install and remove plugins so that nothing is left behind, and nothing breaks.

Everything acts on the environment of the running interpreter. A change is planned first
(:class:`InstallPlan`, :class:`UninstallPlan`) and then made by ``apply``, whole or not at all.
"""

try:
    import packaging as _packaging
except ImportError as error:
    from aimm.errors import MissingExtraError

    raise MissingExtraError("packaging", "environment", "installing and removing plugins") from error

from aimm.environment._freeze import freeze, restore_request
from aimm.environment._install import InstallPlan, InstallRequest
from aimm.environment._installers import Sources
from aimm.environment._journal import Recovery, recover
from aimm.environment._place import describe
from aimm.environment._removal import Step
from aimm.environment._uninstall import UninstallPlan, UninstallRequest
from aimm.environment._verify import Deviation, external_remarks, verify

del _packaging

__all__ = [
    "Deviation",
    "InstallPlan",
    "InstallRequest",
    "Recovery",
    "Sources",
    "Step",
    "UninstallPlan",
    "UninstallRequest",
    "describe",
    "external_remarks",
    "freeze",
    "recover",
    "restore_request",
    "verify",
]
