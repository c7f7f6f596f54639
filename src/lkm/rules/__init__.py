"""What would happen, and why: pure functions of values."""
