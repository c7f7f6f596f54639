"""All that is known of a module's parameters: declared, default, live, and configured where."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lkm.actions.boot.resolving import boot_command_line
from lkm.actions.parameter_words import quoted
from lkm.actions.parameters.live import live_parameters
from lkm.actions.parameters.subject import Subject, undeclared
from lkm.actions.session import Session
from lkm.errors import LkmError
from lkm.formats.kernel_cmdline import FILE
from lkm.formats.modprobe_conf import Options
from lkm.formats.module_name import canonical
from lkm.formats.parameters import Parameter
from lkm.kernels.live_parameters import LiveParameter
from lkm.rules.parameter_values import judge, settings_in
from lkm.rules.suggestions import similar
from lkm.system.configuration import Configuration
from lkm.system.kernel_profile import KernelProfile

__all__ = [
    "Configured",
    "ParameterFacts",
    "configured_for",
    "facts_of",
    "release_of",
    "require_parameter",
    "shown_value",
]

_NO_EFFECT = "no effect"


@dataclass(frozen=True, slots=True)
class Configured:
    """A place where a parameter is set.

    :param value: as written; None for a name without a value
    :param file: as the configuration names it
    :param line: from 1
    :param wins: the value that the module gets when modprobe loads it
    :param reason: why it does not win, why it has no effect, or what is wrong with it; may be empty
    :param is_refused: the kernel refuses the value, and does not load the module
    """

    value: str | None
    file: str
    line: int
    wins: bool
    reason: str = ""
    is_refused: bool = False

    @property
    def where(self) -> str:
        """File and line, to show to people."""
        return self.file if self.is_command_line else f"{self.file}:{self.line}"

    @property
    def is_command_line(self) -> bool:
        """Whether this is the kernel command line."""
        return self.file == FILE


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """One parameter.

    :param default: what it is before anybody sets it; None where that is not known
    :param live: what the kernel shows; None where it shows nothing
    :param configured: in the order in which they are read
    """

    parameter: Parameter
    default: str | None
    live: LiveParameter | None
    configured: tuple[Configured, ...]

    @property
    def name(self) -> str:
        """The parameter's name, as the module declares it."""
        return self.parameter.name

    @property
    def winner(self) -> Configured | None:
        """The place that wins."""
        return next((found for found in self.configured if found.wins), None)


def facts_of(session: Session, subject: Subject) -> tuple[ParameterFacts, ...]:
    """Give the facts about each parameter, also about those that only the kernel or the configuration knows."""
    live = live_parameters(session, subject.name, subject.declared, subject.defaults) or {}
    configured = _examined(session, subject, configured_for(session, subject))
    declared = {parameter.name: parameter for parameter in subject.declared}
    for name, found in live.items():
        declared.setdefault(name, undeclared(name, found))
    by_name = {canonical(name): name for name in declared}
    for key in configured:
        if key not in by_name:
            declared[key] = Parameter(key)
    return tuple(
        ParameterFacts(
            parameter, subject.defaults.get(name), live.get(name), tuple(configured.get(canonical(name), ()))
        )
        for name, parameter in declared.items()
    )


def _examined(
    session: Session, subject: Subject, configured: dict[str, list[Configured]]
) -> dict[str, list[Configured]]:
    """Add what is wrong with the values."""
    if not subject.declared or (subject.file is None and not subject.builtin):
        return configured
    profile = subject.profile(release_of(session))
    return {name: [_checked(subject, profile, name, place) for place in places] for name, places in configured.items()}


def _checked(subject: Subject, profile: KernelProfile, name: str, place: Configured) -> Configured:
    if place.reason.startswith(_NO_EFFECT):
        return place
    parameter = subject.parameter(name)
    if parameter is None:
        return replace(place, reason="the module has no such parameter: the kernel ignores it")
    text = parameter.name if place.value is None else quoted(f"{parameter.name}={place.value}")
    judged = judge(parameter, text, profile)
    if not judged.errno:
        return place
    return replace(place, reason=f"the kernel refuses it, and the module with it: {judged.reason}", is_refused=True)


def release_of(session: Session) -> str:
    """Give the release whose rules count."""
    try:
        return session.tree.release
    except LkmError:
        return session.kernel.release


def configured_for(session: Session, subject: Subject) -> dict[str, list[Configured]]:
    """Give where parameters of a module are set, by their canonical names.

    modprobe hands all lines to the kernel one after the other, and the last value counts (kernel/params.c
    ``parse_args``, 6.1). To a built-in only the kernel command line speaks.
    """
    found: dict[str, list[Configured]] = {}
    lines = [line for line in _configuration(session).options if line.module == subject.name]
    for line in lines:
        for key, value in _settings(line):
            found.setdefault(key, []).append(Configured(value, line.file, line.line, wins=False))
    return {key: _judged(places, builtin=subject.builtin) for key, places in found.items()}


def _configuration(session: Session) -> Configuration:
    cmdline = boot_command_line(session)[0]
    try:
        return session.configuration_with(cmdline)
    except LkmError:  # without a module tree there is modprobe.d all the same
        from lkm.system.configuration import read  # noqa: PLC0415  rarely needed

        return read(session.root, cmdline=cmdline)


def _settings(line: Options) -> Iterator[tuple[str, str | None]]:
    for setting in settings_in(line.options):
        yield canonical(setting.name), setting.value


def _judged(places: Sequence[Configured], *, builtin: bool) -> list[Configured]:
    heeded = [place for place in places if place.is_command_line or not builtin]
    winner = heeded[-1] if heeded else None
    return [_with_outcome(place, winner, builtin=builtin) for place in places]


def _with_outcome(place: Configured, winner: Configured | None, *, builtin: bool) -> Configured:
    if place is winner:
        return Configured(place.value, place.file, place.line, wins=True)
    if builtin and not place.is_command_line:
        reason = f"{_NO_EFFECT}: modprobe.d does not speak to what is built in"
    else:
        reason = f"overridden by {winner.where}" if winner else ""
    return Configured(place.value, place.file, place.line, wins=False, reason=reason)


def require_parameter(session: Session, subject: Subject, name: str) -> ParameterFacts:
    """Give the facts about one parameter.

    :raises LkmError: the module has none of this name; with those that are called alike
    """
    facts = facts_of(session, subject)
    wanted = canonical(name)
    found = next((one for one in facts if canonical(one.name) == wanted), None)
    known = [one.name for one in facts if one.parameter.type is not None or one.parameter.permissions is not None]
    if found is None or found.name not in known:
        alike = similar(name, known)
        if alike:
            hint = f"did you mean {' or '.join(alike)}?"
        else:
            hint = f"it has: {', '.join(sorted(known))}" if known else "it has none"
        # Of a built-in, modules.builtin.modinfo tells only those parameters that have a type.
        what = "is not known to have a" if subject.builtin else "has no"
        raise LkmError(f"{subject.name} {what} parameter {name!r}", hint=hint)
    return found


def shown_value(subject: Subject, release: str, parameter: Parameter, value: str | None) -> str | None:
    """Give a configured value as the kernel would show it; as it is where the kernel refuses it."""
    text = parameter.name if value is None else quoted(f"{parameter.name}={value}")
    return judge(parameter, text, subject.profile(release)).shown or value
