"""Drop-in front-ends: one file a tool of kmod, or of a kernel's build."""
