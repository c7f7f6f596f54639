"""What modprobe would do: a load or a removal as a list of steps."""
