"""Completion of the command line for bash, zsh and fish: one answer from the parsers, and a small script a shell."""
