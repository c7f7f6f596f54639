"""All that is known of one module: its file, what it says of itself, its relations, its state in the kernel."""

from dataclasses import dataclass

from lkm.actions.load_names import file_for, looks_like_path, not_found
from lkm.actions.session import Session
from lkm.errors import LkmError
from lkm.formats.modinfo import Modinfo
from lkm.formats.parameters import Parameter
from lkm.formats.proc_modules import LoadedModule
from lkm.rules.effective_lines import EffectiveLine, lines_about
from lkm.rules.resolving import Candidate
from lkm.system.module_file import ModuleFile

__all__ = ["Description", "describe"]


@dataclass(frozen=True, slots=True)
class Description:
    """One module.

    :param builtin: part of the kernel image: it has no file
    :param depends: the modules it needs directly
    :param loaded: how it is in the kernel; None where it is not, or the kernel can't tell
    :param values: the parameters that the kernel shows, with their values
    :param configured: the lines of modprobe.d and the kernel command line that concern it
    """

    name: str
    alias: str | None
    builtin: bool
    file: ModuleFile | None
    modinfo: Modinfo
    parameters: tuple[Parameter, ...]
    depends: tuple[str, ...]
    loaded: LoadedModule | None
    values: dict[str, str]
    configured: tuple[EffectiveLine, ...]


def describe(session: Session, name: str) -> tuple[Description, ...]:
    """Describe all modules that a name leads to.

    :param name: a module's name, an alias, or a file
    :raises ModuleNotFound: nothing answers to the name
    """
    if looks_like_path(name):
        module = file_for(name)
        with module.located():
            candidate = Candidate(module.image.name)
        return (_describe(session, candidate, module),)
    session.tree.require_indexes()
    found = session.resolver.lookup(name)
    if not found:
        raise not_found(session, name)
    return tuple(_describe(session, candidate, session.resolver.module_file(candidate)) for candidate in found)


def _describe(session: Session, candidate: Candidate, module: ModuleFile | None) -> Description:
    modinfo, parameters = _contents(session, candidate, module)
    return Description(
        name=candidate.name,
        alias=candidate.alias,
        builtin=candidate.builtin and module is None,
        file=module,
        modinfo=modinfo,
        parameters=parameters,
        depends=tuple(part for part in (modinfo.first("depends") or "").split(",") if part),
        loaded=_loaded(session, candidate.name),
        values=_values(session, candidate.name),
        configured=lines_about(session.configuration, candidate.name, alias=candidate.alias, builtin=candidate.builtin),
    )


def _contents(
    session: Session, candidate: Candidate, module: ModuleFile | None
) -> tuple[Modinfo, tuple[Parameter, ...]]:
    if module is None:
        return session.tree.builtin_modinfo.get(candidate.name, Modinfo()), ()
    image = module.image
    with module.located():
        return image.modinfo, image.parameters


def _loaded(session: Session, name: str) -> LoadedModule | None:
    if not session.kernel_is_of_root:
        return None
    try:
        return next((module for module in session.kernel.loaded() if module.name == name), None)
    except LkmError:
        return None  # a kernel without modules has none loaded; the file can be shown all the same


def _values(session: Session, name: str) -> dict[str, str]:
    if not session.kernel_is_of_root:
        return {}
    try:
        return session.kernel.parameters(name)
    except LkmError:
        return {}
