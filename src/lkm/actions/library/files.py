"""Files that a program hands over by their paths on this machine, without any system."""

from lkm.actions.certificate_files import read_certificates_as_der
from lkm.actions.load_names import file_for
from lkm.system.module_file import ModuleFile

__all__ = ["read_certificates", "read_module"]


def read_module(path: str) -> ModuleFile:
    """Give a module file, compressed or not; it is read when its contents are asked for.

    :param path: of the machine, relative to the working directory or absolute
    :returns: ``.image`` holds .modinfo, exports, imports, versions, parameters, signature
    :raises UsageError: the path is empty, too long, or holds a NUL character
    """
    return file_for(path)


def read_certificates(path: str) -> tuple[bytes, ...]:
    """Read the X.509 certificates of a file, PEM or DER, as the options that trust certificates want them.

    :param path: as for :func:`read_module`
    :returns: each in DER; a PEM file may hold several
    :raises FormatError: it holds none
    :raises Unreadable: it can't be read
    """
    return read_certificates_as_der(path)
