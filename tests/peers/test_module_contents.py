"""What modules hold, compared with what kmod, binutils, openssl and the kernel's own build say of them."""

from __future__ import annotations

import mmap
import subprocess
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.require import require_path, require_tool

from lkm.formats import cms, ksymtab, module_signature
from lkm.formats.elf.constants import Machine, SectionFlag
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.kernel_image import wrapping
from lkm.formats.ksymtab import Export
from lkm.formats.module_image import ModuleImage
from lkm.formats.module_signature import KeyIdType
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.peer

KEY_ID_NAMES = {KeyIdType.PGP: "PGP", KeyIdType.X509: "X509", KeyIdType.PKCS7: "PKCS#7"}
VERMAGIC = "6.1.0-56-amd64 SMP preempt mod_unload modversions "
SAMPLE = ModuleRecipe(
    name="sample",
    modinfo=usual_modinfo("sample", VERMAGIC, depends=("other",)),
    exports=(
        Export("sample_a", 0xDEADBEEF, gpl_only=False, namespace=None),
        Export("sample_b", 7, gpl_only=True, namespace="NS"),
    ),
    imports=(Import("printk", weak=False, crc=0x92997ED8), Import("maybe", weak=True, crc=None)),
    parameters=(
        Parameter("debug", "int", "how much: 0 to 7", 0o644),
        Parameter("names", "array of charp", None, 0o444, is_array=True),
    ),
    layout_crc=1,
)


@cache
def tree() -> Path:
    """Give the newest module tree whose kernel headers are installed."""
    found = sorted(Path("/lib/modules").glob("*/build/Module.symvers"))
    return found[-1].parent.parent if found else require_path("/lib/modules/RELEASE/build/Module.symvers")


@cache
def modules() -> tuple[Path, ...]:
    found = tuple(sorted((tree() / "kernel").rglob("*.ko")))
    assert found
    return found


def images() -> Iterator[tuple[Path, ModuleImage]]:
    for path in modules():
        with path.open("rb") as file:
            yield path, ModuleImage(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def run(*command: str | Path) -> bytes:
    tool = require_tool(str(command[0]))
    return subprocess.run([tool, *command[1:]], capture_output=True, check=True).stdout


# --- modinfo ----------------------------------------------------------------------------------------------------------


def modinfo_of(paths: list[Path]) -> list[list[str]]:
    """Give what modinfo prints of each file, without the file's name."""
    entries = run("modinfo", "-0", *paths).decode("utf-8", "surrogateescape").split("\0")
    printed: list[list[str]] = []
    for entry in entries[:-1]:
        if entry.startswith("filename:"):
            printed.append([])
        else:
            printed[-1].append(entry)
    return printed


def expected_modinfo(image: ModuleImage) -> list[str]:
    fields = [f"{key}={value}" for key, value in image.modinfo.fields if key not in {"parm", "parmtype"}]
    return fields + signature_lines(image) + parameter_lines(image)


def signature_lines(image: ModuleImage) -> list[str]:
    signature = image.signature
    if signature is None:
        return []
    data = memoryview(image.data)
    if signature.id_type == KeyIdType.PKCS7:
        info = cms.parse(signature.signature(data)).signers[0]
        signer, key, digest, raw = info.signer, info.sig_key, info.digest, info.signature
    else:
        signer = signature.signer(data).decode()
        key, digest = signature.key_id(data), module_signature.DIGESTS[signature.hash]
        raw = signature.signature(data)
    return [
        f"sig_id={KEY_ID_NAMES[KeyIdType(signature.id_type)]}",
        f"signer={signer}",
        f"sig_key={hexadecimal(key)}",
        f"sig_hashalgo={digest}",
        f"signature={hexadecimal(raw)}",
    ]


def hexadecimal(data: bytes) -> str:
    rows = [data[start : start + 20].hex(":").upper() for start in range(0, len(data), 20)]
    return ":\n\t\t".join(rows)


def parameter_lines(image: ModuleImage) -> list[str]:
    lines = []
    for parameter in reversed(image.parameters):
        if parameter.description is None and parameter.type is None:
            continue  # only __param knows it
        if parameter.description is None:
            text = parameter.type
        elif parameter.type is None:
            text = parameter.description
        else:
            text = f"{parameter.description} ({parameter.type})"
        lines.append(f"{'parm:':16}{parameter.name}:{text}")
    return lines


def test_modinfo_of_every_module() -> None:
    printed = modinfo_of(list(modules()))
    assert len(printed) == len(modules())
    for (path, image), lines in zip(images(), printed, strict=True):
        assert expected_modinfo(image) == lines, path


SECTIONS = [
    b"",
    b"\0",
    b"\0\0\0",
    b"x",
    b"\0x",
    b"a=1",
    b"\0\0a=1\0\0\0b=2\0\0\0",
    b"license\0author=J\xf6rg\0=x\0a==b\0",
    b"parm=a:one\0parmtype=a:int\0parm=b:two\0parmtype=c:bool\0parm=a:again\0",
]


def test_odd_modinfo_sections(tmp_path: Path) -> None:
    paths = []
    for index, section in enumerate(SECTIONS):
        writer = ObjectWriter()
        writer.add_section(".modinfo", flags=SectionFlag.ALLOC, data=section)
        paths.append(tmp_path / f"m{index}.ko")
        paths[-1].write_bytes(writer.to_bytes())
    assert modinfo_of(paths) == [expected_modinfo(ModuleImage(path.read_bytes())) for path in paths]


# --- signatures -------------------------------------------------------------------------------------------------------

SUBJECTS = ["/CN=Module key", "/O=An organisation/CN=Schlüssel für Module/C=DE", "/O=Nobody/OU=no common name"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("keys")
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", directory / "key.pem")
    for index, subject in enumerate(SUBJECTS):
        serial = ("0x80000001", "0x1234567890abcdef1234", "0x7f")[index]
        command = ("openssl", "req", "-new", "-x509", "-utf8", "-key", directory / "key.pem", "-subj", subject)
        run(*command, "-set_serial", serial, "-out", directory / f"cert{index}.pem")
    (directory / "content").write_bytes(write(SAMPLE))
    return directory


def signed(keys: Path, subject: int, *options: str) -> bytes:
    command = ("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-nocerts", "-noattr", "-nosmimecap")
    files = ("-in", keys / "content", "-signer", keys / f"cert{subject}.pem", "-inkey", keys / "key.pem")
    return run(*command, *options, *files)


@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("subject", range(len(SUBJECTS)))
def test_signed_modules(tmp_path: Path, keys: Path, subject: int, digest: str) -> None:
    path = tmp_path / "signed.ko"
    path.write_bytes(module_signature.append((keys / "content").read_bytes(), signed(keys, subject, "-md", digest)))
    image = ModuleImage(path.read_bytes())
    (printed,) = modinfo_of([path])
    assert f"sig_hashalgo={digest}" in printed
    assert printed == expected_modinfo(image)


def test_a_signer_by_key_identifier(keys: Path) -> None:
    (info,) = cms.parse(signed(keys, 0, "-keyid", "-md", "sha512")).signers
    extension = run("openssl", "x509", "-in", keys / "cert0.pem", "-noout", "-ext", "subjectKeyIdentifier").decode()
    assert info.key_id is not None
    assert info.key_id.hex(":").upper() == extension.split()[-1]
    assert (info.digest, info.serial) == ("sha512", None)


def test_signatures_before_pkcs7(tmp_path: Path) -> None:
    path = tmp_path / "old.ko"
    trailer = bytes((1, 4, KeyIdType.X509, 6, 3, 0, 0, 0, 0, 0, 0, 4)) + module_signature.MARKER
    path.write_bytes(write(SAMPLE) + b"Signer" + b"key" + b"sign" + trailer)
    (printed,) = modinfo_of([path])
    assert "signer=Signer" in printed
    assert printed == expected_modinfo(ModuleImage(path.read_bytes()))


# --- exports, imports, versions ---------------------------------------------------------------------------------------


def symvers() -> dict[str, set[Export]]:
    """Give the exports that Module.symvers lists, by the module's path without extension."""
    found = defaultdict(set)
    for line in (tree() / "build/Module.symvers").read_text().splitlines():
        crc, name, module, kind, namespace = line.split("\t")
        found[module].add(Export(name, int(crc, 16), kind == "EXPORT_SYMBOL_GPL", namespace or None))
    return found


def test_exports_of_every_module() -> None:
    listed = symvers()
    del listed["vmlinux"]
    exporting = {str(path.relative_to(tree() / "kernel"))[: -len(".ko")]: image.exports for path, image in images()}
    found = {module: set(exports) for module, exports in exporting.items() if exports}
    assert found == listed
    assert sum(len(exports) for exports in exporting.values()) == sum(len(exports) for exports in listed.values())


def test_exports_of_the_kernel_itself() -> None:
    image = require_path(f"/boot/vmlinuz-{tree().name}").read_bytes()
    exports = ksymtab.exports(Elf(wrapping.unpack(image)))
    assert len(exports) > 1000
    assert set(exports) == symvers()["vmlinux"]


def test_versions() -> None:
    for path in modules()[::25]:
        image = ModuleImage(path.read_bytes())
        lines = [f"0x{crc:08x}\t{name}" for name, crc in image.versions.items()]
        assert run("modprobe", "--dump-modversions", path).decode().splitlines() == lines, path
        unversioned = {symbol.name for symbol in image.imports if symbol.crc is None}
        assert unversioned <= {"_GLOBAL_OFFSET_TABLE_"}, path


def test_imports() -> None:
    paths = modules()[::25]
    printed = run("nm", "--undefined-only", "--print-file-name", "--no-sort", *paths).decode().splitlines()
    listed = defaultdict(list)
    for line in printed:
        file, _, symbol = line.rpartition(":")
        letter, name = symbol.split()
        listed[file].append((name, letter == "w"))
    for path in paths:
        imports = ModuleImage(path.read_bytes()).imports
        assert [(symbol.name, symbol.weak) for symbol in imports] == listed[str(path)], path


# --- parameters -------------------------------------------------------------------------------------------------------


def test_parameters_of_every_module() -> None:
    """Where both modinfo and __param speak of a parameter they agree, which is as good as a peer."""
    counted = 0
    for path, image in images():
        for parameter in image.parameters:
            if parameter.type is None or not parameter.ops:
                continue
            counted += 1
            element = parameter.element_ops if parameter.is_array else parameter.ops
            kind = parameter.type.removeprefix("array of ")
            assert parameter.is_array == parameter.type.startswith("array of "), (path, parameter)
            assert element in {f"param_ops_{kind}", ""}, (path, parameter)
            assert (parameter.capacity is not None) == (parameter.is_array or kind == "string"), (path, parameter)
            assert (parameter.permissions or 0) & ~0o666 == 0, (path, parameter)
    assert counted > 1000


# --- modules that we write --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "machine", [Machine.X86_64, Machine.I386, Machine.AARCH64, Machine.ARM, Machine.PPC, Machine.S390]
)
def test_written_modules(tmp_path: Path, machine: int) -> None:
    path = tmp_path / "sample.ko"
    path.write_bytes(write(replace(SAMPLE, machine=machine)))
    assert modinfo_of([path]) == [expected_modinfo(ModuleImage(path.read_bytes()))]
    versions = ["0x00000001\tmodule_layout", "0x92997ed8\tprintk"]
    assert run("modprobe", "--dump-modversions", path).decode().splitlines() == versions
    exports = run("modprobe", "--show-exports", path).decode().splitlines()
    assert exports == ["0xdeadbeef\tsample_a", "0x00000007\tsample_b"]


def test_depmod_accepts_written_modules(tmp_path: Path) -> None:
    directory = tmp_path / "lib/modules/6.1.0/kernel"
    directory.mkdir(parents=True)
    user = ModuleRecipe(
        name="user", modinfo=usual_modinfo("user", VERMAGIC), imports=(Import("sample_a", weak=False, crc=1),)
    )
    (directory / "sample.ko").write_bytes(write(SAMPLE))
    (directory / "user.ko").write_bytes(write(user))
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        (directory.parent / name).touch()
    printed = run("depmod", "-n", "-b", tmp_path, "6.1.0").decode().splitlines()
    assert "kernel/user.ko: kernel/sample.ko" in printed
    assert "alias symbol:sample_b sample" in printed
