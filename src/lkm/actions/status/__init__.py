"""A machine at a glance."""
