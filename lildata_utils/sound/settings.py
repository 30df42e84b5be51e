"""What the room of sound can be asked for: formats of files, and how to invert a picture."""

from dataclasses import dataclass

from lildata_utils.settings import SEEDS, Range, Settings, setting

# What can be written, and what a player calls it.
MIME_TYPES = {"flac": "audio/flac", "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg"}

# The three numbers of the accelerated iteration of Nenov et al. (arXiv:2306.12504): with (0, 0, 1)
# it is Griffin & Lim (1984), with (momentum, 0, 1) the fast one of Perraudin, Balazs & Sondergaard
# (2013). We chose those of the last line by experiment: beyond 1.25 it diverges.
METHODS = {
    "griffin_lim": (0.0, 0.0, 1.0),
    "fast_griffin_lim": (0.99, 0.0, 1.0),
    "accelerated_griffin_lim": (0.99, 1.1, 1.25),
}
STARTS = ("zero", "random", "pghi", "multiresolution")


@dataclass(frozen=True)
class Inversion(Settings):
    """How a spectrogram becomes sound, see `inversion.invert` (notebook 06)."""

    method: str = setting("fast_griffin_lim", "what an iteration does", choices=tuple(METHODS))
    iterations: int = setting(
        100, "how many; 0 gives the start alone", range=Range(least=0, most=1_000_000), metavar="N"
    )
    phase: str = setting(
        "multiresolution", "first guess of the phases", choices=STARTS, option="start"
    )
    seed: int = setting(0, "of all randomness", range=SEEDS, metavar="N")
    peak_db: float | None = setting(
        None,
        "of an image (peak_db in clips.csv): its level",
        range=Range(least=-200, most=200),
        metavar="DB",
    )

    @property
    def peak(self) -> float:
        """Linear magnitude of an image's loudest bin; 1 where its level is unknown."""
        return float(10 ** ((self.peak_db or 0.0) / 20))
