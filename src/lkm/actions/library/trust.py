"""Signatures and keys of a system: who signed a module, which kernel takes it, signing, Secure Boot and lockdown."""

from typing import TYPE_CHECKING

from lkm.actions.library.progress import Progress, watching
from lkm.actions.session import Session

if TYPE_CHECKING:
    from lkm.actions.lockdown.report import LockdownReport
    from lkm.actions.mok.places import MokTest
    from lkm.actions.mok.status import MokStatus
    from lkm.actions.signing.sign import SignReport, SignRequest
    from lkm.actions.trusted_keys.results import TrustOptions, TrustReport
    from lkm.actions.verifying.options import VerifyOptions
    from lkm.actions.verifying.verify import VerifyReport

__all__ = ["Trust"]


class Trust:
    """What a system trusts, and making it trust. Got as ``System.trust``.

    ``progress``, where a method takes it, is called with how many modules are done, and of how many.

    :param session: the system
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def verify(
        self, *subjects: str, options: "VerifyOptions | None" = None, progress: Progress | None = None
    ) -> "VerifyReport":
        """Verify the signatures of modules.

        :param subjects: module files, names or aliases; none with ``options.tree``
        :param options: whose keys count, a detached signature, a whole tree
        :returns: ``modules``, each with ``answer``: ``is_accepted``, ``keyring``, ``signer``, ``why``; and ``errors``
            of what could not be found or read, which is not raised
        :raises UsageError: the options do not go together
        :raises Unreadable: what is known of the kernel, the tree or the detached signature can't be read
        """
        from lkm.actions.verifying.verify import verify  # noqa: PLC0415  each task imports much that the others don't need

        return verify(self._session, subjects, options, watching(progress))

    def sign(self, request: "SignRequest", *, progress: Progress | None = None) -> "SignReport":
        """Sign modules, or take their signatures away; each file is whole at any instant, the old or the new one.

        :param request: which modules, by which key; ``strip`` for taking away
        :returns: ``files`` says what became of each; ``errors`` what went wrong, which is not raised: one bad file is
            no harm to the others
        :raises UsageError: the request contradicts itself, or the key can't be used
        :raises Unreadable: the key, the certificate or the directory can't be read
        """
        from lkm.actions.signing.sign import carry_out, prepare  # noqa: PLC0415  as above

        plan = prepare(self._session, request)
        with watching(progress)(len(plan.subjects.files)) as advance:
            return carry_out(self._session, plan, advance)

    def keys(self, options: "TrustOptions | None" = None, *, progress: Progress | None = None) -> "TrustReport":
        """Tell which keys the kernel trusts for modules, where each came from, and how many modules it signed.

        :param options: of another kernel, with other EFI variables, without counting modules
        :returns: ``keyrings`` in the order in which the kernel asks them, ``lists`` of the firmware, ``keys`` of both;
            ``problems``: what is not known, and why
        :raises Unreadable, UsageError: what was named can't be read
        :raises TreeMissing: the root has no module tree
        """
        from lkm.actions.trusted_keys.report import trusted_keys  # noqa: PLC0415
        from lkm.actions.trusted_keys.results import TrustOptions  # noqa: PLC0415  as above

        return trusted_keys(self._session, options or TrustOptions(), watching(progress))

    def lockdown(self) -> "LockdownReport":
        """Tell what the kernel demands of modules, and who said so.

        :returns: ``demands``: lockdown mode, enforcement of signatures, loading turned off; ``table``: what becomes of
            modules by how they are signed
        :raises TreeMissing: the root has no module tree, or several
        """
        from lkm.actions.lockdown.report import lockdown_report  # noqa: PLC0415  as above

        return lockdown_report(self._session)

    def mok_status(self, *, efivars: str | None = None) -> "MokStatus":
        """Tell how Secure Boot and the machine owner's keys stand, and what waits for the next start.

        :param efivars: a directory of the machine with copied EFI variables, in place of the root's
        :raises UsageError: it holds none
        """
        from lkm.actions.mok.status import mok_status  # noqa: PLC0415  as above

        return mok_status(self._session, efivars)

    def mok_test(self, certificate: str, *, efivars: str | None = None) -> "MokTest":
        """Tell where a certificate stands: enrolled, waiting, known anyway, or denied; and whether modules count by it.

        :param certificate: a file of the machine, PEM or DER
        :param efivars: as for :meth:`mok_status`
        :raises Unreadable: the certificate can't be read, or is none
        :raises UsageError: no kernel can use it, or the file holds several
        """
        from lkm.actions.mok.certificate import read_mok_certificate  # noqa: PLC0415  as above
        from lkm.actions.mok.places import firmware_of, look_up, profile_of  # noqa: PLC0415

        found = read_mok_certificate(certificate)
        return look_up(found, firmware_of(self._session, efivars), profile_of(self._session))
