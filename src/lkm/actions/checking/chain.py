"""What goes before a module: which others a load needs first, and what the kernel says to each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lkm.actions.load_file import once
from lkm.actions.load_names import does_nothing
from lkm.errors import LkmError
from lkm.formats.module_name import canonical
from lkm.rules.loading.state import KernelState, ModuleRecord
from lkm.rules.planning.load import LoadOptions, Softdeps, plan_load
from lkm.rules.planning.steps import Absent, Insert, LoadStep, Present, RunInstall
from lkm.rules.resolving import Candidate

if TYPE_CHECKING:
    from lkm.actions.checking.target import CheckTarget
    from lkm.formats.module_image import ModuleImage
    from lkm.rules.loading.attempt import Verdict

__all__ = ["Assumed", "Chain", "Failure", "Step", "chain_of", "command_note", "load_options", "steps_for_file"]


@dataclass(frozen=True, slots=True)
class Assumed:
    """A module that only a saved profile knows: it is taken to load, and what it exports is known."""

    name: str
    required: bool = True


Step = LoadStep | Assumed


@dataclass(frozen=True, slots=True)
class Failure:
    """A module that something needs and that does not load.

    :param verdict: the kernel's answer; None where the kernel is never asked
    :param reason: why, where the kernel is never asked
    :param file: its file, where there is one
    """

    name: str
    verdict: "Verdict | None" = None
    reason: str = ""
    file: str = ""


@dataclass(slots=True)
class Chain:
    """What the steps before a module came to.

    :param state: the kernel when it is the module's turn
    :param loaded: the modules that were loaded, in order
    :param tolerated: what failed and does not matter, because only a soft dependency asked for it
    :param failure: what failed and does matter; nothing was done after it
    :param undecidable: what can't be known
    """

    state: KernelState
    loaded: list[str] = field(default_factory=list)
    tolerated: list[Failure] = field(default_factory=list)
    failure: Failure | None = None
    undecidable: list[str] = field(default_factory=list)


def load_options(state: KernelState, parameters: str = "") -> LoadOptions:
    """Plan as ``lkm load`` does, on a kernel in this state."""
    loaded = {module.name for module in state.modules}
    return LoadOptions(parameters=parameters, softdeps=Softdeps.IMPROVED, is_loaded=loaded.__contains__)


def chain_of(target: "CheckTarget", state: KernelState, steps: Sequence[Step]) -> Chain:
    """Ask about each step in turn, each changing the state for the next."""
    chain = Chain(state)
    assumed = [step.name for step in steps if isinstance(step, Assumed)]
    if assumed:
        chain.undecidable.append(
            f"whether {', '.join(assumed)} would load before it: without their files they are taken to"
        )
    for step in steps:
        failure = _do(target, chain, step)
        if failure is None:
            continue
        if step.required:
            chain.failure = failure
            break
        chain.tolerated.append(failure)
    return chain


def _do(target: "CheckTarget", chain: Chain, step: Step) -> Failure | None:
    match step:
        case Present():
            return None
        case Absent():
            promised = f"the alias {step.alias!r} leads to it, but " if step.alias else ""
            return Failure(step.name, reason=f"{promised}there is no such module")
        case Assumed():
            if chain.state.module(step.name) is None:
                record = ModuleRecord(step.name, exports=target.profile.module_exports.get(step.name, ()))
                chain.state = replace(chain.state, modules=(record, *chain.state.modules))
            return None
        case RunInstall():
            return _run(target, chain, step)
        case Insert():
            return _insert(target, chain, step)


def _run(target: "CheckTarget", chain: Chain, step: RunInstall) -> Failure | None:
    """Take a command to load the module of its name, if there is one, unless it is known to do nothing."""
    if does_nothing(step.command):
        return Failure(step.name, reason=f"modprobe.d forbids it: its install command is {step.command!r}")
    chain.undecidable.append(command_note(step))
    file = target.tree.module(step.name)
    return _insert(target, chain, Insert(step.name, file, step.parameters, step.required)) if file else None


def command_note(step: RunInstall) -> str:
    """Say that nobody knows what a command does."""
    return f"what the install command of {step.name} does ({step.where}: {step.command})"


def _insert(target: "CheckTarget", chain: Chain, step: Insert) -> Failure | None:
    if chain.state.module(step.name) is not None:
        return None
    file = step.module.display_path
    try:
        verdict = target.ask_module(chain.state, step.module, step.parameters)
    except LkmError as error:
        return Failure(step.name, reason=f"its file can't be read: {error.what}", file=file)
    chain.state = verdict.state
    if not verdict.loads:
        return Failure(step.name, verdict, file=file)
    chain.loaded.append(step.name)
    return None


# --- a file that need not be the tree's -------------------------------------------------------------------------------


def steps_for_file(
    target: "CheckTarget", state: KernelState, image: "ModuleImage", name: str
) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Plan to load what a file says that it depends on, and what exports the symbols that it needs.

    The list in .modinfo is what the file was built with; depmod, which goes by symbols, would find more.

    :returns: steps, in order; and the names on the file's list that nothing answers to
    """
    try:
        named = [needed for needed in (image.modinfo.first("depends") or "").split(",") if needed]
        symbols = [wanted.name for wanted in image.imports if wanted.name not in target.profile.exports]
    except LkmError:
        return (), ()  # the kernel's answer says more
    steps: list[Step] = []
    missing: list[str] = []
    options = load_options(state)
    for needed in named:
        found = _steps(target, needed, options)
        steps += found or ()
        missing += [needed] if found is None else []
    known = {step.name for step in steps} | {module.name for module in state.modules} | {name}
    for owner in _owners(target, state, symbols, known):
        more = _steps(target, owner, options) or ()
        steps += more
        known |= {step.name for step in more}
    return tuple(step for step in _once(steps) if step.name != name), tuple(missing)


def _owners(target: "CheckTarget", state: KernelState, symbols: Sequence[str], known: set[str]) -> Iterator[str]:
    """Name modules that export what no module known so far does; ``known`` grows meanwhile."""
    offered: set[str] | None = None
    indexed = {symbol: target.tree.by_symbol(symbol) for symbol in symbols}
    others = [symbol for symbol, owners in indexed.items() if not owners]
    known_by_profile = target.profile.exporters_of(others) if others else {}
    for symbol, found in indexed.items():
        owners = found or known_by_profile.get(symbol, ())
        if not owners or any(canonical(owner) in known for owner in owners):
            continue
        if offered is None:
            offered = {export.name for module in state.modules for export in module.exports}
        if symbol not in offered:
            yield canonical(owners[0])


def _steps(target: "CheckTarget", name: str, options: LoadOptions) -> list[Step] | None:
    """Plan to load a module by name; None where nothing answers to it."""
    found = target.resolver.lookup(name)
    if found:
        return [step for candidate in found for step in _planned(target, candidate, options)]
    plain = canonical(name)
    profile = target.profile
    if plain in profile.builtins:
        return []
    if plain in profile.module_exports or plain in profile.dependencies:
        return [Assumed(needed) for needed in _closure(target, plain)]
    return None


def _planned(target: "CheckTarget", candidate: Candidate, options: LoadOptions) -> tuple[LoadStep, ...]:
    return plan_load(target.resolver, candidate, options).steps


def _closure(target: "CheckTarget", name: str) -> list[str]:
    """Give a module of the profile and all that it needs; they are taken as loaded, so that no order counts."""
    found = [name]
    for current in found:
        found += [needed for needed in target.profile.dependencies.get(current, ()) if needed not in found]
    return found


def _once(steps: Sequence[Step]) -> tuple[Step, ...]:
    assumed = {step.name: step for step in steps if isinstance(step, Assumed)}
    planned = [step for step in steps if not isinstance(step, Assumed)]
    return (*assumed.values(), *once(planned))
