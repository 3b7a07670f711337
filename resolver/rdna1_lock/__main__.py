"""Run the command line with ``python -m rdna1_lock``."""

from rdna1_lock.cli.main import run

if __name__ == "__main__":
    run()
