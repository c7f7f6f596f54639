"""The first file system of a machine: busybox, a few modules, and a script that makes the host's files its root."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from lkm.formats import cpio

__all__ = ["AGENT_PORT", "HOST_ROOT_TAG", "Guest", "build", "script"]

HOST_ROOT_TAG = "hostroot"
"""The mount tag of the host's root directory."""

AGENT_PORT = "lkm.agent"
"""The name of the virtio-serial port that the agent talks over."""

_MODULES = "modules"  # where the modules stand in the initramfs
_NEW = "/new"
_DEV = f"{_NEW}/dev"
_HOST_ROOT_OPTIONS = "trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose"
_DEVICE_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
)


@dataclass(frozen=True, slots=True)
class Guest:
    """What a machine's userland shall look like; paths are the host's, absolute, with all links followed.

    :param release: the kernel's release
    :param module_tree: directory that shall be seen at ``/lib/modules/RELEASE``
    :param modules_home: where ``/lib/modules`` leads to on the host
    :param command: the program to run as process 1, and its arguments
    :param environment: its environment
    :param firmware: whether there is UEFI firmware, whose variables are to be mounted
    """

    release: str
    module_tree: str
    modules_home: str
    command: tuple[str, ...]
    environment: dict[str, str]
    firmware: bool = False


def build(busybox: bytes, modules: Iterable[tuple[str, bytes]], guest: Guest) -> bytes:
    """Make the initramfs.

    :param busybox: a statically linked busybox
    :param modules: names and uncompressed contents, in the order to insert them
    :param guest: what is to be set up
    :returns: a newc archive, not compressed: unpacking would cost more than copying
    """
    files = [(f"{_MODULES}/{number:02}-{name}.ko", data) for number, (name, data) in enumerate(modules)]
    directories = ("dev", "proc", "ro", "rw", _NEW[1:], _MODULES)
    return cpio.write(
        [
            *(cpio.directory(name) for name in directories),
            cpio.device("dev/console", 5, 1),
            cpio.file("busybox", busybox, 0o755),
            cpio.file(
                "init", script(guest, [f"/{name}" for name, _ in files]).encode("utf-8", "surrogateescape"), 0o755
            ),
            *(cpio.file(name, data) for name, data in files),
        ]
    )


def script(guest: Guest, modules: Iterable[str]) -> str:
    """Write the script that runs first; it ends at the first failure, which the kernel answers with a panic.

    Process 1 itself changes its root at the end, because the kernel looks up its helpers (request_module) there.

    :param modules: paths in the initramfs, in the order to insert them
    """
    lines = [
        "#!/busybox sh",
        "set -e",
        "trap 'echo lkm: the machine could not be prepared' EXIT",
        *(f"/busybox insmod {shlex.quote(path)}" for path in modules),
        f"/busybox mount -t 9p -o {_HOST_ROOT_OPTIONS} {HOST_ROOT_TAG} /ro",
        "/busybox mount -t tmpfs -o mode=755 tmpfs /rw",
        "/busybox mkdir /rw/upper /rw/work",
        f"/busybox mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work overlay {_NEW}",
        *_tree_mount(guest),  # first: it may stand where the next ones cover it
        *_fresh_mounts(),
        *([f"/busybox mount -t efivarfs efivarfs {_NEW}/sys/firmware/efi/efivars"] if guest.firmware else []),
        *(f"export {name}={shlex.quote(value)}" for name, value in guest.environment.items()),
        f"exec /busybox switch_root {_NEW} {shlex.join(guest.command)}",
    ]
    return "\n".join(lines) + "\n"


def _fresh_mounts() -> Iterable[str]:
    # /tmp is not among them: the host's is wanted, and the overlay makes it writable like the rest.
    yield f"/busybox mkdir -p {' '.join(_NEW + path for path in ('/proc', '/sys', '/dev', '/run'))}"
    yield f"/busybox mount -t proc proc {_NEW}/proc"
    yield f"/busybox mount -t sysfs sysfs {_NEW}/sys"
    yield f"/busybox mount -t securityfs securityfs {_NEW}/sys/kernel/security || :"
    yield f"/busybox mount -t debugfs debugfs {_NEW}/sys/kernel/debug || :"
    yield f"/busybox mount -t devtmpfs -o mode=755 devtmpfs {_DEV}"
    yield f"/busybox mkdir -p {_DEV}/pts {_DEV}/shm"
    yield f"/busybox mount -t devpts -o mode=620,ptmxmode=666 devpts {_DEV}/pts || :"
    yield f"/busybox mount -t tmpfs -o mode=1777 tmpfs {_DEV}/shm"
    yield f"/busybox mount -t tmpfs -o mode=755 tmpfs {_NEW}/run"
    for name, target in _DEVICE_LINKS:  # what udev would make
        yield f"/busybox ln -sfn {target} {_DEV}/{name}"


def _tree_mount(guest: Guest) -> Iterable[str]:
    expected = f"{guest.modules_home}/{guest.release}"
    if guest.module_tree == expected:
        return
    source, target = shlex.quote(_NEW + guest.module_tree), shlex.quote(_NEW + expected)
    yield f"/busybox mkdir -p {target}"
    yield f"/busybox mount -o bind {source} {target}"
