"""Inside a machine: what the agent answers when the host asks for the kernel's own part, by way of the live kernel."""

from lkm.errors import LkmError
from lkm.formats.proc_modules import render
from lkm.kernels.base import LoadFlags, UnloadFlags
from lkm.kernels.live import LiveKernel
from lkm.kernels.vm.frames import Body
from lkm.kernels.vm.remote_errors import to_body
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

__all__ = ["answer"]


def answer(call: str, arguments: list[object]) -> Body:
    """Carry out one call of the Kernel protocol.

    :param call: the method's name
    :param arguments: its arguments; a module file is the path of its root and its path in there
    :returns: ``value``, or ``error``
    :raises ValueError: there is no such call
    """
    try:
        return {"value": _value(LiveKernel(), call, arguments)}
    except LkmError as error:
        return {"error": to_body(error)}


def _value(kernel: LiveKernel, call: str, arguments: list[object]) -> object:
    match call, arguments:
        case "load", [str(root), str(path), str(parameters), int(flags)]:
            return kernel.load(ModuleFile(Root(root), path), parameters, LoadFlags(flags))
        case "unload", [str(name), int(flags)]:
            return kernel.unload(name, UnloadFlags(flags))
        case "loaded", []:
            return render(kernel.loaded())
        case "state", [str(name)]:
            return kernel.state(name)
        case "parameters", [str(name)]:
            return kernel.parameters(name)
        case "security", []:
            security = kernel.security()
            return [security.lockdown, security.sig_enforce, security.modules_disabled]
        case (("taint" | "log" | "command_line"), []):
            return getattr(kernel, call)()
    raise ValueError(f"no such call of a kernel: {call}")
