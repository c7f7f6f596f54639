"""Causes that lie in the file: no module, cut short, damaged, stripped, still compressed."""

import errno

from lkm.rules.causes.rule import CauseRule

__all__ = ["ELF"]

_ENOEXEC = (errno.ENOEXEC,)
_EINVAL = (errno.EINVAL,)
_REFERENCE = "kernel/module/main.c elf_validity_check, elf_validity_cache_copy"

ELF = (
    CauseRule(
        "compressed",
        "{file} is compressed, and was handed to the kernel as it is: the loader must unpack it, which an old kmod or"
        " busybox can't, or tell the kernel to do so",
        _REFERENCE,
        lines=("Invalid ELF header magic: !=", "Module has invalid ELF structures"),
        errnos=_ENOEXEC,
        facts=("compressed",),
        remedy=("lkm load {subject}",),
    ),
    CauseRule(
        "compressed",
        "{file} is compressed, and was handed to the kernel as it is: the loader must unpack it, which an old kmod or"
        " busybox can't, or tell the kernel to do so",
        _REFERENCE,
        errnos=_ENOEXEC,
        stages=("elf",),
        facts=("compressed",),
        remedy=("lkm load {subject}",),
    ),
    CauseRule(
        "not-elf",
        "{file} is no kernel module at all (no ELF file): perhaps a web page or an error text that was saved under its"
        " name, or a compressed file under a plain name",
        _REFERENCE,
        lines=("Invalid ELF header magic: !=",),
        errnos=_ENOEXEC,
        remedy=("file {file}",),
    ),
    CauseRule(
        "invalid-elf",
        "{file} is no kernel module that this kernel could read, which says no more than that: it is no ELF file (a web"
        " page, a compressed file), was built for another processor, or was cut short",
        "kernel/module.c load_module, elf_header_check (5.10)",
        lines=("Module has invalid ELF structures",),
        errnos=_ENOEXEC,
        remedy=("file {file}", "uname -m", "ls -l {file}"),
    ),
    CauseRule(
        "not-a-module",
        "{file} is a program or a shared library, not a kernel module (ELF type {type})",
        _REFERENCE,
        lines=("Invalid ELF header type: {type} != {wanted}",),
        errnos=_ENOEXEC,
        remedy=("file {file}",),
    ),
    CauseRule(
        "truncated",
        "{file} ends too early: it was cut short, as by a download or copy that broke off, or a full disk",
        _REFERENCE,
        lines=(
            "Invalid ELF header len {length}",
            "Invalid ELF section header overflow",
            "Invalid ELF section in module (section {section} type {type})",
        ),
        errnos=_ENOEXEC,
        remedy=("ls -l {file}", "df -h"),
    ),
    CauseRule(
        "stripped",
        "{module} has no symbol table: strip removed it, which must be told to take debug information only",
        "kernel/module/main.c setup_load_info, elf_validity_cache_index_sym",
        lines=("{module}: module has no symbols (stripped?)", "module has no symbols (stripped?)"),
        errnos=_ENOEXEC,
        remedy=("make -C {build} M=$PWD clean modules", "strip --strip-debug {file}"),
    ),
    CauseRule(
        "not-linked",
        "{file} is an object file but no kernel module: it lacks what modpost and the last link add to make the .ko",
        "kernel/module/main.c setup_load_info, elf_validity_cache_index_mod",
        lines=(
            "No module found in object",
            "Exactly one .gnu.linkonce.this_module section must exist.",
            "Only one .gnu.linkonce.this_module section must exist.",
        ),
        errnos=_ENOEXEC,
        remedy=("make -C {build} M=$PWD modules", "modinfo {file}"),
    ),
    CauseRule(
        "writable-code",
        "{module} has a section ({section}) that is both writable and executable, which {kernel} forbids: it was built"
        " with its own linker script or assembler sections",
        "kernel/module/strict_rwx.c module_enforce_rwx_sections",
        lines=("{module}: section {section} (index {index}) has invalid WRITE|EXEC flags",),
        errnos=_ENOEXEC,
        remedy=("readelf -WS {file}",),
    ),
    CauseRule(
        "twin-sections",
        "{module} has two sections of the name {section}, which {kernel} can't both show in sysfs: it was linked with"
        " -r from parts, and not by the kernel's build",
        "kernel/module/sysfs.c add_sect_attrs",
        lines=("sysfs: cannot create duplicate filename '/module/{module}/sections/{section}'",),
        errnos=(errno.EEXIST,),
        remedy=("readelf -WS {file}", "make -C {build} M=$PWD clean modules"),
    ),
    CauseRule(
        "damaged-elf",
        "{file} is damaged: the tables of its ELF file contradict each other; install or build it again",
        _REFERENCE,
        lines=(
            "ELF Spec violation: ",
            "Invalid ELF section header size",
            "Invalid ELF section name",
            "Invalid ELF section hdr(type {type})",
            "Invalid ELF sh_link!=SHN_UNDEF(",
            "Invalid ELF symbol string table type: {type}",
            "Only one .modinfo section must exist.",
            ".gnu.linkonce.this_module section must have a size set",
            ".gnu.linkonce.this_module must occupy memory during process execution",
            "empty section name table",
            "empty symbol string table",
            "symbol string table missing leading NUL",
            "symbol string table isn't NUL terminated",
            "symbol name out of bounds in string table",
            "extended version crc+name presence does not match",
            "more extended version crcs than names",
            "{module}: Symbol {symbol} has an invalid section index {index} (max {last})",
        ),
        errnos=(errno.ENOEXEC, errno.ENOENT, errno.EINVAL),
        remedy=("readelf -WS {file}", "file {file}"),
    ),
    CauseRule(
        "damaged-elf",
        "{file} is damaged: parts of its ELF file lie outside of it; install or build it again",
        _REFERENCE,
        errnos=_ENOEXEC,
        stages=("elf", "sections", "contents", "relocations", "section flags"),
        remedy=("readelf -WS {file}", "file {file}"),
    ),
    CauseRule(
        "damaged-elf",
        "{file} is damaged: a part that the kernel needs is not where the file says; install or build it again",
        _REFERENCE,
        errnos=_EINVAL,
        stages=("contents", "relocations", "constructors"),
        remedy=("readelf -WS {file}", "file {file}"),
    ),
    CauseRule(
        "empty-file",
        "{file} is empty",
        "fs/kernel_read_file.c kernel_read_file",
        errnos=_EINVAL,
        stages=("file",),
        remedy=("ls -l {file}",),
    ),
    CauseRule(
        "no-name",
        "{file} has no name in its struct module: it is damaged, or was not made by the kernel's build",
        "kernel/module/sysfs.c mod_sysfs_init",
        errnos=_EINVAL,
        stages=("built-in name",),
        remedy=("modinfo -F name {file}",),
    ),
    CauseRule(
        "wrong-compression",
        "{file} is not compressed as {kernel} expects ({format}): only the format of its configuration is unpacked by"
        " the kernel itself",
        "kernel/module/decompress.c module_decompress",
        lines=("not a {format} compressed module", "not an {format} compressed module"),
        errnos=_EINVAL,
        remedy=("file {file}", "cat /sys/module/compression", "lkm load {subject}"),
    ),
    CauseRule(
        "damaged-compression",
        "{file} is damaged: the kernel can't unpack it",
        "kernel/module/decompress.c module_decompress",
        lines=(
            "decompression failed with status {status}",
            "failed to initialize decompressor: {status}",
            "Can't initialize ZSTD stream",
            "ZSTD-compressed data has an incomplete frame header",
            "ZSTD-compressed data has too large a window size",
            "ZSTD-decompression failed with status {status}",
        ),
        errnos=_EINVAL,
        remedy=("file {file}", "ls -l {file}"),
    ),
    CauseRule(
        "compression-unsupported",
        "{kernel} can't unpack modules itself (CONFIG_MODULE_DECOMPRESS is off), and was told to: unpack the file"
        " before it is handed over",
        "kernel/module/internal.h module_decompress",
        errnos=(errno.EOPNOTSUPP,),
        stages=("compression",),
        remedy=("lkm load {subject}",),
    ),
    CauseRule(
        "damaged-compression",
        "{file} has nothing in it when unpacked, or can't be unpacked in the memory that there is",
        "kernel/module/decompress.c module_decompress",
        errnos=(errno.EACCES, errno.ENOMEM, errno.EINVAL),
        stages=("compression",),
        remedy=("file {file}", "ls -l {file}"),
    ),
    CauseRule(
        "unknown-flags",
        "{kernel} does not know a flag that finit_module was called with: the tool is newer than the kernel",
        "kernel/module/main.c finit_module",
        errnos=_EINVAL,
        stages=("flags",),
        remedy=("uname -r", "modprobe --version"),
    ),
)
