"""Keeping modules out: blocking and unblocking them, proving that it holds, and allowing only what is needed."""
