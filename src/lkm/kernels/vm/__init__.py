"""Real kernels in throw-away virtual machines."""
