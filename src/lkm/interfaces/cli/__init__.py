"""The command lkm: one file a verb."""
