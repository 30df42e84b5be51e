"""`python -m lildata_utils` is the command `lildata`."""

import sys


def main() -> int:
    """Run the command line; Ctrl-C is a line from the first moment on (README)."""
    try:
        from lildata_utils.cli.main import main

        return main()
    except KeyboardInterrupt:
        print("lildata: stopped before it began", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
