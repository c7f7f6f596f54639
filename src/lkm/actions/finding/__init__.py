"""Finding modules by what they are for."""
