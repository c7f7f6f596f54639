"""Parameters of modules: what they are, what they are set to and where, and setting them."""
