"""Errors of a kernel inside a machine, as JSON on the way out of it."""

from lkm import errors
from lkm.errors import KernelRefused, LkmError, MachineError
from lkm.kernels.vm.frames import Body

__all__ = ["from_body", "to_body"]

_REFUSALS = {kind.__name__: kind for kind in (errors.LoadRefused, errors.UnloadRefused)}
_PLAIN = {
    kind.__name__: kind
    for kind in (
        *(errors.Unreadable, errors.FormatError, errors.ElfError, errors.CompressionError, errors.RootError),
        *(errors.ModuleSupportMissing, errors.PrivilegeMissing),
    )
}


def to_body(error: LkmError) -> Body:
    """Write an error down."""
    body: Body = {"kind": type(error).__name__, "what": error.what, "where": error.where, "hint": error.hint}
    if isinstance(error, KernelRefused):
        body |= {"module": error.module, "errno": error.errno, "log": list(error.log), "reason": error.reason}
    return body


def from_body(body: Body) -> LkmError:
    """Make the error again; what can't be understood becomes a MachineError."""
    where, hint, reason = (_text(body.get(key)) for key in ("where", "hint", "reason"))
    match body:
        case {"kind": str(kind), "module": str(module), "errno": int(errno), "log": list(log)} if kind in _REFUSALS:
            return _REFUSALS[kind](module, errno, [str(line) for line in log], where=where, hint=hint, reason=reason)
        case {"kind": str(kind), "what": str(what)}:
            return _PLAIN.get(kind, MachineError)(what, where=where, hint=hint)
    return MachineError("the machine's agent reported an error that can't be understood")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
