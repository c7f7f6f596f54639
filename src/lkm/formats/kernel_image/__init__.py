"""Kernel images: the wrappings that a vmlinux comes in, and what can be found inside."""
