"""What becomes of a module, and of what is configured for it, when another kernel takes over."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lkm.errors import LkmError
from lkm.formats.glob import Glob
from lkm.formats.kernel_cmdline import FILE as COMMAND_LINE
from lkm.formats.kernel_cmdline import Cmdline
from lkm.formats.modinfo import Modinfo
from lkm.formats.modprobe_conf import Alias, Blacklist, Directive, Install, Options, Remove, Softdep
from lkm.formats.module_name import canonical

if TYPE_CHECKING:
    from lkm.rules.resolving import Resolver

__all__ = ["Change", "Finding", "changes_of", "lines_without_object"]

_OF_THE_TREE = ("/modules.softdep", "/modules.weakdep")


class Change(Enum):
    """What an upgrade does to something; the value is its stable name."""

    GONE = "gone"
    REPLACED = "replaced"
    BUILT_IN = "becomes-built-in"
    MODULE = "becomes-module"
    REFUSED = "refused"
    NOT_BUILT = "not-built"
    PARAMETER_GONE = "parameter-gone"
    PARAMETER_MOVED = "parameter-moved"
    DEPENDENCY = "new-dependency"
    LINE_WITHOUT_OBJECT = "line-without-object"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is different afterwards.

    :param subject: the module that it is about
    :param text: a sentence without a full stop
    :param is_problem: something that works now will not, unless somebody acts
    :param where: the file and line of the configuration that it is about
    :param remedy: commands that can be pasted
    """

    change: Change
    subject: str
    text: str
    is_problem: bool = False
    where: str | None = None
    remedy: tuple[str, ...] = ()


def changes_of(name: str, old: "Resolver", new: "Resolver", aliases: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Tell what becomes of a module that is in use.

    :param name: canonical
    :param old: the module tree that is in use, with the configuration
    :param new: the one of the kernel to come
    :param aliases: what the module answers to now, such as the modaliases of its devices
    """
    new_file, old_file = new.tree.module(name), old.tree.module(name)
    if new_file is None and not new.tree.is_builtin(name):
        yield _gone(name, old, new, aliases)
        return
    if new_file is None and old_file is not None:
        yield Finding(Change.BUILT_IN, name, f"{name} becomes a part of the kernel image: it is always there")
    elif new_file is not None and old_file is None and old.tree.is_builtin(name):
        yield Finding(Change.MODULE, name, f"{name} is no part of the kernel image any more: it has to be loaded")
    yield from _parameters(name, old, new)
    if new_file is not None and old_file is not None:
        yield from _dependencies(name, old, new)


# --- modules that are gone --------------------------------------------------------------------------------------------


def _gone(name: str, old: "Resolver", new: "Resolver", aliases: tuple[str, ...]) -> Finding:
    heirs = _heirs(name, old, new, aliases)
    if heirs:
        return Finding(Change.REPLACED, name, f"{name} is gone; what it answers to leads to {', '.join(heirs)}")
    if not old.tree.is_builtin(name) and old.tree.module(name) is None:
        return Finding(Change.GONE, name, f"neither kernel has a module {name}")
    return Finding(Change.GONE, name, f"{name} is gone, and no other module answers to its aliases", is_problem=True)


def _heirs(name: str, old: "Resolver", new: "Resolver", aliases: tuple[str, ...]) -> tuple[str, ...]:
    """Name the modules of the new tree that take a module's place."""
    own = (alias for alias in _info(old, name).all("alias") if Glob(canonical(alias)).is_literal)
    found = (heir.name for alias in (*aliases, *own) for heir in new.lookup(alias) if _has(new, heir.name))
    return tuple(dict.fromkeys(heir for heir in found if heir != name))


def _has(side: "Resolver", name: str) -> bool:
    return side.tree.is_builtin(name) or side.tree.module(name) is not None


def _info(side: "Resolver", name: str) -> Modinfo:
    module = side.tree.module(name)
    if module is None:
        return side.tree.builtin_modinfo.get(name, Modinfo())
    try:
        return module.image.modinfo
    except LkmError:
        return Modinfo()


# --- parameters -------------------------------------------------------------------------------------------------------


def _parameters(name: str, old: "Resolver", new: "Resolver") -> Iterator[Finding]:
    lines = [line for line in old.configuration.options if line.module == name and line.file != COMMAND_LINE]
    if not lines:
        return
    known, kept = _declared(old, name), _declared(new, name)
    is_builtin = new.tree.module(name) is None
    for line in lines:
        for word, value in Cmdline(line.options).parameters:
            where = f"{line.file}:{line.line}"
            parameter = canonical(word)
            if parameter in kept and is_builtin:
                yield _moved(name, parameter, value, where)
            elif parameter in known and parameter not in kept:
                text = f"{name} has no parameter {parameter} any more: the kernel will say so and ignore it"
                yield Finding(Change.PARAMETER_GONE, name, text, is_problem=True, where=where)


def _moved(name: str, parameter: str, value: str | None, where: str) -> Finding:
    setting = f"{name}.{parameter}" if value is None else f"{name}.{parameter}={value}"
    text = f"options lines do not reach {name}, which becomes built in: put {setting} on the kernel command line"
    return Finding(Change.PARAMETER_MOVED, name, text, is_problem=True, where=where)


def _declared(side: "Resolver", name: str) -> frozenset[str]:
    """Name a module's parameters as its .modinfo, or that of the built-in, declares them."""
    info = _info(side, name)
    texts = (*info.all("parmtype"), *info.all("parm"))
    return frozenset(canonical(text.partition(":")[0]) for text in texts)


# --- dependencies -----------------------------------------------------------------------------------------------------


def _dependencies(name: str, old: "Resolver", new: "Resolver") -> Iterator[Finding]:
    before = {module.name for module in old.tree.dependencies(name)}
    for module in new.tree.dependencies(name):
        if module.name in before or old.tree.is_builtin(module.name):
            continue
        command = new.configuration.install_command(module.name)
        if command is None:
            yield Finding(Change.DEPENDENCY, module.name, f"{name} needs {module.name} as well")
            continue
        text = f"{name} needs {module.name} as well, for which an install line runs {command.command!r} instead"
        where = f"{command.file}:{command.line}"
        yield Finding(Change.DEPENDENCY, module.name, text, is_problem=True, where=where)


# --- configuration ----------------------------------------------------------------------------------------------------


def lines_without_object(old: "Resolver", new: "Resolver") -> Iterator[Finding]:
    """Find the lines of modprobe.d about modules that the new kernel does not have.

    One that keeps a module out is a problem where another module takes over.
    """
    for line in old.configuration.directives:
        name = _object(line)
        if name is None or not _has(old, name) or _has(new, name):
            continue
        heirs = _heirs(name, old, new, ())
        text = f"the line is about {name}, which the new kernel does not have"
        if heirs:
            text += f": what {name} answers to leads to {', '.join(heirs)} now"
        forbids = isinstance(line, Blacklist | Install)
        where = f"{line.file}:{line.line}"
        yield Finding(Change.LINE_WITHOUT_OBJECT, name, text, is_problem=forbids and bool(heirs), where=where)


def _object(line: Directive) -> str | None:
    """Give the module that a line is about; None where it is a pattern, or not the administrator's."""
    if line.file.endswith(_OF_THE_TREE) or line.file == COMMAND_LINE:
        return None
    if isinstance(line, Alias | Blacklist | Options | Install | Remove | Softdep):
        return line.module if Glob(line.module).is_literal else None
    return None
