"""Lines of the configuration that contradict each other, and what becomes of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lkm.rules.effective_lines import Effect

__all__ = ["CASES", "Case", "write"]

COUNTS, PART, LOST, NOTHING, UNREAD = (
    Effect.COUNTS,
    Effect.IN_PART,
    Effect.OVERRIDDEN,
    Effect.NO_EFFECT,
    Effect.NOT_READ,
)


@dataclass(frozen=True)
class Case:
    """Files, and what becomes of their lines.

    :param files: inside the root; a text that begins with -> is a link
    :param told: (where, effect, by whom), in the order in which they are told; paths inside the root
    """

    files: Mapping[str, str]
    told: tuple[tuple[str, Effect, str], ...]
    subject: str = "dummy"
    cmdline: str = ""


_ETC, _RUN, _LIB, _LOCAL = (f"{home}/modprobe.d" for home in ("/etc", "/run", "/usr/lib", "/usr/local/lib"))
_LINE = "/proc/cmdline:1"

CASES = {
    "a file of the same name in /etc hides the vendor's": Case(
        {f"{_ETC}/net.conf": "options dummy numdummies=1", f"{_LIB}/net.conf": "options dummy numdummies=2"},
        ((f"{_ETC}/net.conf:1", COUNTS, ""), ("/lib/modprobe.d/net.conf:1", UNREAD, f"{_ETC}/net.conf")),
    ),
    "one in /run hides it, too": Case(
        {f"{_RUN}/net.conf": "blacklist dummy", f"{_LOCAL}/net.conf": "\ninstall dummy /bin/false"},
        ((f"{_RUN}/net.conf:1", COUNTS, ""), (f"{_LOCAL}/net.conf:2", UNREAD, f"{_RUN}/net.conf")),
    ),
    "a link to /dev/null masks a file": Case(
        {f"{_ETC}/net.conf": "->/dev/null", f"{_LIB}/net.conf": "blacklist dummy"},
        (("/lib/modprobe.d/net.conf:1", UNREAD, f"{_ETC}/net.conf"),),
    ),
    "the base name decides the order, not the directory": Case(
        {f"{_ETC}/a.conf": "options dummy numdummies=1", f"{_LIB}/b.conf": "options dummy numdummies=2"},
        ((f"{_ETC}/a.conf:1", LOST, "/lib/modprobe.d/b.conf:1"), ("/lib/modprobe.d/b.conf:1", COUNTS, "")),
    ),
    "the last value of a parameter wins": Case(
        {f"{_ETC}/a.conf": "# dummies\noptions dummy numdummies=1\noptions dummy numdummies=2"},
        ((f"{_ETC}/a.conf:2", LOST, f"{_ETC}/a.conf:3"), (f"{_ETC}/a.conf:3", COUNTS, "")),
    ),
    "other parameters of the same line stay": Case(
        {f"{_ETC}/a.conf": "options dummy numdummies=1 label=x", f"{_ETC}/b.conf": "options dummy numdummies=2"},
        ((f"{_ETC}/a.conf:1", PART, f"{_ETC}/b.conf:1"), (f"{_ETC}/b.conf:1", COUNTS, "")),
    ),
    "the kernel command line comes last": Case(
        {f"{_ETC}/z.conf": "options dummy numdummies=1"},
        ((f"{_ETC}/z.conf:1", LOST, _LINE), (_LINE, COUNTS, "")),
        cmdline="quiet dummy.numdummies=4",
    ),
    "options under an alias are added": Case(
        {f"{_ETC}/a.conf": "options rtnl-link-dummy numdummies=3\noptions dummy numdummies=1"},
        ((f"{_ETC}/a.conf:1", LOST, f"{_ETC}/a.conf:2"), (f"{_ETC}/a.conf:2", COUNTS, "")),
        subject="rtnl-link-dummy",
    ),
    "the first install line is run": Case(
        {f"{_ETC}/a.conf": "install dummy /bin/true", f"{_ETC}/b.conf": "install dummy /bin/false"},
        ((f"{_ETC}/a.conf:1", COUNTS, ""), (f"{_ETC}/b.conf:1", LOST, f"{_ETC}/a.conf:1")),
    ),
    "a pattern that comes first wins over a name": Case(
        {f"{_ETC}/a.conf": "install d* /bin/true\ninstall dummy /bin/false"},
        ((f"{_ETC}/a.conf:1", COUNTS, ""), (f"{_ETC}/a.conf:2", LOST, f"{_ETC}/a.conf:1")),
    ),
    "the first remove line is run": Case(
        {f"{_ETC}/a.conf": "remove dummy /bin/a\nremove dummy /bin/b"},
        ((f"{_ETC}/a.conf:1", COUNTS, ""), (f"{_ETC}/a.conf:2", LOST, f"{_ETC}/a.conf:1")),
    ),
    "a softdep line disables an install line": Case(
        {f"{_ETC}/a.conf": "install dummy /bin/false", f"{_ETC}/b.conf": "softdep dummy pre: fat"},
        ((f"{_ETC}/a.conf:1", PART, f"{_ETC}/b.conf:1"), (f"{_ETC}/b.conf:1", COUNTS, "")),
    ),
    "kmod heeds only the first softdep line": Case(
        {f"{_ETC}/a.conf": "softdep dummy pre: fat\nsoftdep dummy post: vfat"},
        ((f"{_ETC}/a.conf:1", COUNTS, ""), (f"{_ETC}/a.conf:2", PART, f"{_ETC}/a.conf:1")),
    ),
    "a file without the extension is not read": Case(
        {f"{_ETC}/net.conf.bak": "blacklist dummy", f"{_ETC}/old": "options dummy numdummies=1"},
        ((f"{_ETC}/net.conf.bak:1", UNREAD, ""), (f"{_ETC}/old:1", UNREAD, "")),
    ),
    "modprobe's options don't reach a built-in": Case(
        {f"{_ETC}/a.conf": "options unix x=1\nblacklist unix"},
        (
            (f"{_ETC}/a.conf:1", NOTHING, ""),
            (f"{_ETC}/a.conf:2", NOTHING, ""),
            (_LINE, COUNTS, ""),
        ),
        subject="unix",
        cmdline="unix.x=2",
    ),
    "the command line's blacklists": Case(
        {f"{_ETC}/a.conf": "blacklist dummy"},
        ((f"{_ETC}/a.conf:1", COUNTS, ""), (_LINE, COUNTS, ""), (_LINE, COUNTS, "")),
        cmdline="modprobe.blacklist=fat,dummy module_blacklist=dummy,x",
    ),
    "of the kernel's own blacklists the last counts": Case(
        {f"{_ETC}/a.conf": "# nothing"},
        ((_LINE, LOST, ""),),
        cmdline="module_blacklist=dummy module_blacklist=fat",
    ),
    "an alias leads a name away": Case(
        {f"{_ETC}/a.conf": "alias dummy vfat"},
        ((f"{_ETC}/a.conf:1", COUNTS, ""),),
        subject="dummy",
    ),
    "a module that is not there": Case(
        {f"{_ETC}/a.conf": "blacklist gone-away\noptions gone_away x=1"},
        ((f"{_ETC}/a.conf:1", COUNTS, ""), (f"{_ETC}/a.conf:2", COUNTS, "")),
        subject="gone-away",
    ),
}


def write(case: Case, root: Path) -> None:
    """Put a case's files into a root."""
    for path, text in case.files.items():
        place = root / path.removeprefix("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            place.symlink_to(text.removeprefix("->"))
        else:
            place.write_text(f"{text}\n")
