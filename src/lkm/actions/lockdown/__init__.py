"""What a kernel demands of modules: asking it, and telling it."""
