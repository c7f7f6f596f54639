"""Loading modules into real kernels in throw-away machines."""
