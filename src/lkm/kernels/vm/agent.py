"""What runs inside a machine as process 1: it carries out what the host asks for, one request after the other.

Should it fail altogether, the kernel panics for want of a process 1, the machine ends, and the host learns of it.
In an emulated machine imports are dear: ``subprocess`` and ``pathlib`` alone would cost a third of a second.
"""

import mmap
import os
import select
import signal
import sys
import time

from lkm.kernels.vm.frames import Body, Decoder, Frame, encode

__all__ = ["ENVIRONMENT", "serve"]

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
"""What commands find in their environment, besides what the host adds."""

_PORTS = "/sys/class/virtio-ports"
_SCRATCH = "/run"  # a tmpfs of half the memory: it is full before the machine is
_MORE_THAN_A_PIPE = 1 << 20  # bytes, so that one read empties it


def serve(descriptor: int) -> None:
    """Answer requests until the host hangs up.

    :param descriptor: open for reading and writing
    :raises EOFError: the host hung up
    """
    port = _Port(descriptor)
    port.send({"ready": os.uname().release})
    while True:
        body, parts = port.receive()
        try:
            _forget_files()
            _answer(port, body, parts)
        except Exception as error:  # noqa: BLE001  whatever becomes of a request, process 1 goes on
            port.send({"failed": f"{type(error).__name__}: {error}"})


class _Port:
    """The line to the host."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = Decoder()

    def receive(self) -> Frame:
        while (frame := self._decoder.next()) is None:
            data = os.read(self._descriptor, 1 << 16)
            if not data:
                raise EOFError("the host has gone")
            self._decoder.feed(data)
        return frame

    def send(self, body: Body, *parts: bytes | mmap.mmap) -> None:
        for piece in (encode(body, [len(part) for part in parts]), *parts):
            _write_all(self._descriptor, piece)


def _write_all(descriptor: int, data: bytes | mmap.mmap) -> None:
    with memoryview(data) as view:
        written = 0
        while written < len(view):
            written += os.write(descriptor, view[written:])


def _answer(port: _Port, body: Body, parts: tuple[bytes, ...]) -> None:
    match body, parts:
        case {"ask": "run", "argv": list(argv), "env": dict(env), "cwd": str(cwd), "timeout": float(seconds)}, (stdin,):
            given, outputs = _scratch(stdin), (_Output(), _Output())
            try:
                child = _start(argv, env, cwd, (given, outputs[0].write_end, outputs[1].write_end))
            except OSError as error:
                port.send({"not started": str(error)})
            else:
                port.send(_ended(child, seconds, outputs), *(output.contents() for output in outputs))
            finally:
                os.close(given)
                for output in outputs:
                    output.close()
        case {"ask": "kernel", "call": str(call), "arguments": list(arguments)}, ():
            port.send(_kernel_answer(call, arguments))
        case _:
            raise ValueError("the machine's agent does not know this request")


def _scratch(contents: bytes = b"") -> int:
    descriptor = os.open(_SCRATCH, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    _write_all(descriptor, contents)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class _Output:
    """What a command writes: through a pipe, since scripts open /dev/stderr anew, which would cut a file short."""

    def __init__(self) -> None:
        self.file = _scratch()
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)

    def take(self) -> bool:
        """Move what the pipe holds to the file; False when no more will come."""
        try:
            data = os.read(self.read_end, _MORE_THAN_A_PIPE)
            _write_all(self.file, data)
        except BlockingIOError:
            return True
        except OSError:  # the scratch space is full: whoever writes more gets EPIPE
            os.close(self.read_end)
            self.read_end = -1
            return False
        return bool(data)

    def close_write_end(self) -> None:
        if self.write_end >= 0:
            os.close(self.write_end)
        self.write_end = -1

    def contents(self) -> bytes | mmap.mmap:
        size = os.fstat(self.file).st_size
        return mmap.mmap(self.file, size, prot=mmap.PROT_READ) if size else b""

    def close(self) -> None:
        self.close_write_end()
        os.close(self.file)
        if self.read_end >= 0:
            os.close(self.read_end)


def _start(argv: list[str], env: dict[str, str], cwd: str, files: tuple[int, int, int]) -> int:
    os.chdir(cwd)
    try:
        return os.posix_spawnp(
            argv[0],
            argv,
            ENVIRONMENT | env,
            file_actions=[(os.POSIX_SPAWN_DUP2, file, number) for number, file in enumerate(files)],
            setsid=True,
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # which Python ignores
        )
    finally:
        os.chdir("/")


def _ended(child: int, seconds: float, outputs: tuple[_Output, ...]) -> Body:
    for output in outputs:
        output.close_write_end()
    in_time = _wait(child, seconds, outputs)
    if not in_time:
        os.killpg(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for output in outputs:
        if output.read_end >= 0:
            output.take()  # what was written before the end; nobody waits for what the command leaves running
    _reap_orphans()
    return {"status": status, "in time": in_time}


def _wait(child: int, seconds: float, outputs: tuple[_Output, ...]) -> bool:
    deadline = time.monotonic() + seconds
    watch = os.pidfd_open(child)
    waiting = {output.read_end: output for output in outputs}
    try:
        while (left := deadline - time.monotonic()) > 0:
            ready = select.select([watch, *waiting], [], [], left)[0]
            if watch in ready:
                return True
            for end in ready:
                if not waiting[end].take():
                    del waiting[end]
        return False
    finally:
        os.close(watch)


def _forget_files() -> None:
    # The host's files change meanwhile. Names are dropped, so that they are looked up anew, and contents too: 9p tells
    # versions apart by size and second alone (fs/9p/vfs_inode_dotl.c: v9fs_test_inode_dotl, 6.1; QEMU hw/9pfs/9p.c:
    # stat_to_qid), and a module that was built twice in a second must not be mistaken. It costs 20 to 80 ms a command;
    # a mount without a cache would cost more.
    _write_sysctl("vm/drop_caches", "3")


def _write_sysctl(name: str, value: str) -> None:
    with open(f"/proc/sys/{name}", "w", encoding="ascii") as file:  # noqa: PTH123  pathlib is dear here
        file.write(value)


def _kernel_answer(call: str, arguments: list[object]) -> Body:
    if sys.flags.no_site and "site" not in sys.modules:
        import site  # noqa: PLC0415  dear, and only this needs installed packages

        site.main()
    from lkm.kernels.vm import guest_kernel  # noqa: PLC0415  dear, and most machines only run commands

    return guest_kernel.answer(call, arguments)


def _reap_orphans() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _open_port(name: str) -> int:
    for port in os.listdir(_PORTS):  # noqa: PTH208  (the same)
        with open(f"{_PORTS}/{port}/name", encoding="ascii") as file:  # noqa: PTH123  (the same)
            if file.read().strip() == name:
                return os.open(f"/dev/{port}", os.O_RDWR | os.O_CLOEXEC)
    raise FileNotFoundError(f"no virtio port is called {name}")


def main() -> None:
    """Serve the port that is named on the command line."""
    _write_sysctl("vm/drop_caches", "4")  # or the kernel logs every use (fs/drop_caches.c)
    serve(_open_port(sys.argv[1]))


if __name__ == "__main__":
    main()
