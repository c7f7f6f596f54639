"""Finding modules for devices, on a made-up sysfs and the sample tree with more aliases."""

from pathlib import Path

import pytest
from tests.support.fake_sysfs import make_devices

from lkm.actions.finding.devices import Claim, claims_of_all
from lkm.actions.finding.find import find
from lkm.actions.indexing.index import write_indexes
from lkm.actions.sample_tree import RELEASE, VERMAGIC
from lkm.actions.session import Session, Target
from lkm.errors import Unreadable, UsageError
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

ALIASES = {
    "stick": ("usb:v1234p*", "devname:stick", "char-major-10-1"),
    "sound": ("char-major-116-*", "block-major-116-3"),
    "can": ("net-pf-29", "net-pf-29-proto-1"),
    "net": ("pci:v00008086d000010D3sv*sd*bc*sc*i*", "pci:v00008086d000010D4sv*sd*bc*sc*i*"),
    "gpu": ("pci:v00008086d*sv*sd*bc03sc*i*", "usb:v1022p1450d*", "hid:b0003g*v00001022p00001450"),
}


@pytest.fixture
def root(own_sample: Path) -> Path:
    place = own_sample / "lib/modules" / RELEASE / "kernel"
    for name, aliases in ALIASES.items():
        lines = (*(("alias", alias) for alias in aliases), *usual_modinfo(name, VERMAGIC))
        (place / f"{name}.ko").write_bytes(write(ModuleRecipe(name, lines)))
    info = b"unix.license=GPL\0unix.file=net/unix/unix\0unix.alias=net-pf-1\0unix.alias=platform:unix\0"
    (place.parent / "modules.builtin.modinfo").write_bytes(info)
    write_indexes(ModuleTree(Root(str(own_sample)), RELEASE))
    make_devices(own_sample)
    return own_sample


def session(root: Path) -> Session:
    return Session(Target(root=str(root), kernel="emulated"))


@pytest.mark.parametrize(
    ("text", "kinds", "expected"),
    [
        ("/sys/class/block/sda", (), [("stick", "device")]),
        ("/sys/devices/platform/unix", (), [("unix", "device")]),
        ("/sys/devices/platform/pcspkr/modalias", ("device",), [("pcspkr", "device")]),
        ("/dev/stick", (), [("stick", "device")]),
        ("10:1", (), [("stick", "device")]),
        ("c10:1", (), [("stick", "device")]),
        ("b10:1", (), []),
        ("116:3", (), [("sound", "device"), ("sound", "device")]),
        ("char-major-116-77", (), [("sound", "alias")]),
        ("b8:0", (), [("stick", "device")]),
        ("c116:*", (), [("sound", "device")]),
        ("vfat", ("filesystem",), [("vfat", "filesystem")]),
        ("fs-vfat", ("filesystem",), [("vfat", "filesystem")]),
        ("fat", ("filesystem",), []),
        ("29", ("socket",), [("can", "socket"), ("can", "socket")]),
        ("AF_CAN", (), [("can", "socket"), ("can", "socket")]),
        ("29-proto-1", ("socket",), [("can", "socket")]),
        ("af_unix", (), [("unix", "socket")]),
        ("AF_NOSUCH", (), []),
        ("8086:10d3", (), [("net", "device"), ("gpu", "device")]),
        ("8086:10D5", ("device",), [("gpu", "device")]),
        ("1022:1450", (), [("gpu", "device")]),
        ("9999:9999", (), []),
        ("pci:v00008086d000010D4sv00000000sd00000000bc02sc00i00", ("device",), [("net", "device")]),
        ("usb:v1234p5678", ("device",), [("stick", "device")]),
    ],
)
def test_kinds(root: Path, text: str, kinds: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert [(hit.module, hit.kind) for hit in find(session(root), text, kinds)] == expected


def test_a_path_may_be_the_hosts(root: Path) -> None:
    assert [hit.module for hit in find(session(root), f"{root}/sys/class/block/sda", ())] == ["stick"]


@pytest.mark.parametrize(
    ("text", "kind", "error"),
    [
        ("nonsense", "device", UsageError),
        ("symbol:fat_attach", "device", UsageError),
        ("/dev/file", "device", UsageError),
        ("/sys/nosuch", "device", Unreadable),
        ("AF_NOSUCH", "socket", UsageError),
    ],
)
def test_what_is_none_of_its_kind(root: Path, text: str, kind: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        find(session(root), text, (kind,))


def test_all_devices(root: Path) -> None:
    (root / "etc/modprobe.d/more.conf").write_text("alias pci:v0* promised\nblacklist pcspkr\n")
    found = {claims.device.path.rsplit("/", 1)[1]: claims.modules for claims in claims_of_all(session(root))}
    assert found == {
        "nobody": (Claim("promised", builtin=False, missing=True, blacklisted=False),),
        "usb1": (Claim("stick", builtin=False, missing=False, blacklisted=False),),
        "pcspkr": (Claim("pcspkr", builtin=False, missing=False, blacklisted=True),),
        "unix": (Claim("unix", builtin=True, missing=False, blacklisted=False),),
    }


def test_all_devices_of_a_root_that_has_none(sample: Path) -> None:
    with pytest.raises(Unreadable):
        claims_of_all(session(sample))
