"""The host's end of the line to a machine's agent, and the machine's console beside it."""

import os
import re
import select
import socket
import time
from collections.abc import Sequence

from lkm.errors import MachineLost
from lkm.kernels.vm.frames import Decoder, Frame

__all__ = ["Link"]

_CONSOLE_KEPT = 256 * 1024
_CHUNK = 1 << 18
_ESCAPES = re.compile(rb"\x1b\[[0-9;=?]*[A-Za-z]")  # of firmware and boot loaders, which colour their screens


class Link:
    """Sends bytes, waits for frames, and reads the console meanwhile so that the machine never waits for us.

    :param agent: our end of the agent's port
    :param console: a pipe that the console is written into
    """

    def __init__(self, agent: socket.socket, console: int) -> None:
        agent.settimeout(0)
        os.set_blocking(console, False)
        self._agent = agent
        self._console = console
        self._console_open = True
        self._seen = bytearray()
        self._decoder = Decoder()

    def converse(self, pieces: Sequence[bytes], seconds: float) -> Frame | None:
        """Send a request and wait for the next frame.

        :param pieces: the request's bytes; none to wait only
        :returns: the frame, or None when it did not come in time
        :raises MachineLost: the other end has gone, or talks nonsense; the console is not in the error yet
        """
        deadline = time.monotonic() + seconds
        unsent = [memoryview(piece) for piece in pieces if piece]
        while (frame := self._next_frame()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._step(unsent, left)
        return frame

    def _next_frame(self) -> Frame | None:
        try:
            return self._decoder.next()
        except ValueError as error:
            raise MachineLost(f"the machine's agent sent what can't be understood: {error}") from error

    def _step(self, unsent: list[memoryview], seconds: float) -> None:
        poll = select.poll()
        poll.register(self._agent, select.POLLIN | (select.POLLOUT if unsent else 0))
        if self._console_open:
            poll.register(self._console, select.POLLIN)
        events = dict(poll.poll(seconds * 1000))
        if self._console in events:
            self._read_console()
        at_agent = events.get(self._agent.fileno(), 0)
        try:
            if at_agent & select.POLLOUT:
                self._send(unsent)
            if at_agent & ~select.POLLOUT:
                self._receive()
        except ConnectionError as error:
            raise MachineLost("the machine ended before it answered") from error

    def _send(self, unsent: list[memoryview]) -> None:
        sent = self._agent.send(unsent[0][:_CHUNK])
        unsent[0] = unsent[0][sent:]
        if not unsent[0]:
            del unsent[0]

    def _receive(self) -> None:
        data = self._agent.recv(_CHUNK)
        if not data:
            raise MachineLost("the machine ended before it answered")
        self._decoder.feed(data)

    def _read_console(self) -> None:
        try:
            data = os.read(self._console, _CHUNK)
        except BlockingIOError:
            return
        self._console_open = bool(data)
        self._seen += data
        del self._seen[:-_CONSOLE_KEPT]

    def console(self, seconds: float = 0.0) -> tuple[str, ...]:
        """Give the last lines of the console, oldest first, without blank ones.

        :param seconds: how long to wait for the console's end, where it is known to be near
        """
        deadline = time.monotonic() + seconds
        while self._console_open:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._console], [], [], left)[0]:
                break
            self._read_console()
            if not left:
                break  # all that the pipe held was read; more may come for ever
        text = _ESCAPES.sub(b"", self._seen).decode("utf-8", "replace").replace("\r", "")
        return tuple(line.rstrip() for line in text.split("\n") if line.strip())
