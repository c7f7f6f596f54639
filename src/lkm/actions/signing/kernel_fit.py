"""Whether a kernel can verify signatures of a kind at all, whatever keys it trusts."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lkm.formats.module_signature import trailer

if TYPE_CHECKING:
    from lkm.actions.signing.own_certificate import OwnCertificate

__all__ = ["KernelFit"]


@dataclass(frozen=True)
class KernelFit:
    """Hold the first signature of each kind against each kernel.

    :param certificate: of the key that signs
    """

    certificate: "OwnCertificate"
    _known: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def notes(self, kernel: str | None, digest: str, content: memoryview, message: bytes) -> tuple[str, ...]:
        """Say that a kernel can't use a signature, if so.

        :param kernel: its release; None where it is not known
        :param content: what was signed
        :param message: the signature
        """
        if kernel is None or not kernel[:1].isdecimal():
            return ()
        if (kernel, digest) not in self._known:
            self._known[kernel, digest] = self._held_against(kernel, digest, content, message)
        return self._known[kernel, digest]

    def _held_against(self, kernel: str, digest: str, content: memoryview, message: bytes) -> tuple[str, ...]:
        from lkm.rules.signatures.check import check  # noqa: PLC0415  dear
        from lkm.rules.signatures.policy import SignatureState  # noqa: PLC0415  as above
        from lkm.system.kernel_traits import traits_of  # noqa: PLC0415  as above

        signed = b"".join((content, trailer(message)))
        found = check(signed, [self.certificate.der], edition=traits_of(kernel).oid_edition)
        if found.state is SignatureState.TRUSTED:
            return ()
        return (f"kernel {kernel} can't verify this: it knows no signatures by a key of this kind with {digest}",)
