"""Write the indexes of a module tree, by which names, aliases and symbols are found: modules.dep and its companions."""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.indexing.tree import index_tree
from lkm.actions.session import Session
from lkm.interfaces.cli.output import print_json, wants_json
from lkm.interfaces.messages import printable

if TYPE_CHECKING:
    from lkm.system.notices import Notice

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("-n", "--dry-run", action="store_true", help="write nothing, only tell what is wrong")
    parser.add_argument("--no-cache", action="store_true", help="read every module, and keep nothing for the next run")


def run(options: argparse.Namespace, session: Session) -> int:
    """Make the indexes."""
    notices: list[Notice] = []
    tree = session.tree
    result = index_tree(tree, dry_run=options.dry_run, use_cache=not options.no_cache, say=notices.append)
    if wants_json(options):
        print_json(
            "index",
            directory=tree.display_directory,
            modules=result.modules,
            read=result.read,
            was_current=result.was_current,
            written=[] if options.dry_run else sorted(result.files),
            notices=[{"level": notice.level.name.lower(), "text": notice.text} for notice in notices],
        )
        return 0
    for notice in notices:
        print(f"{notice.level.name.lower()}: {printable(notice.text)}")
    if result.was_current:
        print(f"{tree.display_directory}: {result.modules} modules, the indexes are current")
    else:
        done = "indexes would be written" if options.dry_run else f"{len(result.files)} indexes written"
        print(f"{tree.display_directory}: {result.modules} modules, {result.read} of them read, {done}")
    return 0
