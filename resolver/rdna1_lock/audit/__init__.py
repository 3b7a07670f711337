"""What is wrong with an environment, a lock file or a machine, by the rules."""
