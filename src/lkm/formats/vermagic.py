"""The version magic: which kernel, and which of its basic options, a module was built for."""

from dataclasses import dataclass

__all__ = ["Vermagic", "parse", "same_magic"]

_PREEMPTION = ("preempt", "preempt_rt")
_GENERIC = ("SMP", "mod_unload", "modversions", *_PREEMPTION)


@dataclass(frozen=True, slots=True)
class Vermagic:
    """A version magic, as in ``6.1.0-56-amd64 SMP preempt mod_unload modversions ``.

    The kernel compares ``text`` alone; the parts are for people (``include/linux/vermagic.h``, 6.1).

    :param text: all of it, with the trailing space that most architectures leave
    :param release: the kernel release: what stands before the first space
    :param flags: the words after it
    """

    text: str
    release: str
    flags: tuple[str, ...]

    @property
    def smp(self) -> bool:
        """CONFIG_SMP."""
        return "SMP" in self.flags

    @property
    def preemption(self) -> str | None:
        """``preempt`` (CONFIG_PREEMPT_BUILD), ``preempt_rt`` (CONFIG_PREEMPT_RT) or None."""
        return next((flag for flag in self.flags if flag in _PREEMPTION), None)

    @property
    def mod_unload(self) -> bool:
        """CONFIG_MODULE_UNLOAD."""
        return "mod_unload" in self.flags

    @property
    def modversions(self) -> bool:
        """CONFIG_MODVERSIONS."""
        return "modversions" in self.flags

    @property
    def architecture(self) -> tuple[str, ...]:
        """The words that the architecture adds (none on x86-64, ``aarch64`` on arm64), and ``RANDSTRUCT_…``."""
        return tuple(flag for flag in self.flags if flag not in _GENERIC)


def parse(text: str) -> Vermagic:
    """Take a version magic apart; any text is one.

    :param text: the value of ``vermagic`` in modinfo, unchanged
    :returns: its parts
    """
    release, _, rest = text.partition(" ")
    return Vermagic(text, release, tuple(word for word in rest.split(" ") if word))


def same_magic(module: str, kernel: str, *, has_crcs: bool) -> bool:
    """Decide as the kernel does (``kernel/module/version.c:same_magic``, and ``internal.h`` without MODVERSIONS, 6.1).

    :param module: the module's version magic
    :param kernel: the kernel's own
    :param has_crcs: the kernel has CONFIG_MODVERSIONS and the module a ``__versions`` section: the releases may then
        differ, because symbol versions say more
    :returns: True when the kernel finds them equal, to the last space
    """
    if has_crcs:
        return _without_release(module) == _without_release(kernel)
    return module == kernel


def _without_release(magic: str) -> str:
    space = magic.find(" ")
    return magic[space:] if space >= 0 else ""
