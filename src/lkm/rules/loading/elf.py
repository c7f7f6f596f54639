"""The kernel's checks of the ELF file, on the raw bytes; which function makes them is a trait of the kernel."""

import errno

from lkm.errors import FormatError
from lkm.formats import module_signature
from lkm.rules.loading import elf_joint, elf_stepwise, elf_whole
from lkm.rules.loading.attempt import Attempt, Refusal
from lkm.rules.loading.section_headers import SectionHeaders, read_headers
from lkm.system.kernel_traits import ElfValidation

__all__ = ["check_contents", "check_elf", "check_module_sections"]


def check_elf(attempt: Attempt) -> Refusal | None:
    """Refuse what is no relocatable object of this machine, or lies about its parts."""
    contents = memoryview(attempt.contents)[: _size_without_signature(attempt)]
    headers = read_headers(contents, attempt.profile)
    lines = _header_faults(attempt.traits.elf_validation, headers)
    for line in lines:
        attempt.say(line)
    if lines or isinstance(headers, str):
        return Refusal(errno.ENOEXEC)
    attempt.headers = headers
    return None


def _header_faults(validation: ElfValidation, headers: SectionHeaders | str) -> tuple[str, ...]:
    if validation is ElfValidation.TERSE:
        return elf_whole.terse_faults(headers)
    if isinstance(headers, str):
        return (headers,)
    if validation is ElfValidation.TALKATIVE:
        fault = elf_whole.talkative_fault(headers)
    elif validation is ElfValidation.JOINT:
        fault = elf_joint.header_fault(headers)
    else:
        fault = elf_stepwise.header_fault(headers)
    return () if fault is None else (fault,)


def check_module_sections(attempt: Attempt) -> Refusal | None:
    """Refuse a module without symbols or struct module, and what else this kernel looks at before it goes on."""
    validation = attempt.traits.elf_validation
    if validation is ElfValidation.JOINT:
        fault = elf_joint.section_fault(attempt, attempt.headers)
    elif validation is ElfValidation.STEPWISE:
        fault = elf_stepwise.section_fault(attempt, attempt.headers)
    else:
        fault = elf_whole.missing_section(attempt, attempt.headers)
    if fault is None:
        return None
    attempt.say(fault)
    return Refusal(errno.ENOEXEC)


def check_contents(attempt: Attempt) -> Refusal | None:
    """Refuse what a kernel would read from outside of the module; what comes of that depends on its memory."""
    error = attempt.readable()
    if error is None:
        return None
    attempt.undecidable.append(f"what the kernel makes of a damaged module: {error}")
    return Refusal(errno.ENOEXEC)


def _size_without_signature(attempt: Attempt) -> int:
    """Give how much of the file is left of the signature stage, which cuts off what it has looked at."""
    contents = attempt.contents
    if attempt.ignores_signature or not attempt.profile.has("MODULE_SIG"):
        return len(contents)
    try:
        trailer = module_signature.read(contents)
    except FormatError:
        return len(contents)
    if trailer is None:
        return len(contents)
    if trailer.id_type != module_signature.KeyIdType.PKCS7:
        return len(contents) - len(module_signature.MARKER)
    return max(trailer.content_size, 0)
