"""Which lines of the configuration count for a module, and which lose, to what and why.

Facts: kmod 30, libkmod/libkmod-module.c ``kmod_module_get_install_commands``, ``kmod_module_get_softdeps``,
``kmod_module_get_options`` and ``kmod_module_probe_insert_module``; Linux 6.1, kernel/params.c ``parse_args``.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from lkm.formats.glob import Glob
from lkm.formats.kernel_cmdline import FILE, Cmdline
from lkm.formats.modprobe_conf import Alias, Blacklist, Directive, Install, Options, Remove, Softdep, Weakdep
from lkm.formats.module_name import canonical, normalise_alias
from lkm.system.configuration import Configuration

__all__ = ["Effect", "EffectiveLine", "lines_about", "text_of", "unread_lines"]


class Effect(Enum):
    """What becomes of a line."""

    COUNTS = "counts"
    IN_PART = "counts in part"
    OVERRIDDEN = "overridden"
    NO_EFFECT = "no effect"
    NOT_READ = "not read"


class EffectiveLine(NamedTuple):
    """A line of the configuration that concerns a module.

    :param text: the directive as one line
    :param file: as the directive names it
    :param line: from 1
    :param effect: what becomes of it
    :param reason: why it does not count, or what is odd about it; may be empty
    :param by: file and line of what wins in its place; may be empty
    """

    text: str
    file: str
    line: int
    effect: Effect = Effect.COUNTS
    reason: str = ""
    by: str = ""

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


def text_of(directive: Directive) -> str:
    """Write a directive as the line that it was read from, more or less."""
    match directive:
        case Alias():
            return f"alias {directive.alias} {directive.module}"
        case Blacklist():
            return f"blacklist {directive.module}"
        case Options():
            return f"options {directive.module} {directive.options.strip()}"
        case Install():
            return f"install {directive.module} {directive.command}"
        case Remove():
            return f"remove {directive.module} {directive.command}"
        case Softdep():
            parts = [f"pre: {' '.join(directive.pre)}"] if directive.pre else []
            parts += [f"post: {' '.join(directive.post)}"] if directive.post else []
            return " ".join(("softdep", directive.module, *(parts or ["pre:"])))
        case Weakdep():
            return f"weakdep {directive.module} {' '.join(directive.dependencies)}"


def lines_about(
    configuration: Configuration, name: str, *, alias: str | None = None, builtin: bool = False
) -> tuple[EffectiveLine, ...]:
    """Give every line that was read and concerns a module, in the order in which they are read.

    :param alias: the alias by which it is asked for: options of that name count, too
    :param builtin: it is part of the kernel image, for which modprobe does nothing
    """
    plain = canonical(name)
    found: list[EffectiveLine] = []
    for kind in (_aliases, _blacklist, _commands, _softdeps, _weakdeps):
        found += kind(configuration, plain)
    found += _options(configuration, plain, alias)
    if builtin:
        found = [_without_effect(line, plain) for line in found]
    places = {(directive.file, directive.line): place for place, directive in enumerate(configuration.directives)}
    return tuple(sorted(found, key=lambda line: places[line.file, line.line]))


def _line(directive: Directive, effect: Effect = Effect.COUNTS, reason: str = "", by: str = "") -> EffectiveLine:
    return EffectiveLine(text_of(directive), directive.file, directive.line, effect, reason, by)


def _at(directive: Directive) -> str:
    return f"{directive.file}:{directive.line}"


def _without_effect(line: EffectiveLine, name: str) -> EffectiveLine:
    """Correct what is said of a built-in: modprobe takes it for loaded, and the kernel reads only its command line."""
    if line.file == FILE and line.text.startswith("options"):
        return line
    reason = "it is built in: modprobe never loads it"
    if line.text.startswith("options"):
        reason = f"it is built in: only the kernel command line reaches it ({name}.NAME=VALUE)"
    return line._replace(effect=Effect.NO_EFFECT, reason=reason, by="")


# --- kinds of lines ---------------------------------------------------------------------------------------------------


def _aliases(configuration: Configuration, name: str) -> Iterator[EffectiveLine]:
    """Aliases that lead to the module, and those that lead its own name away."""
    for directive in configuration.aliases:
        if canonical(directive.module) == name:
            yield _line(directive)
        elif Glob(directive.alias).matches(name):
            yield _line(directive, reason=f"who asks for {name} gets {directive.module}")


def _blacklist(configuration: Configuration, name: str) -> Iterator[EffectiveLine]:
    first: Blacklist | None = None
    for directive in configuration.blacklist:
        if directive.module == name:
            if first is None:
                first = directive
                yield _line(directive, reason="keeps aliases and devices from loading it, not its name")
            else:
                yield _line(directive, reason="says it again")
        elif canonical(directive.module) == name:
            reason = f"modprobe compares it as it is written: write modprobe.blacklist={name}"
            yield _line(directive, Effect.NO_EFFECT, reason)


def _commands(configuration: Configuration, name: str) -> Iterator[EffectiveLine]:
    """Install and remove: the first that matches is run."""
    softdep = next(iter(configuration.all_softdeps(name)), None)
    for kind in (configuration.installs, configuration.removes):
        winner: Install | Remove | None = None
        for directive in kind:
            if not Glob(directive.module).matches(name):
                continue
            if winner is not None:
                yield _line(directive, Effect.OVERRIDDEN, "the first line that matches is run", _at(winner))
                continue
            winner = directive
            trap = softdep if isinstance(directive, Install) and softdep and (softdep.pre or softdep.post) else None
            if trap:
                reason = "modprobe of kmod ignores it because of the softdep line; lkm does not"
                yield _line(directive, Effect.IN_PART, reason, _at(trap))
            else:
                yield _line(directive)


def _softdeps(configuration: Configuration, name: str) -> Iterator[EffectiveLine]:
    return _first_for_kmod(configuration.all_softdeps(name))


def _weakdeps(configuration: Configuration, name: str) -> Iterator[EffectiveLine]:
    matching = [directive for directive in configuration.weakdeps if Glob(directive.module).matches(name)]
    return _first_for_kmod(matching)


def _first_for_kmod(directives: Sequence[Softdep | Weakdep]) -> Iterator[EffectiveLine]:
    for place, directive in enumerate(directives):
        if place == 0:
            is_empty = isinstance(directive, Softdep) and not (directive.pre or directive.post)
            yield _line(directive, reason="asks for nothing, so that an install line counts" if is_empty else "")
        elif isinstance(directive, Softdep):
            reason = "modprobe of kmod heeds only the first such line; lkm heeds all"
            yield _line(directive, Effect.IN_PART, reason, _at(directives[0]))
        else:
            yield _line(directive, Effect.OVERRIDDEN, "only the first such line counts", _at(directives[0]))


def _options(configuration: Configuration, name: str, alias: str | None) -> list[EffectiveLine]:
    """Options add up, and the kernel takes the last value of a parameter that stands there twice."""
    directives = configuration.options_lines(name, alias)
    last: dict[str, Options] = {}
    for directive in directives:
        for parameter in _parameters(directive):
            last[parameter] = directive
    return [_options_line(directive, last) for directive in directives]


def _parameters(directive: Options) -> tuple[str, ...]:
    return tuple(canonical(parameter) for parameter, _ in Cmdline(directive.options).parameters)


def _options_line(directive: Options, last: dict[str, Options]) -> EffectiveLine:
    names = tuple(dict.fromkeys(_parameters(directive)))
    lost = [parameter for parameter in names if last[parameter] is not directive]
    if not lost:
        return _line(directive)
    winners = ", ".join(dict.fromkeys(_at(last[parameter]) for parameter in lost))
    if len(lost) == len(names):
        return _line(directive, Effect.OVERRIDDEN, "the last value of a parameter wins", winners)
    return _line(directive, Effect.IN_PART, f"a later line sets {', '.join(lost)} again", winners)


# --- what nobody reads ------------------------------------------------------------------------------------------------


def unread_lines(directives: Iterable[Directive], name: str, *, reason: str, by: str = "") -> list[EffectiveLine]:
    """Pick the lines about a module out of a file that modprobe does not read.

    :param reason: why it is not read
    :param by: the file that is read in its place
    """
    plain = canonical(name)
    return [_line(directive, Effect.NOT_READ, reason, by) for directive in directives if _is_about(directive, plain)]


def _is_about(directive: Directive, name: str) -> bool:
    if isinstance(directive, Alias):
        return canonical(directive.module) == name or directive.alias == name
    pattern = normalise_alias(directive.module)
    return pattern is not None and Glob(pattern).matches(name)
