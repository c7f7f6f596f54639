"""What stands in for a kernel's keys where its image could not be read: the signer of its own modules."""

from typing import TYPE_CHECKING

from lkm.errors import FormatError, LkmError
from lkm.formats.module_signature import read
from lkm.rules.signatures.check import check_by
from lkm.rules.signatures.policy import SignatureState
from lkm.rules.signatures.trust import trust_of

if TYPE_CHECKING:
    from lkm.rules.loading.state import KernelState
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.module_tree import ModuleTree

__all__ = ["guesses_trust"]


def guesses_trust(tree: "ModuleTree", profile: "KernelProfile", state: "KernelState", contents: bytes) -> bool:
    """Tell whether a signature is to count as good because it names the signer of the tree's own modules.

    Never where the certificates in the kernel's image are known, or where a key that is known otherwise decides it: of
    the firmware, of the machine's owner, or given by a user.

    :param contents: the unpacked module file
    """
    if profile.certificates is not None:
        return False
    if check_by(contents, trust_of(profile, state)).state is not SignatureState.UNKNOWN_KEY:
        return False
    wanted = _signer(contents)
    sample = next(iter(tree.modules()), None)
    if wanted is None or sample is None:
        return False
    try:
        return wanted == _signer(sample.contents)
    except LkmError:
        return False


def _signer(contents: bytes) -> tuple[str, bytes] | None:
    """Name the signer of a module: (common name, serial number or key identifier)."""
    from lkm.formats import cms, cms_sign_file  # noqa: PLC0415  most kernels' images can be read

    try:
        trailer = read(contents)
        if trailer is None:
            return None
        message = trailer.signature(contents)
        first = cms_sign_file.read(message) or cms.parse(message).signers[0]
    except FormatError:
        return None
    return first.signer, first.sig_key
