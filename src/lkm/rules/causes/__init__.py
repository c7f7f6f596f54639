"""Causes: why a kernel or a tool refused something, found by the evidence in a table, with remedies.

The table is read only when something went wrong: who never fails does not pay for it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lkm.errors import Cause, KernelRefused

if TYPE_CHECKING:
    from lkm.rules.loading.request import Verdict
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["causes_in_text", "causes_of_load", "causes_of_unload", "causes_of_verdict"]


def causes_of_load(
    error: KernelRefused,
    name: str,
    *,
    command_line: str = "",
    modules_disabled: bool = False,
    kernel_log: Sequence[str] = (),
) -> tuple[Cause, ...]:
    """Name the causes that a refusal's errno and log lines show, most telling first.

    :param name: the module's name
    :param command_line: the kernel's own, where it is known
    :param modules_disabled: the sysctl kernel.modules_disabled, where it is known
    :param kernel_log: all that the kernel has said since it started, which tells who locked it down
    """
    from lkm.rules.causes.finding import of_load  # noqa: PLC0415  only when something went wrong

    return of_load(error, name, command_line, modules_disabled=modules_disabled, kernel_log=kernel_log)


def causes_of_unload(error: KernelRefused) -> tuple[Cause, ...]:
    """Name the causes of a refused removal."""
    from lkm.rules.causes.finding import of_unload  # noqa: PLC0415  only when something went wrong

    return of_unload(error)


def causes_of_verdict(
    verdict: "Verdict", *, name: str, file: str, profile: "KernelProfile | None" = None, is_forced: bool = False
) -> tuple[Cause, ...]:
    """Name the causes of a judged load, most telling first; none where it loads.

    :param name: the module's name
    :param file: the module's file as the user knows it
    :param profile: the kernel's; with it sentences name the kernel, and who exports a missing symbol
    :param is_forced: version magic or symbol versions were to be ignored
    """
    from lkm.rules.causes.finding import of_verdict  # noqa: PLC0415  only when something went wrong

    return of_verdict(verdict, name, file, profile, is_forced=is_forced)


def causes_in_text(text: str) -> tuple[Cause, ...]:
    """Name the causes that pasted text shows, most telling first; of very long text only the end is looked at.

    A tool's text and the kernel's lines for the same module are seen together: the kernel's decide what the tool
    meant. What is only a complaint comes last, or not at all where something failed.

    :param text: what dmesg, the journal, modprobe, insmod, rmmod and others print, in any mixture
    """
    from lkm.rules.causes.pasted import in_text  # noqa: PLC0415  only when something went wrong

    return in_text(text)
