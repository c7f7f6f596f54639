"""The module whose parameters are asked about: of the tree, built in, or only in the kernel."""

from dataclasses import dataclass

from lkm.actions.load_names import file_for, looks_like_path, not_found
from lkm.actions.parameters.live import live_parameters
from lkm.actions.session import Session
from lkm.errors import LkmError, ModuleNotFound, UsageError
from lkm.formats import parameters
from lkm.formats.modinfo import Modinfo
from lkm.formats.module_name import canonical, is_sane
from lkm.formats.parameter_defaults import defaults
from lkm.formats.parameters import Parameter
from lkm.kernels.live_parameters import LiveParameter
from lkm.rules.parameter_values import with_kind
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_file import ModuleFile

__all__ = ["Subject", "find_subject", "undeclared"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A module.

    :param name: canonical
    :param builtin: part of the kernel image
    :param file: None for a built-in, and for what only the kernel knows
    :param declared: its parameters, in the order in which it declares them; empty where no file tells
    :param defaults: what they are before anybody sets them, where the file tells
    :param is_64bit: what a ``long`` is
    """

    name: str
    builtin: bool
    file: ModuleFile | None
    declared: tuple[Parameter, ...]
    defaults: dict[str, str]
    is_64bit: bool = True

    def parameter(self, name: str) -> Parameter | None:
        """Give a declared parameter; ``-`` and ``_`` are equal."""
        wanted = canonical(name)
        return next((found for found in self.declared if canonical(found.name) == wanted), None)

    def profile(self, release: str) -> KernelProfile:
        """Give as much of a kernel's profile as the values of parameters depend on."""
        return KernelProfile(release, 0, "", None, {}, is_64bit=self.is_64bit)


def undeclared(name: str, live: LiveParameter) -> Parameter:
    """Make up the declaration of a parameter that only the kernel tells of; what it shows as Y or N is a yes or no."""
    return with_kind(Parameter(name, type="bool" if live.value in {"Y", "N"} else None, permissions=live.mode))


def find_subject(session: Session, name: str) -> Subject:
    """Find the one module that a name, an alias or a file stands for.

    :raises ModuleNotFound: nothing answers to it
    :raises UsageError: several modules do
    :raises Unreadable: the module's file can't be read
    """
    if looks_like_path(name):
        return _of_file(file_for(name))
    try:
        session.tree.require_indexes()
        found = session.resolver.lookup(name)
    except LkmError:
        known = _known_to_kernel(session, name)
        if known is None:
            raise
        return known
    names = list(dict.fromkeys(candidate.name for candidate in found))
    if not found:
        known = _known_to_kernel(session, name)
        if known is None:
            raise not_found(session, name)
        return known
    if len(names) > 1:
        raise UsageError(f"{name} stands for several modules: {', '.join(names)}", hint="name one of them")
    file = session.resolver.module_file(found[0])
    if file is not None:
        return _of_file(file)
    if not found[0].builtin:
        raise ModuleNotFound(f"there is no file of the module {names[0]}", where=session.tree.display_directory)
    modinfo = session.tree.builtin_modinfo.get(names[0], Modinfo())
    return Subject(names[0], True, None, tuple(map(with_kind, parameters.declared(None, modinfo))), {})  # noqa: FBT003  a record


def _of_file(file: ModuleFile) -> Subject:
    image = file.image
    with file.located():
        return Subject(
            canonical(image.name),
            builtin=False,
            file=file,
            declared=image.parameters,
            defaults=defaults(image.elf),
            is_64bit=image.elf.is_64bit,
        )


def _known_to_kernel(session: Session, name: str) -> Subject | None:
    """Take the kernel's word for a module that the tree does not know: of another release, or no module but a part."""
    plain = canonical(name)
    if not is_sane(plain):
        return None
    live = live_parameters(session, plain, (), {})
    if not live:
        return None
    try:
        is_loaded = session.kernel.state(plain) is not None
    except LkmError:
        is_loaded = False
    declared = tuple(undeclared(parameter, found) for parameter, found in live.items())
    return Subject(plain, not is_loaded, None, declared, {})
