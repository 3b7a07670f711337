"""What is executed: the suite, the workers of a sweep, the logs they are read from."""
