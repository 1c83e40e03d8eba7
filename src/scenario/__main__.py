"""`python -m scenario`: the command line."""

import sys

from scenario.cli import main

if __name__ == "__main__":
    sys.exit(main())
