"""The genres of the course, by the names that folders and labels have."""

# In the paper's order.
GENRES = (
    "trap",
    "future_bass",
    "lofi",
    "hardstyle",
    "yung_gravy",
    "liquid_dnb",
    "house",
    "noise",
)

# Those with a beat and chords.
MUSIC = tuple(genre for genre in GENRES if genre != "noise")

# The paper does not name its four genres; these are the four that sound least alike.
FOUR_GENRES = ("lofi", "hardstyle", "house", "noise")


def genre_label(genre: str) -> str:
    """Write a genre's name for readers: ``future_bass`` becomes ``future bass`` (notebook 00)."""
    return genre.replace("_", " ")
