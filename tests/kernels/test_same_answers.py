"""The emulated kernel answers as the real one: errno, log lines and taints, for the same modules in turn."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lkm.errors import LoadRefused
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.kernels.base import Kernel, LoadFlags
from lkm.kernels.emulated import EmulatedKernel
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.kernel import VmKernel
from lkm.kernels.vm.machine import Machine
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

_CUT = 989  # bytes at which 6.1 cuts a line; it may wait for more of one that was cut

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_KINDS = ("byte", "short", "ushort", "int", "uint", "long", "ulong", "ullong", "charp", "bool", "invbool", "bint")
_PARAMETERS = tuple(Parameter(f"a_{kind}", kind, "", permissions=0o644) for kind in _KINDS)


@dataclass(frozen=True)
class _Maker:
    """Makes modules for one kernel."""

    profile: KernelProfile

    def recipe(self, name: str, *symbols: str, licence: str = "GPL", intree: bool = False) -> ModuleRecipe:
        exports = [self.profile.exports.get(symbol) for symbol in symbols]
        imports = tuple(
            Import(symbol, weak=False, crc=export.crc if export else 1)
            for symbol, export in zip(symbols, exports, strict=True)
        )
        info = usual_modinfo(name, self.profile.vermagic, licence=licence, intree=intree)
        return ModuleRecipe(name, info, imports=imports, layout_crc=self.profile.exports["module_layout"].crc)

    def with_parameters(self, name: str) -> ModuleRecipe:
        ops = sorted({f"param_ops_{parameter.type}" for parameter in _PARAMETERS})
        return replace(self.recipe(name, *ops), parameters=_PARAMETERS)


@dataclass(frozen=True)
class _Case:
    """One load; those of a list come one after the other on one kernel."""

    id: str
    make: Callable[[_Maker], bytes]
    parameters: str = ""
    flags: LoadFlags = LoadFlags.NONE


def _with_vermagic(maker: _Maker, name: str, vermagic: str) -> bytes:
    return write(replace(maker.recipe(name), modinfo=usual_modinfo(name, vermagic, intree=False)))


def _wrong_crc(maker: _Maker) -> bytes:
    recipe = maker.recipe("wrongcrc", "_printk")
    return write(replace(recipe, imports=(Import("_printk", weak=False, crc=0x1234),)))


def _no_crc(maker: _Maker) -> bytes:
    return write(replace(maker.recipe("nocrc"), imports=(Import("_printk", weak=False, crc=None),)))


def _weak(maker: _Maker) -> bytes:
    return write(replace(maker.recipe("weakly"), imports=(Import("nobody_has_this", weak=True, crc=None),)))


def _exporting(maker: _Maker, name: str, *symbols: str, gpl_only: bool = False, licence: str = "GPL") -> bytes:
    exports = tuple(Export(symbol, 0x77, gpl_only, None) for symbol in symbols)
    return write(replace(maker.recipe(name, licence=licence), exports=exports))


def _using(maker: _Maker, name: str, symbol: str, *more: str, licence: str = "GPL") -> bytes:
    recipe = maker.recipe(name, *more, licence=licence)
    return write(replace(recipe, imports=(*recipe.imports, Import(symbol, weak=False, crc=0x77))))


def _namespaced(maker: _Maker) -> bytes:
    symbol = next(export for export in maker.profile.exports.values() if export.namespace)
    return write(maker.recipe("nsuser", symbol.name))


def _with_params(maker: _Maker) -> bytes:
    return write(maker.with_parameters("par"))


_CASES = (
    _Case("not an ELF file", lambda maker: b"#!/bin/sh\n" * 20),
    _Case("a few bytes", lambda maker: b"\x7fELF"),
    _Case("cut in the middle", lambda maker: write(maker.recipe("cut"))[:1500]),
    _Case("another vermagic", lambda maker: _with_vermagic(maker, "magic", "5.10.0 SMP mod_unload modversions ")),
    _Case("unknown symbol", lambda maker: write(maker.recipe("unknown", "no_such_symbol", "nor_this_one"))),
    _Case("wrong version of a symbol", _wrong_crc),
    _Case("no version of a symbol", _no_crc),
    _Case("weak symbol", _weak),
    _Case("first good one, out of tree and unsigned", lambda maker: write(maker.recipe("good"))),
    _Case("the same again", lambda maker: write(maker.recipe("good"))),
    _Case("in tree but unsigned", lambda maker: write(maker.recipe("tree", intree=True))),
    _Case("proprietary wants GPL-only", lambda maker: write(maker.recipe("prop", "class_create", licence="Closed"))),
    _Case("namespace not imported", _namespaced),
    _Case("exports what the kernel has", lambda maker: _exporting(maker, "dup", "_printk")),
    _Case("exports", lambda maker: _exporting(maker, "shared", "lkm_test_symbol")),
    _Case("exports the same", lambda maker: _exporting(maker, "shared2", "lkm_test_symbol")),
    _Case("uses it", lambda maker: _using(maker, "user", "lkm_test_symbol")),
    _Case("proprietary exporter", lambda maker: _exporting(maker, "closed", "lkm_closed", licence="Proprietary")),
    _Case("inherits its taint", lambda maker: _using(maker, "heir", "lkm_closed")),
    _Case("mixes it with GPL-only", lambda maker: _using(maker, "mixer", "lkm_closed", "class_create")),
    _Case("forced without vermagic", lambda maker: write(maker.recipe("forced")), flags=LoadFlags.IGNORE_VERMAGIC),
    _Case("init fails with ENODEV", lambda maker: write(replace(maker.recipe("nodev"), init_result=0))),
    _Case("unknown parameter", lambda maker: write(maker.recipe("unkpar")), "nothing=1 async_probe"),
    _Case("after the dashes", lambda maker: write(maker.recipe("dashes")), "a=1 -- b=2 c"),
    _Case("int not a number", _with_params, "a_int=two"),
    _Case("int too large", _with_params, "a_int=2147483648"),
    _Case("negative unsigned", _with_params, "a_uint=-1"),
    _Case("no value", _with_params, "a_int"),
    _Case("bad bool", _with_params, "a_bool=maybe"),
    _Case("invbool without a value", _with_params, "a_invbool"),
    _Case("several bad ones", _with_params, "a_byte=256 a_short=x a_int=1 a_ulong=0x"),
    _Case("octal that is none", _with_params, "a_int=08"),
    _Case("string too long", _with_params, f"a_charp={'x' * 1025}"),
    _Case(
        "all good",
        _with_params,
        "a-byte=0xff a_short=-32768 a_ushort=0177 a_int=+5 a_uint=1 a_long=-1 a_ullong=18446744073709551615"
        ' "a_charp=x y" a_bool a_invbool=on a_bint=y',
    ),
)


@dataclass(frozen=True)
class _Answer:
    """What a kernel said; without lines that printk cut: it lost their end and keeps them until the next line comes."""

    errno: int
    log: tuple[str, ...]
    taint: int


@pytest.fixture(scope="module")
def tree(image: Image) -> ModuleTree:
    return ModuleTree(Root(), image.release)


@pytest.fixture(scope="module")
def fresh(image: Image) -> Iterator[Machine]:
    """A machine that nothing else has tainted."""
    with Machine(image.kernel, image.modules, boot_timeout=150.0) as machine:
        yield machine


def _answer(kernel: Kernel, file: ModuleFile, case: _Case) -> _Answer:
    try:
        log = kernel.load(file, case.parameters, case.flags)
        errno = 0
    except LoadRefused as error:
        log, errno = error.log, error.errno
    return _Answer(errno, tuple(line for line in log if len(line) < _CUT), kernel.taint())


def test_the_same_modules_in_turn_get_the_same_answers(fresh: Machine, tree: ModuleTree, tmp_path: Path) -> None:
    real, emulated = VmKernel(fresh), EmulatedKernel(tree)
    maker = _Maker(gather(tree))
    differences = {}
    for number, case in enumerate(_CASES):
        path = tmp_path / f"{number}.ko"
        path.write_bytes(case.make(maker))
        answers = [_answer(kernel, ModuleFile(Root(), str(path)), case) for kernel in (real, emulated)]
        if answers[0] != answers[1]:
            differences[case.id] = f"\n  real:     {answers[0]}\n  emulated: {answers[1]}"
    assert differences == {}, "".join(f"\n{name}{both}" for name, both in differences.items())
    assert emulated.parameters("par") == {
        name: value for name, value in real.parameters("par").items() if emulated.parameters("par").get(name)
    } | {name: "" for name, value in emulated.parameters("par").items() if not value}


def test_built_ins_that_show_in_sysfs_are_those_of_the_image(fresh: Machine, tree: ModuleTree) -> None:
    script = 'cd /sys/module; for name in *; do [ -e "$name/initstate" ] || echo "$name"; done'
    shown = set(fresh.run(["sh", "-c", script]).stdout.decode().split())
    assert len(shown) > 40
    assert shown == gather(tree).visible_builtins


def test_sizes_and_users_are_those_of_the_real_kernel(fresh: Machine, tree: ModuleTree) -> None:
    real, emulated = VmKernel(fresh), EmulatedKernel(tree)
    before = {module.name for module in real.loaded()}
    wanted = ("ext4", "btrfs", "nf_tables", "usb-storage", "snd-hda-intel", "i915", "xfs", "wireguard", "kvm", "dummy")
    for name in wanted:
        for module in (*tree.dependencies(name), tree.module(name)):
            assert module is not None
            for kernel in (real, emulated):
                if kernel.state(module.name) is None:
                    with contextlib.suppress(LoadRefused):  # there is no such hardware
                        kernel.load(module, "")
    expected = {m.name: (m.size, m.refcount, m.used_by) for m in emulated.loaded()}
    found = {m.name: (m.size, m.refcount, m.used_by) for m in real.loaded() if m.name in expected}
    missing = set(expected) - set(found) - before
    assert len(found) > 30
    assert found == {name: facts for name, facts in expected.items() if name not in missing}
    assert missing <= {"snd_hda_intel", "i915", "kvm"}  # what only its hardware keeps loaded
