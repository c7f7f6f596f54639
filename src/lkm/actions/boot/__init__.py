"""What is loaded at boot because a file or the kernel command line says so, and changing that."""
