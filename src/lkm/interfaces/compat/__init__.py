"""Drop-in front-ends: one file a tool of kmod."""
