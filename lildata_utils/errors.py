"""The error that a user can cause; the command line prints it as one line, without a traceback."""


class LilDataError(Exception):
    """What was wrong, where, what was expected and what to do, in one line (README)."""
