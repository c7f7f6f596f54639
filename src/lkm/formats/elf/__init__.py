"""ELF relocatable objects: a bounds-checked reader and a writer."""
