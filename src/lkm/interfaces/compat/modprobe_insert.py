"""``modprobe NAME``: insert a module and all that it needs, or show what that would mean.

Facts: kmod 30, tools/modprobe.c ``insmod``, libkmod/libkmod-module.c ``kmod_module_probe_insert_module``.
"""

import errno
from collections.abc import Sequence

from lkm.actions.load import carry_out
from lkm.actions.load_file import plan_file
from lkm.errors import CommandFailed, LkmError, LoadRefused
from lkm.interfaces.compat.messages import put
from lkm.interfaces.compat.modprobe_paths import file_at, is_path
from lkm.interfaces.compat.modprobe_run import Run
from lkm.interfaces.compat.refusals import errno_of, explain, text_of
from lkm.rules.planning.load import BlacklistScope, LoadOptions, LoadPlan, plan_load
from lkm.rules.planning.steps import Absent, Insert, LoadStep, Present, RunInstall
from lkm.rules.resolving import Candidate
from lkm.system.module_file import ModuleFile

__all__ = ["insert_all", "insert_one", "parameter_string"]

_COMMAND = "libkmod-module.c:1047 command_do"
_INSERTION = "libkmod-module.c:895 kmod_module_insert_module"
_TEXTS = {
    errno.EEXIST: "Module already in kernel",
    errno.ENOENT: "Unknown symbol in module, or unknown parameter (see dmesg)",
}


def insert_all(run: Run, names: Sequence[str]) -> bool:
    """Insert each of the names, without parameters.

    :returns: whether all are there
    """
    done = [_insert(run, name, "") for name in names]
    return all(done)


def insert_one(run: Run, operands: Sequence[str]) -> bool:
    """Insert the first operand, with the others as its parameters."""
    name, *parameters = operands
    return _insert(run, name, parameter_string(parameters))


def parameter_string(words: Sequence[str]) -> str:
    """Join parameters for the kernel; a value with a space is put in quotes, unless it begins with one.

    The shell has taken off the quotes that the user typed (tools/modprobe.c ``options_from_array``).
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    name, equals, value = word.partition("=")
    if " " not in value or value.startswith(('"', "'")):
        return word
    return f'{name}{equals}"{value}"'


def _insert(run: Run, name: str, parameters: str) -> bool:
    if is_path(name):
        module = file_at(run, name)
        return module is not None and _insert_found(run, Candidate(module.name), parameters, module)
    found, hints = run.lookup(name)
    if not found:
        run.complain(f"Module {name} not found in directory {run.context.directory}", *hints)
        return False
    return [_insert_found(run, candidate, parameters) for candidate in found][-1]  # the last one counts, as for kmod


def _insert_found(run: Run, candidate: Candidate, parameters: str, module: ModuleFile | None = None) -> bool:
    """Insert one of the modules that a name leads to, or the one of a path."""
    if run.settings.lookup_only:
        put(f"{candidate.name}\n")
        return True
    resolver, options = run.context.resolver, _options(run, parameters)
    try:
        _carry_out(run, plan_file(resolver, module, options) if module else plan_load(resolver, candidate, options))
    except LkmError as error:
        run.messages.error(f"could not insert '{candidate.name}': {text_of(errno_of(error), _TEXTS)}")
        explain(run.messages, error)
        return False
    return True


def _options(run: Run, parameters: str) -> LoadOptions:
    settings = run.settings
    return LoadOptions(
        parameters=parameters,
        ignore_commands=settings.ignore_commands,
        blacklist=BlacklistScope.NAMES if settings.use_blacklist else BlacklistScope.ALIASES,
        is_loaded=None if settings.show_depends else lambda name: run.context.kernel.state(name) == "live",
    )


def _carry_out(run: Run, plan: LoadPlan) -> None:
    if not run.is_dry:
        carry_out(
            plan,
            run.context.kernel,
            flags=run.settings.flags,
            fail_if_loaded=run.settings.first_time,
            announce=lambda step: _announce(run, step),
            on_failure=lambda step, error: _say_failure(run, step, error),
        )
        return
    for step in plan.steps:
        is_there = isinstance(step, Present) and not run.settings.show_depends
        if is_there and run.settings.first_time and step.name == plan.target.name:
            raise LoadRefused(step.name, errno.EEXIST)
        if not is_there:
            _announce(run, step)


def _say_failure(run: Run, step: LoadStep, error: LkmError) -> None:
    """Say what libkmod says of a failed step, also where that does not matter."""
    match step:
        case RunInstall() if isinstance(error, CommandFailed):
            text = f"Error running install command '{step.shell}' for module {step.name}: retcode {error.status}"
            run.messages.library(_COMMAND, text)
        case Absent():
            run.messages.library(_INSERTION, f"could not find module by name='{step.name}'")


def _announce(run: Run, step: LoadStep) -> None:
    match step:
        case Insert():
            run.show(f"insmod {run.context.printed(step.module)} {step.parameters}")
        case RunInstall():
            run.show(f"install {step.command} {step.parameters}")
        case Present(builtin=True):
            run.show(f"builtin {step.name}")
