"""Who turned lockdown on, and what it forbids."""

import pytest
from tests.support.loader import PROFILE, configured

from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.signatures.lockdown import Origin, restrictions, who_locked
from lkm.rules.signatures.policy import Lockdown

_LINE = "Kernel is locked down from {}; see man kernel_lockdown.7"


def _who(
    *log: str,
    cmdline: str = "",
    mode: Lockdown = Lockdown.INTEGRITY,
    secure: bool = False,
    options: tuple[str, ...] = (),
) -> tuple[Origin, str]:
    profile = configured(PROFILE, **dict.fromkeys(options, True))
    return who_locked(mode, log, Cmdline(cmdline), profile, secure=secure)


@pytest.mark.parametrize(
    ("said", "origin"),
    [
        ("EFI Secure Boot", Origin.SECURE_BOOT),
        ("EFI Secure Boot mode", Origin.SECURE_BOOT),
        ("command line", Origin.COMMAND_LINE),
        ("Kernel configuration", Origin.CONFIGURATION),
        ("securityfs", Origin.SECURITYFS),
        ("somewhere else", Origin.UNKNOWN),
    ],
)
def test_the_log_says_it(said: str, origin: Origin) -> None:
    line = _LINE.format(said)
    assert _who("before", line, "after", cmdline="lockdown=integrity") == (origin, line)


def test_of_several_lines_the_last_one_counts() -> None:
    raised = _LINE.format("securityfs")
    assert _who(_LINE.format("EFI Secure Boot"), raised, mode=Lockdown.CONFIDENTIALITY) == (Origin.SECURITYFS, raised)


def test_without_a_log_the_boot_tells() -> None:
    assert _who(cmdline="quiet lockdown=integrity") == (Origin.COMMAND_LINE, "lockdown=integrity")
    option = "LOCK_DOWN_KERNEL_FORCE_INTEGRITY"
    assert _who(options=(option,)) == (Origin.CONFIGURATION, f"CONFIG_{option}=y")
    by_boot = ("LOCK_DOWN_IN_EFI_SECURE_BOOT",)
    assert _who(secure=True, options=by_boot)[0] is Origin.SECURE_BOOT
    assert _who(secure=False, options=by_boot) == (Origin.UNKNOWN, "")


def test_every_origin_has_words() -> None:
    assert all(origin.words for origin in Origin)


def test_what_each_mode_forbids() -> None:
    assert restrictions(Lockdown.NONE) == ()
    some, more = (restrictions(mode) for mode in (Lockdown.INTEGRITY, Lockdown.CONFIDENTIALITY))
    assert {"unsigned module loading", "unsafe module parameters"} <= {found.reason for found in some}
    assert set(some) < set(more)
    assert {found.reason for found in more} - {found.reason for found in some} == {"use of kprobes", "use of tracefs"}
