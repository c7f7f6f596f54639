"""The kernel's checks on a module, stage by stage, in the kernel's order."""
