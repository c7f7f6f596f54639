"""How a system stands: what needs attention, what an error means, what an upgrade will break."""

from typing import TYPE_CHECKING

from lkm.actions.session import Session

if TYPE_CHECKING:
    from lkm.actions.diagnosing.diagnose import DiagnosisReport
    from lkm.actions.initramfs_drift import Drift
    from lkm.actions.preflight import Preflight
    from lkm.actions.status.report import Status
    from lkm.actions.tainting import TaintReport

__all__ = ["Health"]


class Health:
    """Questions about a system as a whole; nothing is changed. Got as ``System.health``.

    :param session: the system
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def status(self) -> "Status":
        """Look at everything that concerns modules, as ``lkm status`` does.

        :returns: ``attention``, what somebody should look at, problems first, each with ``id``, ``level``, ``text`` and
            ``remedy``; and ``facts``, how everything stands, each with ``name``, ``value`` and ``text``
        :raises TreeMissing: the root has no module tree
        :raises UsageError: the root is no directory
        """
        from lkm.actions.status.report import status_of  # noqa: PLC0415  each question imports much that the others don't need

        return status_of(self._session)

    def taint(self) -> "TaintReport":
        """Tell what tainted the kernel, and who brought what.

        Without a system, :func:`lkm.taint_of_mask` decodes a number and :func:`lkm.taint_of_text` a report.

        :returns: ``mask``, as in /proc/sys/kernel/tainted; ``letters``, ``flags``, ``modules``, ``events``
        :raises MachineError: the kernel is a virtual machine's, and that can't be booted
        """
        from lkm.actions.tainting import taint_of_kernel  # noqa: PLC0415  as above

        return taint_of_kernel(self._session)

    def diagnose(self, text: str, *, of_this_system: bool = True) -> "DiagnosisReport":
        """Name the causes that a text shows; the lines of all tools and of the kernel are seen together.

        :param text: error messages, the kernel's log, the log of a build, in any mixture
        :param of_this_system: the text is from it: what its files say makes the causes concrete
        :returns: ``found``, the most telling first; each has ``cause``, ``line``, ``words`` and ``details``
        """
        from lkm.actions.diagnosing.diagnose import diagnose  # noqa: PLC0415  as above

        return diagnose(text, self._session if of_this_system else None)

    def preflight(self, release: str) -> "Preflight":
        """Tell what another kernel, which is installed beside the one in use, does to the modules in use.

        :param release: the kernel to come
        :returns: ``findings``, problems first; ``problems`` alone
        :raises UsageError: the release is empty
        :raises TreeMissing, IndexMissing: one of the two kernels has no module tree, or no indexes
        """
        from lkm.actions.preflight import preflight  # noqa: PLC0415  as above

        return preflight(self._session, release)

    def initramfs(self, *modules: str) -> "Drift":
        """Compare the configuration with what the initramfs has of it. Nothing is an error; takes about 0.25 s.

        :param modules: names of modules that are of interest: ``holds`` says which of them the image has
        :returns: ``is_stale``, ``files`` that differ, ``rebuild``: the command that builds the image anew
        """
        from lkm.actions.initramfs_drift import drift  # noqa: PLC0415  as above

        return drift(self._session, modules)
