"""The toolkit for Linux loadable kernel modules."""

__all__ = ["__version__"]

__version__ = "0.1.0"
