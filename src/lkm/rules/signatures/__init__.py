"""Signatures as a kernel judges them: messages, certificates, keyrings, policy."""
