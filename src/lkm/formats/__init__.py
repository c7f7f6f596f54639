"""Bytes to values and back, without I/O: every parser here treats its input as hostile."""
