"""Odd modules, one after the other: the emulated kernel answers as the real one, to the letter.

What :mod:`test_same_answers` asks of ordinary modules, this asks of such as no compiler makes: damaged headers,
sections and signatures, and parameters of every spelling.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs7
from tests.support.loader import export
from tests.support.signing import Signer

from lkm.errors import LoadRefused
from lkm.formats.elf.constants import SectionType
from lkm.formats.elf.reader import Elf
from lkm.formats.module_signature import append
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

_OPTIONS = pkcs7.PKCS7Options
_IGNORE_ALL = LoadFlags.IGNORE_MODVERSIONS | LoadFlags.IGNORE_VERMAGIC
_KINDS = (
    "byte", "short", "ushort", "int", "uint", "hexint", "long", "ulong", "ullong", "charp", "bool", "invbool", "bint",
)  # fmt: skip
_PARAMETERS = (
    *(Parameter(f"a_{kind}", kind, permissions=0o644) for kind in _KINDS),
    Parameter("numbers", "array of int", permissions=0o444, is_array=True, capacity=3),
    Parameter("flags", "array of bool", permissions=0o444, is_array=True, capacity=2),
    Parameter("text", "string", permissions=0o444, capacity=4),
    Parameter("risky", "int", permissions=0o644, unsafe=True),
)
_TEXTS = (
    "--", "-- ", "a_int=1 --   x y", '"--" x', "--=1 --x", "a_int=x -- more", "=x=y", '" "', '"', "ghost=1",
    "a_int=99999999999999999999x", "a_int=0x1ffffffffffffffffz", "a_int=0000000000000000000000000000000017",
    "a_int=+-5", 'a_int="7\n"', 'a_int="7\n\n"', "a_int=0x", "a_int=08", "a_byte=-0", "a_short=0100000",
    "a_hexint=31", "a_hexint=0", "a_ullong=18446744073709551616", "a_long=-9223372036854775808",
    "a_long=-9223372036854775809", "text=abc", "text=abcd", "numbers=1,2,3", "numbers=1,2,3,4", "numbers=7,x,9",
    "numbers=1,", "numbers", "flags", "flags=y,off", "flags=y,", "risky=x", "risky=1", "risky", "a_charp=\u00e0b",
    "a_charp=x\udca0a_int=1", "async_probe dyndbg async-probe", 'a_charp="x y"z', "a_bool=oFt a_invbool=0",
    "a_bool=o", "a_charp", "a_bint", 'a_charp="', '"a_charp=x y"',
)  # fmt: skip


@dataclass
class _Maker:
    """Makes modules for one kernel, each with a name of its own."""

    profile: KernelProfile
    count: int = 0

    def recipe(self, name: str = "", /, **changes: object) -> ModuleRecipe:
        self.count += 1
        name = name or f"odd{self.count}"
        info = usual_modinfo(name, self.profile.vermagic, intree=False)
        made = ModuleRecipe(name, info, layout_crc=self.profile.exports["module_layout"].crc)
        return replace(made, **changes)  # type: ignore[arg-type]  # the cases name fields of a recipe

    def module(self, **changes: object) -> bytes:
        return write(self.recipe(**changes))

    def saying(self, *entries: tuple[str, str], without: tuple[str, ...] = ()) -> bytes:
        """Make a module with more, or less, in its .modinfo."""
        made = self.recipe()
        kept = tuple(entry for entry in made.modinfo if entry[0] not in without)
        return write(replace(made, modinfo=(*entries, *kept)))

    def with_parameters(self) -> bytes:
        needed = (*(f"param_ops_{kind}" for kind in (*_KINDS, "string")), "param_array_ops")
        crcs = {name: self.profile.exports[name].crc for name in needed}
        imports = tuple(Import(name, weak=False, crc=crc) for name, crc in crcs.items())
        return self.module(imports=imports, parameters=_PARAMETERS)


@dataclass(frozen=True)
class _Case:
    id: str
    contents: bytes
    parameters: str = ""
    flags: LoadFlags = LoadFlags.NONE


@dataclass
class _Edit:
    """A module to be damaged."""

    data: bytes
    elf: Elf = field(init=False)

    def __post_init__(self) -> None:
        self.elf = Elf(self.data)

    def header(self, offset: int, form: str, value: int) -> bytes:
        return _put(self.data, offset, form, value)

    def section(self, which: str | int | SectionType, offset: int, form: str, value: int) -> bytes:
        """Change a field of a section header: by name, by number, or of the first one of a type."""
        if isinstance(which, SectionType):
            index = next(found.index for found in self.elf.sections if found.type == which)
        else:
            index = (self.elf.section_index(which) or 0) if isinstance(which, str) else which
        return _put(self.data, self.elf.header.shoff + 64 * index + offset, form, value)


def _put(data: bytes, offset: int, form: str, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, value)
    return bytes(changed)


def _headers(make: Callable[[], bytes]) -> Iterator[_Case]:
    for name, offset, form, value in (
        ("class", 4, "<B", 1), ("byte order", 5, "<B", 2), ("version", 6, "<B", 9), ("type", 16, "<H", 2),
        ("machine", 18, "<H", 183), ("size of section headers", 58, "<H", 40), ("shoff", 40, "<Q", 2**64 - 1),
        ("many sections", 60, "<H", 0xFFFF), ("no sections", 60, "<H", 0), ("no section names", 62, "<H", 0),
    ):  # fmt: skip
        yield _Case(f"header: {name}", _Edit(make()).header(offset, form, value))


def _sections(make: Callable[[], bytes]) -> Iterator[_Case]:
    names = _Edit(make()).elf.section_name_index
    last = _Edit(make()).elf.sections[names].size - 1
    symbols, relocations = SectionType.SYMTAB, SectionType.RELA
    for which, offset, form, value in (
        (names, 32, "<Q", 2**40), (names, 24, "<Q", 2**64 - 1), (names, 32, "<Q", 0), (names, 32, "<Q", last),
        (0, 4, "<I", 0xFFFFFFFF), (0, 32, "<Q", 1), (symbols, 40, "<I", 0x80000000), (symbols, 4, "<I", 1),
        (".text", 32, "<Q", 2**40), (".text", 0, "<I", 10_000), (".text", 8, "<Q", 7), (".modinfo", 8, "<Q", 0),
        ("__versions", 8, "<Q", 0), (relocations, 4, "<I", SectionType.REL),
    ):  # fmt: skip
        yield _Case(f"section {which}: {offset}={value}", _Edit(make()).section(which, offset, form, value))
    edit = _Edit(make())
    table = next(found for found in edit.elf.sections if found.type == relocations)
    yield _Case("unknown relocation", edit.header(table.offset + 8, "<I", 99))
    hidden = make().replace(b".gnu.linkonce.this_module\0", b".gnu.linkonce.that_module\0")
    yield _Case("no struct module", hidden)


def _signatures(make: Callable[[], bytes], stock: bytes) -> Iterator[_Case]:
    rsa, elliptic = Signer(use_rsa=True), Signer()
    detached = (_OPTIONS.DetachedSignature, _OPTIONS.Binary)
    yield _Case("by a stranger", rsa.signed(make()))
    yield _Case("by a stranger's curve", elliptic.signed(make()))
    for name, options in (
        ("attributes", (*detached, _OPTIONS.NoCapabilities)),
        ("contents inside", (_OPTIONS.Binary, _OPTIONS.NoAttributes)),
    ):
        contents = make()
        yield _Case(name, append(contents, rsa.message(contents, options=options)))
    contents = make()
    yield _Case("more behind the message", append(contents, rsa.message(contents) + b"more"))
    yield _Case("no message", append(make(), b"\x30\x03abc"))
    yield _Case("nothing", append(make(), b""))
    for name, place in (("another kind", 2), ("a number that should be zero", 0)):
        signed = append(make(), bytes(64))
        yield _Case(name, _put(signed, len(signed) - 40 + place, "<B", 1))
    yield _Case("too short a trailer", b"x" * 5 + append(b"", b"")[-28:])
    yield _Case("the marker alone", append(b"", b"")[-28:])
    yield _Case("the distribution's own", stock)
    yield _Case("the distribution's own, changed", _put(stock, 0x400, "<B", stock[0x400] ^ 1))


def _texts_and_symbols(maker: _Maker) -> Iterator[_Case]:
    yield _Case("no name in .modinfo", maker.saying(without=("name",)))
    yield _Case("an empty name", maker.saying(("name", ""), ("vermagic", "x")))
    yield _Case("an empty licence", maker.saying(("license", "")))
    yield _Case("staging and test", maker.saying(("staging", "Y"), ("test", "Y")))
    yield _Case("a live patch", maker.saying(("livepatch", "Y")))
    yield _Case("no retpolines", maker.saying(without=("retpoline",)))
    for name in ("lve", "ndiswrapper", "printk", "unix"):
        yield _Case(name, write(maker.recipe(name)))
    yield _Case("exports without versions", maker.module(exports=(export("odd_a", None),)))
    half = (export("odd_b", None), export("odd_c", gpl_only=True))
    yield _Case("one table without versions", maker.module(exports=half))
    yield _Case("weak and wrong", maker.module(imports=(Import("_printk", weak=True, crc=5),)))
    yield _Case("offset table", maker.module(imports=(Import("_GLOBAL_OFFSET_TABLE_", weak=False, crc=None),)))
    yield _Case("no versions", maker.module(with_versions=False))
    yield _Case("extended versions", maker.module(extended_versions=True))
    yield _Case("no exit", maker.module(exit_offset=None))
    other = usual_modinfo("other", maker.profile.vermagic.replace("6.", "9.", 1), intree=False)
    yield _Case("flag 1 and another release", maker.module(modinfo=other), flags=LoadFlags.IGNORE_MODVERSIONS)
    yield _Case("both flags", maker.module(), flags=_IGNORE_ALL)


def _cases(maker: _Maker, stock: bytes) -> Iterator[_Case]:
    for text in _TEXTS:
        yield _Case(f"parameters {text!r}", maker.with_parameters(), text)
    yield _Case("an empty file", b"")
    yield _Case("a header alone", maker.module()[:64])
    yield from _headers(maker.module)
    yield from _sections(maker.module)
    yield from _texts_and_symbols(maker)
    yield from _signatures(maker.module, stock)


def _answer(kernel: Kernel, file: ModuleFile, case: _Case) -> tuple[int, tuple[str, ...], int]:
    try:
        errno, log = 0, kernel.load(file, case.parameters, case.flags)
    except LoadRefused as error:
        errno, log = error.errno, error.log
    return errno, tuple(line for line in log if len(line) < _CUT), kernel.taint()


@pytest.fixture(scope="module")
def fresh(image: Image) -> Iterator[Machine]:
    """A machine that nothing else has tainted."""
    with Machine(image.kernel, image.modules, boot_timeout=150.0) as machine:
        yield machine


def test_odd_modules_get_the_same_answers(fresh: Machine, image: Image, tmp_path: Path) -> None:
    tree = ModuleTree(Root(), image.release)
    real, emulated = VmKernel(fresh), EmulatedKernel(tree)
    stock = tree.module("dummy")
    assert stock is not None
    differences = []
    for number, case in enumerate(_cases(_Maker(gather(tree)), stock.contents)):
        (tmp_path / f"{number}.ko").write_bytes(case.contents)
        file = ModuleFile(Root(), str(tmp_path / f"{number}.ko"))
        answers = [_answer(kernel, file, case) for kernel in (real, emulated)]
        if answers[0] != answers[1]:
            differences.append(f"\n{case.id}\n  real:     {answers[0]}\n  emulated: {answers[1]}")
    assert differences == [], "".join(differences)
    before = {module.name: module for module in real.loaded()}
    for module in emulated.loaded():
        found = before[module.name]
        assert found._replace(address=0) == module
        shown = {name: value for name, value in emulated.parameters(module.name).items() if value}
        assert shown.items() <= real.parameters(module.name).items()
