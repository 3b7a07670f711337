"""The machine as the kernel shows it: cards, driver, permissions. Never through the HIP runtime."""
