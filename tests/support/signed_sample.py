"""The sample tree with a kernel image, a firmware, and modules that different keys signed."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.efi_files import make_firmware
from tests.support.made_up_kernel import KernelRecipe, bzimage, vmlinux
from tests.support.signing import Signer

from lkm.formats.compression import Compression, compress

__all__ = ["RELEASE", "SignedSample", "make_signed_sample"]

RELEASE = "6.1.0-sample"
_TREE = f"usr/lib/modules/{RELEASE}/kernel"
_OPTIONS = (
    *("LOAD_UEFI_KEYS", "INTEGRITY_PLATFORM_KEYRING", "INTEGRITY_MACHINE_KEYRING", "SECONDARY_TRUSTED_KEYRING"),
    *("SYSTEM_BLACKLIST_KEYRING", "IMA_SECURE_AND_OR_TRUSTED_BOOT"),
)
_DEBIANS = "Linux version %s (debian-kernel@lists.debian.org) (gcc-12) #1 SMP Debian 6.1.192-2"


@dataclass(frozen=True)
class SignedSample:
    """What is where.

    :ivar build: its certificate is in the kernel image; it signed vfat and fat
    :ivar owner: its certificate is in the MOK list; it signed pcspkr, which is packed
    :ivar maker: its certificate is in db; it signed nothing
    :ivar stranger: nobody knows it; it signed dummy
    """

    root: Path
    build: Signer = field(default_factory=lambda: Signer("Build key", use_rsa=True))
    owner: Signer = field(default_factory=lambda: Signer("Owner's key", use_rsa=True))
    maker: Signer = field(default_factory=lambda: Signer("Maker's key", use_rsa=True))
    stranger: Signer = field(default_factory=lambda: Signer("Stranger", use_rsa=True))
    now: dt.datetime = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def make_signed_sample(root: Path) -> SignedSample:
    """Make it of a copy of the sample tree.

    :param root: the copy, which is changed
    """
    sample = SignedSample(root)
    recipe = KernelRecipe(release=RELEASE, certificates=(sample.build.der,), texts=(_DEBIANS % RELEASE,))
    (root / f"boot/vmlinuz-{RELEASE}").write_bytes(bzimage(compress(vmlinux(recipe), Compression.GZIP)))
    with (root / f"boot/config-{RELEASE}").open("a") as config:
        config.writelines(f"CONFIG_{name}=y\n" for name in _OPTIONS)
    make_firmware(root, db=[sample.maker.der], mok=[sample.owner.der], trusts_owner_keys=True)
    for signer, path in (
        (sample.build, "fs/fat/vfat.ko"),
        (sample.build, "fs/fat/fat.ko"),
        (sample.owner, "drivers/input/misc/pcspkr.ko"),
        (sample.stranger, "drivers/net/dummy.ko"),
    ):
        file = root / _TREE / path
        file.write_bytes(signer.signed(b"\x7fELF, or nearly so"))
    packed = root / _TREE / "drivers/input/misc/pcspkr.ko"
    packed.write_bytes(compress(packed.read_bytes(), Compression.XZ))
    return sample
