"""Secure Boot and machine owner's keys: how they stand, and asking for a key to be enrolled."""
