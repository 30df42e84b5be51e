"""The three sizes in which the course runs: every number that differs between them, by name."""

from dataclasses import dataclass

from lildata_utils.errors import LilDataError

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

# The paper does not name its four genres; these are the four that sound least alike.
FOUR_GENRES = ("lofi", "hardstyle", "house", "noise")


@dataclass(frozen=True)
class Profile:
    """One size of the course.

    Attributes
    ----------
    name : str
        ``smoke`` (does it run at all, for tests), ``quick`` (a laptop, minutes) or ``paper``
        (the paper's amounts, hours).
    tracks : int
        Tracks of the crate per genre.
    track_s : float or None
        Length of each track in seconds; None lets each track have its own length.
    clips : int or None
        At most this many clips a genre; None takes all.
    fractions : tuple of float
        Shares of train, validation and test.
    epochs : int
        Epochs of the genre classifiers.
    batch_size : int
        Clips in a training step.
    iterations : int
        Of an inversion from picture to sound.
    inversion_clips : int
        Clips by which methods of inversion are compared, at most one a genre.
    """

    name: str
    tracks: int
    track_s: float | None
    clips: int | None
    fractions: tuple[float, float, float]
    epochs: int
    batch_size: int
    iterations: int
    inversion_clips: int


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", 6, 20.0, None, (0.6, 0.2, 0.2), 1, 16, 10, 1),
        Profile("quick", 16, 40.0, None, (0.6, 0.2, 0.2), 12, 16, 100, 4),
        Profile("paper", 80, None, 1219, (8000 / 9750, 1000 / 9750, 750 / 9750), 20, 32, 500, 8),
    )
}


def get_profile(name: str) -> Profile:
    """Look a profile up by name.

    Raises
    ------
    LilDataError
        If there is no such profile.

    Examples
    --------
    >>> get_profile("paper").epochs
    20
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise LilDataError(
            f"profile {name!r} is unknown: expected one of {', '.join(PROFILES)}"
        ) from None
