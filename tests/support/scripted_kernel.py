"""A kernel that answers as a test tells it to."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lkm.errors import LoadRefused, UnloadRefused
from lkm.formats.proc_modules import LoadedModule
from lkm.kernels.base import LoadFlags, Security, UnloadFlags

if TYPE_CHECKING:
    from lkm.system.module_file import ModuleFile

__all__ = ["ScriptedKernel"]


@dataclass
class ScriptedKernel:
    """Notes what it is asked.

    :param live: the names of its modules
    :param refusals: for each module the errnos of the next answers, 0 for a yes; then all is well
    """

    live: set[str] = field(default_factory=set)
    refusals: dict[str, list[int]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    release: str = "1.0"

    def _answer(self, name: str) -> int:
        errnos = self.refusals.get(name)
        return errnos.pop(0) if errnos else 0

    def load(self, module: "ModuleFile", parameters: str, flags: LoadFlags = LoadFlags.NONE) -> tuple[str, ...]:
        self.calls.append(f"load {module.name} {parameters} {int(flags)}")
        code = self._answer(module.name)
        if code:
            raise LoadRefused(module.name, code, (f"{module.name}: no",), where=module.display_path)
        self.live.add(module.name)
        return (f"{module.name}: yes",)

    def unload(self, name: str, flags: UnloadFlags = UnloadFlags.NONE) -> tuple[str, ...]:
        self.calls.append(f"unload {name} {int(flags)}")
        code = self._answer(name)
        if code:
            raise UnloadRefused(name, code)
        self.live.discard(name)
        return (f"{name}: gone",)

    def loaded(self) -> tuple[LoadedModule, ...]:
        return tuple(LoadedModule(name, 4096) for name in sorted(self.live))

    def state(self, name: str) -> str | None:
        return "live" if name in self.live else None

    def parameters(self, name: str) -> dict[str, str]:
        return {}

    def taint(self) -> int:
        return 0

    def security(self) -> Security:
        return Security(None, None, modules_disabled=False)

    def log(self) -> tuple[str, ...]:
        return ()

    def command_line(self) -> str:
        return ""
