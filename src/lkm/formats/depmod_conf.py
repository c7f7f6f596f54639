"""The files of depmod.d, read as kmod reads them.

Facts: kmod 30, tools/depmod.c ``cfg_file_parse``; lines are those of modprobe.d.
"""

from typing import NamedTuple

from lkm.formats.logical_lines import logical_lines

__all__ = ["BadLine", "DepmodConf", "External", "Override", "kernel_matches", "parse"]

_IGNORED = frozenset(("include", "make_map_files"))


class Override(NamedTuple):
    """``override MODULE KERNEL SUBDIRECTORY``: this file wins over all others of its name.

    :param kernel: ``*`` or an extended regular expression, which the release must hold
    """

    module: str
    kernel: str
    subdirectory: str


class External(NamedTuple):
    """``external KERNEL DIRECTORY``: modules outside of the tree.

    :param kernel: as in :class:`Override`
    """

    kernel: str
    directory: str


class BadLine(NamedTuple):
    """A line that is ignored.

    :param line: the number that kmod gives it: of the last line that was joined
    :param command: its first word
    """

    line: int
    command: str


class DepmodConf(NamedTuple):
    """The directives of one or more files, in their order.

    :param search: directories below the tree, ``built-in`` and ``external``; the first has the highest priority
    :param exclude: names of directories, and of files, that are passed over
    """

    search: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    externals: tuple[External, ...] = ()
    exclude: tuple[str, ...] = ()

    def followed_by(self, other: "DepmodConf") -> "DepmodConf":
        """Join what two files say."""
        return DepmodConf(
            self.search + other.search,
            self.overrides + other.overrides,
            self.externals + other.externals,
            self.exclude + other.exclude,
        )

    def for_kernel(self, release: str) -> "DepmodConf":
        """Keep what applies to a kernel release."""
        return DepmodConf(
            self.search,
            tuple(override for override in self.overrides if kernel_matches(override.kernel, release)),
            tuple(external for external in self.externals if kernel_matches(external.kernel, release)),
            self.exclude,
        )


def kernel_matches(pattern: str, release: str) -> bool:
    """Tell whether a pattern of ``override`` or ``external`` means a release; one that is no pattern never does."""
    if pattern == "*":
        return True
    from lkm.formats.extended_regex import compile_extended  # noqa: PLC0415  rarely asked

    compiled = compile_extended(pattern)
    return compiled is not None and compiled.search(release) is not None


def parse(data: bytes) -> tuple[DepmodConf, tuple[BadLine, ...]]:
    """Read one file.

    :returns: its directives, and the lines that are none
    """
    search: list[str] = []
    overrides: list[Override] = []
    externals: list[External] = []
    exclude: list[str] = []
    bad: list[BadLine] = []
    for _, number, line in logical_lines(data):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if line.startswith("#") or not words:
            continue
        match words:
            case ["search", *places]:
                search += places
            case ["override", module, kernel, subdirectory, *_]:
                overrides.append(Override(module, kernel, subdirectory))
            case ["external", kernel, directory, *_]:
                externals.append(External(kernel, directory))
            case ["exclude", *names]:
                exclude += names
            case [command, *_] if command not in _IGNORED:
                bad.append(BadLine(number, command))
    return DepmodConf(tuple(search), tuple(overrides), tuple(externals), tuple(exclude)), tuple(bad)
