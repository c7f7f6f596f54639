"""The whole story of a module: where it is, what asks for it, what the configuration does to it, what would happen."""
