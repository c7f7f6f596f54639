"""What changes the world: plan, carry out, report."""
