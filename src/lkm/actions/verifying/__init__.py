"""Verifying signatures of modules, and telling which keyring takes them."""
