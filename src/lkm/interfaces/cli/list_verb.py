"""Show the loaded modules, newest first."""

import argparse

from lkm.actions.session import Session
from lkm.interfaces.cli.output import print_json, print_table, wants_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("--tainting", action="store_true", help="only modules that taint the kernel")


def run(options: argparse.Namespace, session: Session) -> int:
    """Print name, size, reference count, users, state and taint of each module."""
    modules = [module for module in session.kernel.loaded() if module.taints or not options.tainting]
    if wants_json(options):
        print_json(
            "list",
            release=session.kernel.release,
            modules=[
                {
                    "name": module.name,
                    "size": module.size,
                    "refcount": module.refcount,
                    "used_by": list(module.used_by),
                    "state": module.state,
                    "taints": module.taints,
                    "permanent": module.permanent,
                }
                for module in modules
            ],
        )
        return 0
    print_table(
        ("MODULE", "SIZE", "USES", "TAINT", "USED BY"),
        [
            (
                module.name,
                _size(module.size),
                "-" if module.refcount is None else str(module.refcount),
                module.taints or "-",
                ", ".join(module.used_by) + (" (permanent)" if module.permanent else ""),
            )
            for module in modules
        ],
        numbers=(1, 2),
    )
    return 0


def _size(size: int) -> str:
    return f"{size / 1024:.0f} KiB"
