"""Every line of modprobe.d and the command line about a module, those that are not read included."""

from lkm.actions.session import Session
from lkm.formats.kernel_cmdline import FILE, Cmdline
from lkm.formats.module_name import canonical
from lkm.rules.effective_lines import Effect, EffectiveLine, lines_about, unread_lines
from lkm.system.configuration_survey import UnreadFile, unread_files

__all__ = ["lines_of"]


def lines_of(session: Session, name: str, alias: str | None, *, builtin: bool) -> tuple[EffectiveLine, ...]:
    """Collect the lines: those that were read first, in their order, then those that were not.

    :param alias: the alias by which the module is asked for
    :param builtin: it is part of the kernel image
    """
    read = lines_about(session.configuration, name, alias=alias, builtin=builtin)
    by_kernel = _kernel_blacklist(session.command_line, name, builtin=builtin)
    return (*read, *by_kernel, *_unread(session, name))


def _kernel_blacklist(cmdline: str, name: str, *, builtin: bool) -> tuple[EffectiveLine, ...]:
    """Find the module in the kernel's own list; see :mod:`lkm.rules.kernel_blacklist`."""
    found = []
    values = [value for value in Cmdline(cmdline).values("module_blacklist") if value is not None]
    for place, value in enumerate(values):
        names = value.split(",")
        if name in names and place < len(values) - 1:
            reason = f"the kernel keeps only the last: module_blacklist={values[-1]}"
            found.append(EffectiveLine(f"module_blacklist={value}", FILE, 1, Effect.OVERRIDDEN, reason))
        elif name in names:
            effect = Effect.NO_EFFECT if builtin else Effect.COUNTS
            reason = "it is built in, never loaded" if builtin else "the kernel refuses to load it, however it is asked"
            found.append(EffectiveLine(f"module_blacklist={value}", FILE, 1, effect, reason))
        elif name in map(canonical, names):
            reason = f"the kernel compares it as it is written: write {name}"
            found.append(EffectiveLine(f"module_blacklist={value}", FILE, 1, Effect.NO_EFFECT, reason))
    return tuple(found)


def _unread(session: Session, name: str) -> list[EffectiveLine]:
    if session.target.config_paths:
        return []  # whoever names the files knows which
    root = session.root
    found = []
    for file in unread_files(root):
        by = root.display(file.hidden_by) if file.hidden_by else ""
        found += unread_lines(file.directives, name, reason=_reason(file), by=by)
    return found


def _reason(file: UnreadFile) -> str:
    if file.hidden_by is None:
        return "the file's name does not end in .conf"
    if file.masked:
        return "the whole file is masked by a link to /dev/null"
    return "the whole file is hidden by one of the same name"
