"""How long `lkm verify --tree` takes, beside a loop of `openssl cms -verify` over the same modules.

The promise: 3 s for a tree of 4,000 modules on two processors. openssl needs contents and signature in files of their
own, which are made beforehand and not counted; of a large tree it verifies every so-manieth module, and its time is
scaled up. Nothing is said of trust there: it is given the one certificate that fits.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.installed import newest

from lkm.actions.profile import profile_for
from lkm.actions.session import Session, Target
from lkm.formats.module_signature import split


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr or done.stdout[-500:]}")
    return done.stdout


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Give elapsed and processor time of what other processes do."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    elapsed, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _parted(contents: bytes, place: Path, number: int) -> tuple[str, str]:
    """Write contents and signature to files of their own."""
    size, trailer = split(contents)
    if trailer is None:
        sys.exit("the tree has unsigned modules, and openssl can't verify those")
    data, signature = place / f"{number}.data", place / f"{number}.p7s"
    data.write_bytes(contents[:size])
    signature.write_bytes(trailer.signature(contents))
    return str(data), str(signature)


def _openssl(certificate: str, parted: list[tuple[str, str]]) -> None:
    usual = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-nointern", "-out", "/dev/null"]
    for data, signature in parted:
        _run([*usual, "-certfile", certificate, "-content", data, "-in", signature])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", default=newest(), help="a release with a tree under /lib/modules")
    parser.add_argument("--runs", type=int, default=3, help="runs of lkm")
    parser.add_argument("--sample", type=int, default=100, help="modules that openssl verifies")
    options = parser.parse_args()
    session = Session(Target(release=options.release))
    certificates = profile_for(session).certificates
    if not certificates:
        sys.exit("the kernel's certificates are not known: its image could not be read")
    command = [str(Path(sys.executable).parent / "lkm"), "--release", options.release, "verify", "--tree", "--json"]
    answer = json.loads(_run(command))
    accepted = sum(module["accepted"] for module in answer["modules"])
    print(f"{len(answer['modules'])} modules, of which {accepted} are accepted")
    elapsed, taken = min(_timed(lambda: _run([*command[:-1]])) for _ in range(options.runs))
    print(f"{'lkm verify --tree':45} {elapsed:8.2f} s elapsed, {taken:6.2f} s of processors")
    files = list(session.tree.modules())
    chosen = files[:: max(1, len(files) // options.sample)]
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        certificate = place / "certificate.der"
        certificate.write_bytes(certificates[0])
        _run(["openssl", "x509", "-inform", "DER", "-in", str(certificate), "-out", f"{certificate}.pem"])
        parted = [_parted(file.contents, place, number) for number, file in enumerate(chosen)]
        peer, peer_taken = _timed(lambda: _openssl(f"{certificate}.pem", parted))
    scale = len(files) / len(chosen)
    peer, peer_taken = peer * scale, peer_taken * scale
    print(f"{'openssl cms -verify, one after the other':45} {peer:8.2f} s elapsed, {peer_taken:6.2f} s of processors")
    print(f"{'ratio':45} {elapsed / peer:8.2f}   elapsed, {taken / peer_taken:6.2f}   of processors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
