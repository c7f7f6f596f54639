"""Which keys a kernel trusts, and what each signed."""
