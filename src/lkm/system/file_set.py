"""Writing several files of one directory so that all are new or all are old, and each is whole at any instant."""

import contextlib
import os
import time
from collections.abc import Mapping

__all__ = ["replace_files"]


def replace_files(directory: str, files: Mapping[str, bytes], *, mode: int = 0o644) -> None:
    """Write each file beside its final place, and rename them when all are written.

    They are not forced to the disk: what depmod writes can be written again, and a file system that orders renames
    behind data never shows half a file.

    :param directory: of the host; it must exist
    :param files: by their names
    :param mode: permissions, less what the umask takes away
    :raises OSError: if it comes before the renaming, all old files are as they were
    """
    suffix = f"{os.getpid()}.{time.time_ns()}"
    written: list[tuple[str, str]] = []
    try:
        for name, data in files.items():
            temporary = f"{directory}/{name}.{suffix}"
            fd = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
            written.append((temporary, f"{directory}/{name}"))
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
            finally:
                os.close(fd)
        while written:
            temporary, final = written[0]
            os.rename(temporary, final)  # noqa: PTH104  pathlib is dear at start-up
            del written[0]
    finally:
        for temporary, _ in written:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108  (as above)
