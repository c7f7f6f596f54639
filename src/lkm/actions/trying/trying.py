"""Trying a module on kernels in throw-away machines, and holding what they do against the verdict."""

import errno
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lkm.actions.load_names import file_for, forbidden, looks_like_path, plans_for
from lkm.actions.refusals import causes_of_refusal
from lkm.actions.session import Session, Target
from lkm.errors import BuiltIn, Cause, LkmError, LoadRefused, MachineLost, UnloadRefused
from lkm.rules.causes import causes_in_text, causes_of_unload
from lkm.rules.planning.steps import Absent, Insert

if TYPE_CHECKING:
    from lkm.kernels.base import Kernel
    from lkm.kernels.vm.images import Image

__all__ = ["Observation", "Trial", "differences", "observe", "planned", "try_on"]

_CALLER = re.compile(r"^Lockdown: [^:]*: ")


@dataclass(frozen=True, slots=True)
class Observation:
    """What a kernel did with a module, or would do.

    :param errno: of the refusal; 0 where the module loaded
    :param log: the lines that the kernel printed because of this load
    :param taints: the module's own taint letters
    :param kernel_taint: the kernel's mask afterwards
    :param parameters: those that the kernel shows of the loaded module
    :param unload_errno: of the refusal to remove it again; 0 where it went; None where it was never there
    :param failed: what kept the module from being tried at all: a dependency that was refused, a kernel that panicked
    :param causes: why it was refused
    """

    errno: int = 0
    log: tuple[str, ...] = ()
    taints: str = ""
    kernel_taint: int = 0
    parameters: dict[str, str] = field(default_factory=dict)
    unload_errno: int | None = None
    failed: str | None = None
    causes: tuple[Cause, ...] = ()

    @property
    def loads(self) -> bool:
        """Whether the module was live."""
        return self.errno == 0 and self.failed is None


@dataclass(frozen=True, slots=True)
class Trial:
    """A module on one kernel: what was foretold, and what came.

    :param differences: what the verdict had otherwise, in words; empty where it agrees
    """

    release: str
    expected: Observation
    observed: Observation
    differences: tuple[str, ...]

    @property
    def init_failed(self) -> bool:
        """Whether the kernel accepted the module and its own init function did not."""
        return _init_failed(self.expected, self.observed)


def try_on(
    image: "Image",
    root: str,
    subject: str,
    parameters: str = "",
    *,
    cmdline: str = "",
    memory: int = 512,
    owners: Sequence[bytes] | None = None,
) -> Trial:
    """Load a module, with what it needs, into a kernel that is booted for it, and remove it again.

    :param image: the kernel
    :param root: the root of its module tree and modprobe.d
    :param subject: a module file, or a name in that tree
    :param cmdline: added to the kernel command line
    :param memory: of the machine, in MiB
    :param owners: boot with Secure Boot, and these certificates (DER) enrolled by the machine's owner; None boots
        without firmware
    :raises MachineError: the kernel can't be booted
    :raises LkmError: the module can't be found or read
    """
    from lkm.actions.trying.secure_boot import firmware_with  # noqa: PLC0415  --help needs no machine
    from lkm.kernels.vm.kernel import VmKernel  # noqa: PLC0415
    from lkm.kernels.vm.machine import Machine  # noqa: PLC0415

    with Session(Target(root, image.release, "emulated")) as session:
        inserts = planned(session, subject, parameters)
        firmware = None if owners is None else firmware_with(owners)
        with Machine(image.kernel, image.modules, cmdline=cmdline, memory=memory, firmware=firmware) as machine:
            observed = observe(VmKernel(machine), inserts)
        expected = _foretold(session, inserts, cmdline, owners)
    return Trial(image.release, expected, observed, differences(expected, observed))


def _foretold(session: Session, inserts: Sequence[Insert], cmdline: str, owners: Sequence[bytes] | None) -> Observation:
    from lkm.actions.trying.secure_boot import foretelling  # noqa: PLC0415  as above
    from lkm.kernels.emulated import EmulatedKernel  # noqa: PLC0415

    if owners is None:
        return observe(EmulatedKernel(session.tree, cmdline=cmdline), inserts)
    with foretelling(session.tree, cmdline, owners) as kernel:
        return observe(kernel, inserts)


def planned(session: Session, subject: str, parameters: str) -> tuple[Insert, ...]:
    """Plan the loads, the module itself last; install commands are left out.

    :raises LkmError: the module, or what it needs, is not there, can't be read, is built in or blacklisted
    """
    if looks_like_path(subject):
        file_for(subject).raw  # noqa: B018  a file that can't be read is told before a machine starts
    plan, *_ = plans_for(session, [subject], parameters=parameters, ignore_commands=True, blacklist_names=False)
    error = forbidden(plan)
    if error:
        raise error
    for step in plan.steps:
        if isinstance(step, Absent) and step.required:
            raise LkmError(f"{plan.target.name} needs {step.name}, which is not in {session.tree.display_directory}")
    inserts = [step for step in plan.steps if isinstance(step, Insert)]
    names = [step.name for step in inserts]
    if plan.target.name not in names:
        raise BuiltIn(f"{plan.target.name} is built into {session.tree.release}: there is nothing to load")
    return tuple(inserts[: names.index(plan.target.name) + 1])  # soft dependencies may follow it


def observe(kernel: "Kernel", inserts: Sequence[Insert]) -> Observation:
    """Do the loads, the last of which is the subject's, look, and remove it again.

    :param inserts: the dependencies that may be loaded already, then the module itself
    """
    *before, subject = inserts
    for step in before:
        try:
            if kernel.state(step.name) != "live":
                kernel.load(step.module, step.parameters)
        except LoadRefused as error:
            if step.required:
                causes = causes_of_refusal(error, step.name, kernel)
                return Observation(failed=f"its dependency {step.name} is refused: {error.what}", causes=causes)
    if kernel.state(subject.name) == "live":
        return Observation(failed=f"the machine itself needs {subject.name} and has loaded it already")
    try:
        return _observe(kernel, subject)
    except MachineLost as error:
        return Observation(failed=error.what)


def _observe(kernel: "Kernel", subject: Insert) -> Observation:
    try:
        log = kernel.load(subject.module, subject.parameters)
    except LoadRefused as error:
        causes = causes_of_refusal(error, subject.name, kernel)
        return Observation(errno=error.errno, log=error.log, kernel_taint=kernel.taint(), causes=causes)
    name = _loaded_name(kernel, subject)
    record = next((module for module in kernel.loaded() if module.name == name), None)
    seen = Observation(
        log=log,
        taints="" if record is None else record.taints,
        kernel_taint=kernel.taint(),
        parameters=kernel.parameters(name),
    )
    try:
        kernel.unload(name)
    except UnloadRefused as error:
        return replace(seen, unload_errno=error.errno, causes=causes_of_unload(error))
    return replace(seen, unload_errno=0)


def _loaded_name(kernel: "Kernel", subject: Insert) -> str:
    """Give the name by which the kernel knows the module: the one in the file, which may be called otherwise."""
    try:
        return subject.module.image.name
    except LkmError:
        return next((module.name for module in kernel.loaded()), subject.name)


_COMPARED: tuple[tuple[str, Callable[[Observation], object]], ...] = (
    ("whether it loads", lambda seen: seen.loads),
    ("errno", lambda seen: seen.errno),
    ("the module's taints", lambda seen: seen.taints),
    ("whether it can be removed", lambda seen: seen.unload_errno),
)


_LOADER_ONLY = (errno.ENOEXEC, errno.EKEYREJECTED)
_LOADER = ("kernel/module", "kernel/params.c", "Documentation/core-api/symbol-namespaces")


def _init_failed(expected: Observation, observed: Observation) -> bool:
    """Tell whether the loader took the module, and what refused it is its own code.

    Both show as a refusal; the loader's own are told by its lines and by what no init function returns.
    """
    if not expected.loads or observed.errno in {0, *_LOADER_ONLY}:
        return False
    known, more = observed.log[: len(expected.log)], observed.log[len(expected.log) :]
    return known == expected.log and not _is_of_loader(more)


def _is_of_loader(lines: Sequence[str]) -> bool:
    return any(cause.reference.startswith(_LOADER) for cause in causes_in_text("\n".join(lines)))


def _by_anybody(log: Sequence[str]) -> tuple[str, ...]:
    """Take out of lines on lockdown who asked (security/lockdown/lockdown.c): in the machine that is its agent."""
    return tuple(_CALLER.sub("Lockdown: ", line) for line in log)


def differences(expected: Observation, observed: Observation) -> tuple[str, ...]:
    """Tell in words where a verdict was wrong.

    Not compared is the name of the process that loads, and what only the module's code knows: what it prints after the
    kernel's lines, what its init function returns, and the values that its parameters start with.
    """
    if observed.failed:
        return ()
    compared = () if _init_failed(expected, observed) else _COMPARED
    found = [
        f"{what}: expected {told(expected)!r}, saw {told(observed)!r}"
        for what, told in compared
        if told(expected) != told(observed)
    ]
    lines = observed.log[: len(expected.log)] if expected.loads else observed.log
    if _by_anybody(lines) != _by_anybody(expected.log):
        found.append(f"the kernel's lines: expected {expected.log!r}, saw {observed.log!r}")
    if expected.kernel_taint != observed.kernel_taint:
        found.append(f"the kernel's taint mask: expected {expected.kernel_taint}, saw {observed.kernel_taint}")
    return tuple(found)
