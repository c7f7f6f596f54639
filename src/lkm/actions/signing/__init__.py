"""Signing modules: keys and certificates, the messages that they sign, and new keys."""
