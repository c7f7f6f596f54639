"""Running the install and remove commands of modprobe.d."""

import os

from lkm.errors import CommandFailed

__all__ = ["run_command"]


def run_command(kind: str, module: str, command: str, *, where: str) -> None:
    """Run a command by the shell, as system(3) does, with the module's name in ``MODPROBE_MODULE``.

    :param kind: ``install`` or ``remove``
    :param where: the directive's file and line
    :raises CommandFailed: it ended with an error
    """
    import subprocess  # noqa: PLC0415  dear at start-up, and commands are rare

    environment = {**os.environ, "MODPROBE_MODULE": module}
    words = ["sh", "-c", command]  # by this name it shows itself in its complaints
    status = subprocess.run(words, executable="/bin/sh", env=environment, check=False).returncode
    if status:
        raise CommandFailed(
            f"the {kind} command of {module} ended with status {status}: {command}",
            status=status,
            where=where,
            hint=f"the command stands in modprobe.d; --ignore-install goes round it: lkm load --ignore-install {module}"
            if kind == "install"
            else None,
        )
