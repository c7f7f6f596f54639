"""What the tools print where the kernel refuses: kmod, busybox, module-init-tools, systemd, strace, lkm."""

import errno
from collections.abc import Iterable
from dataclasses import dataclass

from lkm.formats.module_name import canonical, from_path
from lkm.rules.causes.templates import anchor, match

__all__ = ["Incident", "errno_of_text", "incidents", "is_error_text"]

_MOST = 8  # of which there is something to tell

_LOADING = (
    "could not insert '{module}': {error*}",
    "could not insert module {file}: {error*}",
    "could not load module {file}: {error*}",
    "Error inserting {module} ({file}): {error*}",
    "error inserting '{file}': -1 {error*}",
    "can't insert '{file}': {error*}",
    "can't load module {module} ({file}): {error*}",
    "Failed to insert module '{module}': {error*}",
    "the kernel refused to load {module}: {error*}",
    "init_module({arguments*}= -1 {error*}",
)
_UNLOADING = (
    "could not remove '{module}': {error*}",
    "could not remove module {module}: {error*}",
    "can't unload module '{module}': {error*}",
    "can't unload '{module}': {error*}",
    "Removing '{module}': {error*}",
    "the kernel refused to remove {module}: {error*}",
    'delete_module("{module}",{flags*}= -1 {error*}',
)

_TEXTS = {
    "unknown symbol in module": errno.ENOENT,
    "no such file or directory": errno.ENOENT,
    "invalid module format": errno.ENOEXEC,
    "exec format error": errno.ENOEXEC,
    "module has wrong symbol version": errno.ESRCH,
    "no such process": errno.ESRCH,
    "invalid argument": errno.EINVAL,
    "invalid parameters": errno.EINVAL,
    "invalid parameter": errno.EINVAL,
    "operation not permitted": errno.EPERM,
    "permission denied": errno.EACCES,
    "key was rejected by service": errno.EKEYREJECTED,
    "required key not available": errno.ENOKEY,
    "bad message": errno.EBADMSG,
    "package not installed": errno.ENOPKG,
    "file exists": errno.EEXIST,
    "module already in kernel": errno.EEXIST,
    "module already loaded": errno.EEXIST,
    "device or resource busy": errno.EBUSY,
    "resource temporarily unavailable": errno.EAGAIN,
    "operation would block": errno.EAGAIN,
    "cannot allocate memory": errno.ENOMEM,
    "out of memory": errno.ENOMEM,
    "no such device or address": errno.ENXIO,
    "no such device": errno.ENODEV,
    "numerical result out of range": errno.ERANGE,
    "no space left on device": errno.ENOSPC,
    "operation not supported": errno.EOPNOTSUPP,
    "function not implemented": errno.ENOSYS,
    "kernel does not support requested operation": errno.ENOSYS,
    "text file busy": errno.ETXTBSY,
    "file too large": errno.EFBIG,
    "input/output error": errno.EIO,
    "connection timed out": errno.ETIMEDOUT,
    "address already in use": errno.EADDRINUSE,
    "protocol error": errno.EPROTO,
    "bad address": errno.EFAULT,
    "no data available": errno.ENODATA,
    "interrupted system call": errno.EINTR,
    "read-only file system": errno.EROFS,
}


@dataclass(frozen=True, slots=True)
class Incident:
    """A refusal that a tool reports.

    :param module: canonical; None where the text does not say
    :param errno: None where the text is none that is known
    """

    module: str | None
    file: str | None
    errno: int | None
    is_removal: bool


def incidents(lines: Iterable[str]) -> tuple[Incident, ...]:
    """Find the refusals that tools report, the latest of each module, in order; of very many the last ones."""
    found: dict[tuple[str | None, bool], Incident] = {}
    for line in lines:
        incident = _incident(line)
        if incident:
            found.pop((incident.module, incident.is_removal), None)
            found[incident.module, incident.is_removal] = incident
    return tuple(found.values())[-_MOST:]


def _incident(line: str) -> Incident | None:
    for templates, is_removal in ((_LOADING, False), (_UNLOADING, True)):
        for template in templates:
            words = match(template, line) if anchor(template) in line else None
            if words:
                return _from_words(words, is_removal=is_removal)
    return None


def _from_words(words: dict[str, str], *, is_removal: bool) -> Incident:
    file = words.get("file")
    name = words.get("module") or (from_path(file) if file else None)
    return Incident(canonical(name) if name else None, file, errno_of_text(words["error"]), is_removal)


def errno_of_text(text: str) -> int | None:
    """Give the errno that a tool's text stands for: its own words, the C library's, or the name as strace prints it."""
    plain = text.strip().casefold()
    for known, number in _TEXTS.items():
        if plain.startswith(known):
            return number
    return _by_name(text.split(None, 1)[0]) if text.strip() else None


def is_error_text(text: str) -> bool:
    """Tell whether a text is nothing but an error's: as tools print it, or the name of an errno."""
    plain = text.strip().casefold().rstrip(".")
    return _by_name(text.strip()) is not None or any(
        plain == known or plain.startswith((f"{known},", f"{known} (")) for known in _TEXTS
    )


def _by_name(word: str) -> int | None:
    number = getattr(errno, word, None) if word.startswith("E") else None
    return number if isinstance(number, int) else None
