"""What a program asks of a system beside its modules: how it stands, what it trusts, and settings that last."""
