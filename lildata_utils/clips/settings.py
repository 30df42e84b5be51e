"""How clips are dealt to splits: the names that tables and the command line have for it."""

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
RULES = ("track", "clip")
# Shares of train, validation and test.
FRACTIONS = (0.7, 0.15, 0.15)
