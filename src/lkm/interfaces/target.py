"""What the environment says of the system to work on."""

import os
from collections.abc import Mapping

from lkm.actions.session import Target

__all__ = ["target_from_environment"]


def target_from_environment(environ: Mapping[str, str] = os.environ) -> Target:
    """Read ``LKM_ROOT``, ``LKM_RELEASE`` and ``LKM_KERNEL``; one that is empty counts as not set.

    Options of a command go before them.
    """
    return Target(
        root=environ.get("LKM_ROOT") or "/",
        release=environ.get("LKM_RELEASE") or None,
        kernel=environ.get("LKM_KERNEL") or "live",
    )
