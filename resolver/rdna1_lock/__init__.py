"""Lockfiles that are right for PyTorch on AMD RDNA1 graphics cards."""

__version__ = "0.1.0"
