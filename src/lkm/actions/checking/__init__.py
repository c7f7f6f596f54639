"""Asking what a kernel will do with modules: the target, the chain of what is needed, the answer in words."""
