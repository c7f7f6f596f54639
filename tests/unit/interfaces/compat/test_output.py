"""Output that is gathered."""

from lkm.interfaces.compat.output import Output


def test_it_is_written_when_asked_for_or_much() -> None:
    written: list[bytes] = []
    output = Output(written.append)
    output.put(b"a")
    output.put(b"b")
    assert written == []
    output.flush()
    output.put(bytes(2 << 20))
    assert written == [b"ab", bytes(2 << 20)]


def test_what_work_puts_is_captured_and_what_waits_goes_on_waiting() -> None:
    written: list[bytes] = []
    output = Output(written.append)
    output.put(b"before")
    assert output.captured(lambda: output.put(b"inside")) == b"inside"
    output.flush()
    assert written == [b"before"]


def test_nothing_is_captured_of_work_that_must_write() -> None:
    written: list[bytes] = []
    output = Output(written.append)
    assert output.captured(output.flush) is None
    assert output.captured(lambda: output.put(bytes(2 << 20))) is None
    output.flush()
    assert written == [b""]
