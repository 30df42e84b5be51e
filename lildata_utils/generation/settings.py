"""What decides a drawing of an LSTM. Light: the command line reads it before TensorFlow."""

from dataclasses import dataclass

from lildata_utils.settings import PLACES, SEEDS, Range, Settings, setting


@dataclass(frozen=True)
class Drawing(Settings):
    """How an LSTM draws on from a first frame (notebook 05)."""

    start_s: float = setting(
        0.0, "second of the audio file", range=PLACES, metavar="S", option="at"
    )
    temperature: float = setting(
        1.0,
        "of a mixture: 0 draws the likeliest, 1 what was learned",
        range=Range(least=0, most=10),
        metavar="T",
    )
    seed: int = setting(0, "of what is drawn by lot", range=SEEDS, metavar="N")
