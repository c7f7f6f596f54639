"""A small root with a module tree, made on the spot: to try things out, and for tests."""

import os
from dataclasses import dataclass

from lkm.actions.indexing.index import write_indexes
from lkm.formats.ksymtab import Export
from lkm.formats.module_signature import append
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.system.atomic import write_atomically
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

__all__ = ["RELEASE", "VERMAGIC", "make_sample_tree"]

RELEASE = "6.1.0-sample"
VERMAGIC = f"{RELEASE} SMP preempt mod_unload modversions "

_KERNEL = (
    Export("module_layout", 0x2A7A0F8B, gpl_only=False, namespace=None),
    Export("_printk", 0x92997ED8, gpl_only=False, namespace=None),
    Export("register_netdev", 0x5C7CB1E4, gpl_only=False, namespace=None),
    Export("register_filesystem", 0x8CFC1A77, gpl_only=False, namespace=None),
    Export("param_ops_int", 0x2D5F69B3, gpl_only=False, namespace=None),
    Export("param_ops_charp", 0x6E6B8C2E, gpl_only=False, namespace=None),
    Export("input_register_device", 0x6E4B90D2, gpl_only=True, namespace=None),
)
_FAT = (
    Export("fat_attach", 0x1B1F5E3C, gpl_only=True, namespace=None),
    Export("fat_build_inode", 0xA7C1D4F0, gpl_only=True, namespace=None),
)
_CONFIG = """\
CONFIG_MODULES=y
CONFIG_MODULE_FORCE_LOAD=y
CONFIG_MODULE_UNLOAD=y
CONFIG_MODULE_FORCE_UNLOAD=y
CONFIG_MODVERSIONS=y
CONFIG_MODULE_SIG=y
CONFIG_MODULE_SIG_SHA256=y
# CONFIG_MODULE_SIG_FORCE is not set
CONFIG_FAT_FS=m
CONFIG_VFAT_FS=m
CONFIG_DUMMY=m
CONFIG_INPUT_PCSPKR=m
CONFIG_UNIX=y
"""


@dataclass(frozen=True, slots=True)
class _Planned:
    path: str
    recipe: ModuleRecipe
    signed: bool = True


def _imports(*exports: Export) -> tuple[Import, ...]:
    return tuple(Import(export.name, weak=False, crc=export.crc) for export in exports)


def _recipe(
    name: str,
    *imports: Export,
    extra: tuple[tuple[str, str], ...] = (),
    exports: tuple[Export, ...] = (),
    parameters: tuple[Parameter, ...] = (),
) -> ModuleRecipe:
    """Make the recipe of an in-tree module that needs some symbols."""
    depends = ("fat",) if any(symbol in _FAT for symbol in imports) else ()
    return ModuleRecipe(
        name=name,
        modinfo=(*extra, *usual_modinfo(name, VERMAGIC, depends=depends)),
        imports=_imports(*imports),
        layout_crc=_KERNEL[0].crc,
        exports=exports,
        parameters=parameters,
    )


def _plans() -> tuple[_Planned, ...]:
    tree = f"/usr/lib/modules/{RELEASE}/kernel"
    modules = "/home/you"
    printk, netdev, filesystem, int_ops, charp_ops, device = _KERNEL[1:]
    old = usual_modinfo("old", "5.10.0-8 SMP mod_unload modversions ", intree=False)
    hello = usual_modinfo("hello", VERMAGIC, intree=False)
    return (
        _Planned(
            f"{tree}/fs/fat/fat.ko",
            _recipe("fat", printk, extra=(("description", "FAT file systems: what they share"),), exports=_FAT),
        ),
        _Planned(
            f"{tree}/fs/fat/vfat.ko",
            _recipe(
                "vfat",
                printk,
                filesystem,
                *_FAT,
                extra=(("alias", "fs-vfat"), ("description", "VFAT file systems: FAT with long names")),
            ),
        ),
        _Planned(
            f"{tree}/drivers/net/dummy.ko",
            _recipe(
                "dummy",
                printk,
                netdev,
                int_ops,
                charp_ops,
                extra=(("alias", "rtnl-link-dummy"), ("description", "Network devices that drop everything")),
                parameters=(
                    Parameter("numdummies", "int", "Number of devices to make", permissions=0o444),
                    Parameter("label", "charp", "Name of the first device", permissions=0o444),
                ),
            ),
        ),
        _Planned(
            f"{tree}/drivers/input/misc/pcspkr.ko",
            _recipe("pcspkr", device, extra=(("alias", "platform:pcspkr"), ("description", "PC speaker beeper"))),
        ),
        _Planned(
            f"{modules}/hello.ko",
            ModuleRecipe("hello", hello, imports=_imports(printk), layout_crc=_KERNEL[0].crc),
            signed=False,
        ),
        _Planned(
            f"{modules}/old.ko",
            ModuleRecipe("old", old, layout_crc=_KERNEL[0].crc),
            signed=False,
        ),
    )


def make_sample_tree(directory: str) -> Root:
    """Write a root with a kernel's modules, indexes, symbols, configuration and modprobe.d, and two stray modules.

    In ``/home/you`` lie ``hello.ko``, unsigned and out of tree, and ``old.ko``, built for another kernel;
    ``/etc/modprobe.d/quiet.conf`` forbids ``pcspkr``.

    :param directory: made if it is missing; what is there of the same name is replaced
    :raises OSError: it can't be written
    """
    signer = _Signer()
    for plan in _plans():
        contents = write(plan.recipe)
        _put(directory, plan.path, signer.signed(contents) if plan.signed else contents)
    if not os.path.lexists(f"{directory}/lib"):
        os.symlink("usr/lib", f"{directory}/lib")  # noqa: PTH211
    symvers = "".join(
        f"{export.crc or 0:#010x}\t{export.name}\tvmlinux\tEXPORT_SYMBOL{'_GPL' if export.gpl_only else ''}\t\n"
        for export in _KERNEL
    )
    tree = f"/usr/lib/modules/{RELEASE}"
    _put(directory, f"{tree}/build/Module.symvers", symvers.encode())
    _put(directory, f"{tree}/modules.builtin", b"kernel/net/unix/unix.ko\n")
    _put(directory, f"{tree}/modules.builtin.modinfo", b"unix.license=GPL\0unix.file=net/unix/unix\0")
    _put(directory, f"/boot/config-{RELEASE}", _CONFIG.encode())
    _put(directory, "/etc/modprobe.d/quiet.conf", b"# No beeps.\ninstall pcspkr /bin/false\n")
    root = Root(directory)
    write_indexes(ModuleTree(root, RELEASE))
    return root


def _put(directory: str, inside: str, data: bytes) -> None:
    path = f"{directory}{inside}"
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    write_atomically(path, data)


class _Signer:
    """A key made for one tree and thrown away with the process."""

    def __init__(self) -> None:
        import datetime as dt  # noqa: PLC0415  all of this is dear, and only a sample tree needs it

        from cryptography import x509  # noqa: PLC0415
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Sample kernel build key")])
        begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=36500))
            .sign(self._key, hashes.SHA256())
        )

    def signed(self, contents: bytes) -> bytes:
        """Append a signature with neither certificates nor attributes, as a kernel's build does."""
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415  as above
        from cryptography.hazmat.primitives.serialization import pkcs7  # noqa: PLC0415

        options = pkcs7.PKCS7Options
        signature = (
            pkcs7.PKCS7SignatureBuilder()
            .set_data(contents)
            .add_signer(self._certificate, self._key, hashes.SHA256())
            .sign(
                serialization.Encoding.DER,
                [options.DetachedSignature, options.Binary, options.NoAttributes, options.NoCerts],
            )
        )
        return append(contents, signature)
