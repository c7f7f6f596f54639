"""Changing configuration files: planned, shown, carried out, and undone."""
