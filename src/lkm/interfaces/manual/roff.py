"""Writing for man(7): headings, paragraphs, options; every character stands for itself."""

from lkm.interfaces.paragraphs import pieces

__all__ = ["bold", "escaped", "heading", "item", "paragraphs", "title"]

_SPECIAL = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}


def escaped(text: str) -> str:
    """Write a text so that groff prints just that."""
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    return character if character.isascii() else f"\\[u{ord(character):04X}]"


def title(name: str, section: int, version: str, manual: str) -> str:
    """Begin a page, with words left whole; it has no date, so that the same source always gives the same page."""
    return f'.TH "{escaped(name.upper())}" {section} "" "lkm {escaped(version)}" "{escaped(manual)}"\n.ad l\n.nh\n'


def heading(text: str, level: int = 1) -> str:
    """Write a heading.

    :param level: 1 for a section, 2 for a part of one
    """
    return f'.{"SH" if level == 1 else "SS"} "{escaped(text)}"\n'


def bold(text: str) -> str:
    """Write words in bold."""
    return f"\\fB{escaped(text)}\\fR"


def item(tag: str, text: str) -> str:
    """Write an entry of a list.

    :param tag: what is explained, written already
    :param text: plain
    """
    return f".TP\n{tag}\n{_line(text)}\n"


def paragraphs(text: str) -> str:
    """Write paragraphs and commands (``paragraphs.py``)."""
    parts = []
    for is_command, piece in pieces(text):
        if is_command:
            lines = "\n".join(_line(line.strip()) for line in piece.splitlines())
            parts.append(f".PP\n.RS 4\n.nf\n{lines}\n.fi\n.RE\n")
        else:
            parts.append(f".PP\n{_line(' '.join(piece.split()))}\n")
    return "".join(parts)


def _line(text: str) -> str:
    """Keep a line from being taken for a request."""
    written = escaped(text)
    return f"\\&{written}" if written.startswith((".", "\\(aq")) else written
