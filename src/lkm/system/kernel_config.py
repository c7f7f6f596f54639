"""The build configuration of a tree's kernel, wherever a root keeps it."""

from lkm.formats.kconfig import parse
from lkm.system.module_tree import ModuleTree

__all__ = ["config_places", "read_config"]


def config_places(tree: ModuleTree) -> tuple[str, ...]:
    """Give the paths inside the root at which distributions put the configuration, the first that exists counts."""
    return (f"/boot/config-{tree.release}", f"{tree.directory}/config", f"{tree.directory}/build/.config")


def read_config(tree: ModuleTree) -> tuple[dict[str, str], str] | None:
    """Read the configuration.

    :returns: (option without ``CONFIG_`` to value, the file it stands in as people should see it), or None where no
        file has it
    :raises Unreadable: a file is there and can't be read
    """
    for path in config_places(tree):
        if tree.root.is_file(path):
            return parse(tree.root.read_text(path)), tree.root.display(path)
    return None
