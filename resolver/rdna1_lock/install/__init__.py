"""From a lock to wheels on disk and to an environment that holds exactly them."""
