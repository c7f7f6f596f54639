"""Writing the indexes of a module tree."""
