"""What a system says: its files seen through a root, without any policy."""
