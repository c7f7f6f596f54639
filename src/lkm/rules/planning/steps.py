"""The steps of a plan: what is done to a kernel, one after the other."""

from dataclasses import dataclass
from enum import Enum

from lkm.system.module_file import ModuleFile

__all__ = [
    "Absent",
    "Insert",
    "LoadStep",
    "Obstacle",
    "Present",
    "Refused",
    "Remove",
    "RunInstall",
    "RunRemove",
    "UnloadStep",
]

_PARAMETERS = "$CMDLINE_OPTS"


@dataclass(frozen=True, slots=True)
class Insert:
    """Hand a module file to the kernel.

    :param parameters: the string for the kernel: modprobe.d's options, then the caller's
    :param required: a failure ends the plan; False for what only a soft dependency asked for
    """

    name: str
    module: ModuleFile
    parameters: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class RunInstall:
    """Run modprobe.d's install command instead of inserting.

    :param command: as configured
    :param where: the file and line of the directive
    """

    name: str
    command: str
    parameters: str
    where: str
    required: bool = True

    @property
    def shell(self) -> str:
        """The command for the shell: ``$CMDLINE_OPTS`` replaced as text (modprobe.d(5)).

        What is left may spell the word anew, and is searched again (kmod 30, libkmod/libkmod-module.c
        ``module_do_install_commands``); but not for ever, as there, where the parameters hold the word.
        """
        command = self.command.replace(_PARAMETERS, self.parameters)
        while _PARAMETERS in command and _PARAMETERS not in self.parameters:
            command = command.replace(_PARAMETERS, self.parameters)
        return command


@dataclass(frozen=True, slots=True)
class Present:
    """Nothing to do: the module is in the kernel.

    :param builtin: part of the kernel image, not loaded
    """

    name: str
    builtin: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing can be done: no file and no command belongs to this name.

    :param alias: the alias that promised it
    """

    name: str
    alias: str | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Remove:
    """Have the kernel remove a module.

    :param required: a failure ends the plan
    :param leftover: it goes because nothing uses it any more
    """

    name: str
    required: bool = True
    leftover: bool = False


@dataclass(frozen=True, slots=True)
class RunRemove:
    """Run modprobe.d's remove command instead of removing.

    :param command: as configured
    :param where: the file and line of the directive
    """

    name: str
    command: str
    where: str
    required: bool = True

    @property
    def shell(self) -> str:
        """The command for the shell, without ``$CMDLINE_OPTS``: a removal has no parameters.

        What is left may spell the word anew, and is searched again (kmod 30, tools/modprobe.c ``command_do``).
        """
        command = self.command
        while _PARAMETERS in command:
            command = command.replace(_PARAMETERS, "")
        return command


class Obstacle(Enum):
    """Why a module can't be removed."""

    IN_USE = "in use"
    BUILT_IN = "built in"
    NOT_LOADED = "not loaded"


@dataclass(frozen=True, slots=True)
class Refused:
    """The plan can't remove this module.

    :param users: the loaded modules that use it, where that is the obstacle
    :param references: its reference count
    """

    name: str
    obstacle: Obstacle
    users: tuple[str, ...] = ()
    references: int = 0
    required: bool = True


LoadStep = Insert | RunInstall | Present | Absent
UnloadStep = Remove | RunRemove | Refused
