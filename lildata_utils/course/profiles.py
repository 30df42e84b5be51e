"""The three sizes in which the course runs: every number that differs between them, by name."""

from dataclasses import dataclass

from lildata_utils.errors import LilDataError
from lildata_utils.transfer.settings import LIL_DATA, PRESETS, VGG19


@dataclass(frozen=True)
class Profile:
    """One size of the course (README)."""

    # ``smoke`` (does it run at all, for tests), ``quick`` (a laptop, minutes) or ``paper`` (the
    # paper's amounts, hours).
    name: str
    tracks: int  # Tracks of the crate per genre
    # Length of each track in seconds; None lets each track have its own length.
    track_s: float | None
    clips: int | None  # At most this many clips a genre; None takes all
    fractions: tuple[float, float, float]  # Shares of train, validation and test
    epochs: int  # Epochs of the genre classifiers
    batch_size: int  # Clips in a training step
    iterations: int  # Of an inversion from picture to sound
    inversion_clips: int  # Clips by which methods of inversion are compared, at most 4
    # Of style transfer: at the early stop and in full.
    lil_data_iterations: tuple[int, int]
    vgg19_iterations: tuple[int, int]
    sweep_iterations: int  # Of each style transfer where many are compared
    resnet_side: int  # Pixels on each side of the pictures that ResNet-50 trains on
    resnet_epochs: int  # Of its training from random weights
    listener_epochs: int  # Of a listener, where none comes with the course
    lstm_clips: int  # Lo-fi clips that the LSTMs learn
    lstm_epochs: tuple[int, int]  # Of the LSTMs: where the paper looks at them early, and in full
    lstm_pair_epochs: int  # Of the LSTM that learns two clips only


def _paper(network: str) -> tuple[int, int]:
    return PRESETS[network].early_stop, PRESETS[network].full


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            tracks=6,
            track_s=20.0,
            clips=None,
            fractions=(0.6, 0.2, 0.2),
            epochs=1,
            batch_size=16,
            iterations=10,
            inversion_clips=1,
            lil_data_iterations=(2, 4),
            vgg19_iterations=(1, 2),
            sweep_iterations=2,
            resnet_side=32,
            resnet_epochs=1,
            listener_epochs=1,
            lstm_clips=8,
            lstm_epochs=(1, 2),
            lstm_pair_epochs=2,
        ),
        Profile(
            name="quick",
            tracks=16,
            track_s=40.0,
            clips=None,
            fractions=(0.6, 0.2, 0.2),
            epochs=12,
            batch_size=16,
            iterations=100,
            inversion_clips=4,
            lil_data_iterations=(100, 200),
            vgg19_iterations=(2, 5),
            sweep_iterations=40,
            resnet_side=64,
            resnet_epochs=5,
            listener_epochs=30,
            lstm_clips=64,
            lstm_epochs=(4, 8),
            lstm_pair_epochs=60,
        ),
        Profile(
            name="paper",
            tracks=80,
            track_s=None,
            clips=1219,
            fractions=(8000 / 9750, 1000 / 9750, 750 / 9750),
            epochs=20,
            batch_size=32,
            iterations=500,
            inversion_clips=4,
            lil_data_iterations=_paper(LIL_DATA),
            vgg19_iterations=_paper(VGG19),
            sweep_iterations=100,
            resnet_side=224,
            resnet_epochs=20,
            listener_epochs=60,
            lstm_clips=600,
            lstm_epochs=(25, 50),
            lstm_pair_epochs=1000,
        ),
    )
}


def get_profile(name: str) -> Profile:
    """Look a profile up by name, or raise a LilDataError (README)."""
    try:
        return PROFILES[name]
    except KeyError:
        raise LilDataError(
            f"profile {name!r} is unknown: expected one of {', '.join(PROFILES)}"
        ) from None
