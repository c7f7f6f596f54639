"""The running kernel: its system calls, /proc, /sys and /dev/kmsg."""

import errno
import os
from typing import TYPE_CHECKING

from lkm.errors import LkmError, LoadRefused, ModuleSupportMissing, UnloadRefused, Unreadable
from lkm.formats.proc_modules import LoadedModule, parse
from lkm.kernels.base import LoadFlags, Security, UnloadFlags
from lkm.kernels.kmsg import LogTail, read_log
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.formats.compression import Compression
    from lkm.system.module_file import ModuleFile

__all__ = ["LiveKernel"]

_TAINT = "/proc/sys/kernel/tainted"
_SIZE_LIMIT = 1 << 20  # files of /proc and /sys
_BOOLEANS = {"Y": True, "1": True, "N": False, "0": False}
_NO_MODULES_HINT = (
    "use another kernel (--kernel emulated:DIR, --kernel vm), or boot one with CONFIG_MODULES and without `nomodule`"
)


class LiveKernel:
    """The kernel that this process runs on."""

    def __init__(self) -> None:
        self.release = os.uname().release
        self._root = Root()

    # --- changing -----------------------------------------------------------------------------------------------------

    def load(self, module: "ModuleFile", parameters: str, flags: LoadFlags = LoadFlags.NONE) -> tuple[str, ...]:
        """Load by finit_module, compressed where the kernel can unpack; by init_module where it can't.

        See :meth:`lkm.kernels.base.Kernel.load`.
        """
        contents = parameters.encode("utf-8", "surrogateescape")
        with LogTail() as tail:
            try:
                self._insert(module, contents, flags)
            except OSError as error:
                code = error.errno or errno.EIO
                self._raise_if_unsupported(code)
                raise LoadRefused(module.name, code, tail.lines(), where=module.display_path) from error
            return tail.lines()

    def _insert(self, module: "ModuleFile", parameters: bytes, flags: LoadFlags) -> None:
        from lkm.formats.compression import Compression  # noqa: PLC0415  only loading needs it
        from lkm.kernels import syscalls  # noqa: PLC0415  ctypes is dear and rarely needed

        if module.compression is Compression.NONE or self._unpacks(module.compression):
            if module.compression is not Compression.NONE:
                flags |= LoadFlags.COMPRESSED_FILE
            fd = module.root.open_fd(module.path)
            try:
                syscalls.finit_module(fd, parameters, int(flags))
            except OSError as error:
                if error.errno != errno.ENOSYS:
                    raise
            else:
                return
            finally:
                os.close(fd)
        elif flags:
            # init_module takes no flags: the unpacked bytes go through a file in memory instead.
            with syscalls.memory_file(module.contents) as fd:
                syscalls.finit_module(fd, parameters, int(flags))
            return
        syscalls.init_module(module.contents, parameters)

    def _unpacks(self, compression: "Compression") -> bool:
        """Tell whether the kernel unpacks this kind (kernel/module/decompress.c, from 5.17)."""
        return self._read("/sys/module/compression") == compression.value

    def unload(self, name: str, flags: UnloadFlags = UnloadFlags.NONE) -> tuple[str, ...]:
        """See :meth:`lkm.kernels.base.Kernel.unload`."""
        from lkm.kernels import syscalls  # noqa: PLC0415  ctypes is dear and rarely needed

        with LogTail() as tail:
            try:
                syscalls.delete_module(name, os.O_NONBLOCK | int(flags))
            except OSError as error:
                code = error.errno or errno.EIO
                self._raise_if_unsupported(code)
                raise UnloadRefused(name, code, tail.lines()) from error
            return tail.lines()

    def _raise_if_unsupported(self, code: int) -> None:
        if code == errno.ENOSYS or not self._root.exists("/proc/modules"):
            raise self._unsupported()

    def _unsupported(self) -> ModuleSupportMissing:
        return ModuleSupportMissing(f"this kernel ({self.release}) can't load modules", hint=_NO_MODULES_HINT)

    # --- asking -------------------------------------------------------------------------------------------------------

    def loaded(self) -> tuple[LoadedModule, ...]:
        """See :meth:`lkm.kernels.base.Kernel.loaded`."""
        try:
            text = self._root.read_text("/proc/modules")
        except Unreadable as error:
            raise self._unsupported() from error
        return parse(text)

    def state(self, name: str) -> str | None:
        """See :meth:`lkm.kernels.base.Kernel.state`; a directory without initstate is a built-in's."""
        return None if "/" in name else self._read(f"/sys/module/{name}/initstate")

    def parameters(self, name: str) -> dict[str, str]:
        """See :meth:`lkm.kernels.base.Kernel.parameters`."""
        if "/" in name:
            return {}
        directory = f"/sys/module/{name}/parameters"
        values = {key: self._read(f"{directory}/{key}") for key in self._root.listdir(directory)}
        return {key: value for key, value in values.items() if value is not None}

    def taint(self) -> int:
        """See :meth:`lkm.kernels.base.Kernel.taint`."""
        where, hint = self._root.display(_TAINT), "is /proc mounted? what elsewhere is told: lkm taint NUMBER"
        try:
            text = self._root.read_text(_TAINT, limit=_SIZE_LIMIT).strip()
        except Unreadable as error:
            raise Unreadable(f"the taint mask can't be read: {error.what}", where=where, hint=hint) from error
        if not (text.isascii() and text.isdecimal()):
            raise Unreadable("holds no taint mask", where=where, hint=hint)
        return int(text)

    def security(self) -> Security:
        """See :meth:`lkm.kernels.base.Kernel.security`."""
        lockdown = self._read("/sys/kernel/security/lockdown")
        enforce = self._read("/sys/module/module/parameters/sig_enforce")
        return Security(
            lockdown.partition("[")[2].partition("]")[0] if lockdown else None,
            _BOOLEANS.get(enforce) if enforce else None,
            self._read("/proc/sys/kernel/modules_disabled") == "1",
        )

    def log(self) -> tuple[str, ...]:
        """See :meth:`lkm.kernels.base.Kernel.log`."""
        return read_log()

    def command_line(self) -> str:
        """See :meth:`lkm.kernels.base.Kernel.command_line`."""
        return self._read("/proc/cmdline") or ""

    def _read(self, path: str) -> str | None:
        try:
            return self._root.read_text(path, limit=_SIZE_LIMIT).rstrip("\n")
        except LkmError:
            return None
