"""`python -m lildata_utils` is the command `lildata`."""

import sys

from lildata_utils.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
