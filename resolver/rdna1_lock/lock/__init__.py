"""The lock: a PEP 751 file with a table of our own, read and built."""
