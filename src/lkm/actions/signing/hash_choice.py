"""Which digest modules are signed with: the one that the target kernel's own modules have."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import FormatError, LkmError, UsageError
from lkm.formats.cms_writer import DIGESTS
from lkm.formats.module_image import ModuleImage

if TYPE_CHECKING:
    from lkm.system.root import Root

__all__ = ["HashChoice", "HashChooser"]

_OPTION = "MODULE_SIG_HASH"
_COMMON = "sha256"
_LONGEST = 32  # characters of a name that is told


class HashChoice(NamedTuple):
    """A digest, and in words why it was taken.

    :param kernel: the release that it is for, where that is known
    """

    digest: str
    reason: str
    kernel: str | None = None


@dataclass(frozen=True)
class HashChooser:
    """Choose a digest for each module; what is found out is kept.

    :param root: where the kernels' configurations are
    :param given: what the user wants, whatever the kernels say
    :param release: the kernel to sign for; by default the one that each module was built for
    :param fallback: the kernel to sign for where nothing is known of the one that a module was built for
    :raises UsageError: no kernel verifies the digest that was given
    """

    root: "Root"
    given: str | None = None
    release: str | None = None
    fallback: str | None = None
    _known: "dict[str, HashChoice | None]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.given is not None and self.given not in DIGESTS:
            raise UsageError(f"no kernel verifies {self.given!r}", where="--hash", hint=f"choose {', '.join(DIGESTS)}")

    def choose(self, module: memoryview) -> HashChoice:
        """Choose for a module.

        :param module: without its signature
        """
        kernel = self.release or _release_of(module)
        if self.given is not None:
            return HashChoice(self.given, "as --hash says", kernel)
        for release in (kernel, self.fallback):
            found = self._of(release) if release else None
            if found is not None:
                return found._replace(kernel=kernel or release)
        return HashChoice(_COMMON, f"as no configuration of kernel {kernel or '?'} was found", kernel)

    def _of(self, release: str) -> HashChoice | None:
        if release not in self._known:
            self._known[release] = _read(self.root, release)
        return self._known[release]


def _release_of(module: memoryview) -> str | None:
    """Read the kernel that a module was built for out of its vermagic."""
    try:
        words = (ModuleImage(module).modinfo.first("vermagic") or "").split()
    except FormatError:
        return None
    return words[0] if words else None


def _read(root: "Root", release: str) -> HashChoice | None:
    from lkm.system.kernel_config import find_config  # noqa: PLC0415  --hash needs none
    from lkm.system.kernel_image_file import ImageFile, read_image  # noqa: PLC0415  as above
    from lkm.system.module_tree import ModuleTree  # noqa: PLC0415  as above

    try:
        tree = ModuleTree(root, release)
        found = find_config(tree, None)
        if found is None:
            image = read_image(tree)
            found = find_config(tree, image) if isinstance(image, ImageFile) else None
    except LkmError:
        return None
    if found is None:
        return None
    options, source = found
    digest = options.get(_OPTION)
    if digest in DIGESTS:
        return HashChoice(digest, f"as CONFIG_{_OPTION} of kernel {release} says ({source})", release)
    if digest is None:
        return HashChoice(_COMMON, f"as the configuration of kernel {release} names none ({source})", release)
    what = f"CONFIG_{_OPTION} of kernel {release} is {digest[:_LONGEST]!r}, which nobody here knows"
    return HashChoice(_COMMON, f"as {what} ({source})", release)
