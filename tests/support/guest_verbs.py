"""Inside a machine: run commands of lkm, each in a process forked from one that has imported what they need.

Starting Python anew for each of them takes several seconds under emulation. Standard input is the words of each
command, standard output what became of each, both JSON.
"""

import importlib
import json
import os
import sys
import tempfile

from lkm.interfaces.cli.main import main

_IMPORTED = (
    *("cryptography.x509", "cryptography.hazmat.primitives.serialization", "lkm.system.profile_gathering"),
    *("lkm.actions.trusted_keys.report", "lkm.actions.lockdown.report", "lkm.actions.load"),
    *("lkm.actions.checking.check", "lkm.interfaces.cli.keys_verb", "lkm.interfaces.cli.mok_verb"),
    *("lkm.interfaces.cli.check_verb",),
)


def _run(words: list[str]) -> dict[str, object]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if not child:
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            status = main(words)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "surrogateescape"))
    return {"status": status, "output": texts[0], "errors": texts[1]}


if __name__ == "__main__":
    for module in _IMPORTED:
        importlib.import_module(module)
    json.dump([_run(words) for words in json.load(sys.stdin)], sys.stdout)
