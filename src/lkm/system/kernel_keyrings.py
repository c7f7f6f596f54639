"""The keyrings of the running kernel, as far as a process may see them.

/proc/keys lists the keys that the reader may view, and not in which keyring they are; ``keyctl`` of keyutils tells that
of the keyrings that their owner, root, may read. No way leads to a certificate itself: what a key's description says,
subject and identifier, is all there is (security/keys/proc.c and keyring.c, certs/system_keyring.c, 6.1).
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lkm.errors import FormatError, Unreadable
from lkm.formats import proc_keys
from lkm.formats.proc_keys import KernelKey
from lkm.system.root import Root
from lkm.system.trust_store import Keyring

__all__ = ["KernelKeyrings", "read_kernel_keyrings"]

_PROC_KEYS = "/proc/keys"
_LARGEST = 16 << 20
_SECONDS = 10  # keyctl answers in milliseconds, or hangs with the kernel


@dataclass(frozen=True, slots=True)
class KernelKeyrings:
    """What the running kernel shows.

    :param keys: for each keyring that is there and can be read, the keys in it, without those of keyrings that it links
        to; dead ones are left out
    :param present: the keyrings that are there, readable or not
    :param revoked_hashes: what ``.blacklist`` names by hash
    :param problems: what can't be seen, and why, in words
    """

    keys: Mapping[Keyring, tuple[KernelKey, ...]] = field(default_factory=dict)
    present: frozenset[Keyring] = frozenset()
    revoked_hashes: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


def read_kernel_keyrings(root: Root | None = None, run: Callable[[Sequence[str]], str] | None = None) -> KernelKeyrings:
    """Ask the running kernel.

    :param root: where /proc is; the machine's own unless told otherwise
    :param run: runs a command and gives what it prints; by default ``keyctl`` itself is run
    """
    where = root or Root()
    try:
        text = where.read_text(_PROC_KEYS, limit=_LARGEST)
    except Unreadable as error:
        reason = f"{error}: the kernel's keyrings can't be seen"
        return KernelKeyrings(problems=(reason,))
    try:
        listed = proc_keys.parse(text)
    except FormatError as error:
        return KernelKeyrings(problems=(f"{where.display(_PROC_KEYS)}: {error}",))
    names = {keyring.value: keyring for keyring in Keyring}
    rings = {names[key.keyring]: key for key in listed if key.keyring in names}
    if not rings:
        return KernelKeyrings(problems=("the kernel's keyrings can't be seen: root alone may view them",))
    return _with_members(rings, listed, run or _run)


def _with_members(
    rings: Mapping[Keyring, KernelKey], listed: Sequence[KernelKey], run: Callable[[Sequence[str]], str]
) -> KernelKeyrings:
    by_serial = {key.serial: key for key in listed if key.is_alive and key.keyring is None}
    members: dict[Keyring, tuple[KernelKey, ...]] = {}
    hidden: dict[str, list[str]] = {}  # reason to the keyrings that can't be read
    for keyring, ring in rings.items():
        try:
            serials = _serials(run(("keyctl", "rlist", str(ring.serial)))) if ring.links else ()
        except Unreadable as error:
            reason = f"{error} ({error.hint})" if error.hint else str(error)
            hidden.setdefault(reason, []).append(keyring.value)
            continue
        members[keyring] = tuple(by_serial[serial] for serial in serials if serial in by_serial)
    problems = [f"which keys are in {', '.join(names)} can't be seen: {reason}" for reason, names in hidden.items()]
    hashes = frozenset(key.revoked_hash for key in by_serial.values() if key.revoked_hash is not None)
    return KernelKeyrings(members, frozenset(rings), hashes, tuple(problems))


def _serials(text: str) -> tuple[int, ...]:
    """Read what ``keyctl rlist`` prints: serial numbers, which are signed and never negative for a key."""
    return tuple(int(word) for word in text.split() if word.isascii() and word.isdecimal() and len(word) <= 10)


def _run(command: Sequence[str]) -> str:
    import subprocess  # noqa: PLC0415  dear, and for the kernel's keyrings only

    tool = shutil.which(command[0])
    if tool is None:
        raise Unreadable("keyctl is not installed", hint="install keyutils to see which keyring holds which key")
    try:
        done = subprocess.run(
            (tool, *command[1:]), capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreadable(f"keyctl did not run: {error}") from error
    if done.returncode:
        raise Unreadable(done.stderr.strip() or f"keyctl ended with {done.returncode}", hint=None)
    return done.stdout
