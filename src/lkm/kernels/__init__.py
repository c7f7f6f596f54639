"""Who carries a plan out: the running kernel, an emulated one, or one in a virtual machine."""
