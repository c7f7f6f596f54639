"""What libkmod says of indexes that are none.

Facts: kmod 30, libkmod/libkmod.c ``kmod_load_resources``, libkmod/libkmod-index.c ``index_mm_open``.
"""

from typing import TYPE_CHECKING

from lkm.errors import Unreadable

if TYPE_CHECKING:
    from lkm.interfaces.compat.messages import Messages
    from lkm.system.module_tree import ModuleTree

__all__ = ["say_damage"]

_INDEXES = ("modules.dep", "modules.alias", "modules.symbols", "modules.builtin.alias", "modules.builtin")
_HEADER_SIZE = 12
_MAGIC = 0xB007F457
_MAJOR_VERSION = 2


def say_damage(messages: "Messages", tree: "ModuleTree") -> None:
    """Say what is wrong with the first damaged index, in the order in which kmod opens them; then it opens no more."""
    for name in _INDEXES:
        try:
            header = tree.root.read_bytes(f"{tree.directory}/{name}.bin")[:_HEADER_SIZE]
        except Unreadable:
            return
        if len(header) < _HEADER_SIZE:
            return
        magic, version = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:6], "big")
        if magic != _MAGIC:
            text = f"magic check fail: {magic:x} instead of {_MAGIC:x}"
            messages.library("libkmod-index.c:790 index_mm_open", text)
            return
        if version != _MAJOR_VERSION:
            text = f"major version check fail: {version} instead of {_MAJOR_VERSION}"
            messages.library("libkmod-index.c:797 index_mm_open", text)
            return
