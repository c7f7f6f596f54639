"""The build configuration of a tree's kernel, wherever a root keeps it."""

import os

from lkm.errors import LkmError
from lkm.formats.kconfig import parse
from lkm.formats.kernel_image import ikconfig
from lkm.system.kernel_image_file import ImageFile
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

__all__ = ["config_places", "find_config", "read_config"]

_RUNNING = "/proc/config.gz"
_LONGEST = 8 << 20  # bytes: some thirty times that of a distribution
_MODULE = "configs"  # kernel/configs.c


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


def find_config(
    tree: ModuleTree, image: ImageFile | None, *, image_is_given: bool = False
) -> tuple[dict[str, str], str] | None:
    """Find the configuration in a file, in the kernel image, in the module ``configs``, or of the running kernel.

    :param image_is_given: it was named by the user, so its copy, or a file beside it, goes before the root's files
    :returns: as :func:`read_config`
    """
    given = (_of_image(image) or _beside_image(tree, image)) if image_is_given else None
    if given:
        return given
    try:
        found = read_config(tree)
    except LkmError:
        found = None
    return found or _of_image(image) or _of_module(tree) or _of_running_kernel(tree)


def _of_image(image: ImageFile | None) -> tuple[dict[str, str], str] | None:
    text = ikconfig.find(image.contents) if image is not None else None
    return None if image is None or text is None else (parse(text), f"the copy inside of {image.source}")


def _beside_image(tree: ModuleTree, image: ImageFile | None) -> tuple[dict[str, str], str] | None:
    """Look where packages put it, of a root that was unpacked anywhere: /boot/config-RELEASE, or RELEASE/config."""
    if image is None:
        return None
    directory = os.path.dirname(os.path.abspath(image.source))  # noqa: PTH100, PTH120  pathlib is dear at start-up
    name = "config" if os.path.basename(directory) == tree.release else f"config-{tree.release}"  # noqa: PTH119
    path = f"{directory}/{name}"
    try:
        return parse(Root().read_text(path, limit=_LONGEST)), path
    except LkmError:
        return None


def _of_module(tree: ModuleTree) -> tuple[dict[str, str], str] | None:
    try:
        module = tree.module(_MODULE)
        text = None if module is None else ikconfig.find(module.contents)
    except LkmError:
        return None
    return None if module is None or text is None else (parse(text), f"the copy inside of {module.display_path}")


def _of_running_kernel(tree: ModuleTree) -> tuple[dict[str, str], str] | None:
    if not tree.root.is_host or tree.release != os.uname().release:
        return None
    try:
        return parse(ikconfig.unpack(tree.root.read_bytes(_RUNNING))), _RUNNING
    except LkmError:
        return None
