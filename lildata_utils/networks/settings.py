"""What can be chosen about each network. Light: the command line reads it before any network."""

import math
from dataclasses import dataclass
from itertools import pairwise

from lildata_utils.errors import LilDataError
from lildata_utils.settings import MOST_WEIGHTS, Range, Settings, setting

SMALLEST_SIDE, WHOLE_SIDE = 32, 631
SIDES = Range(least=SMALLEST_SIDE, most=WHOLE_SIDE)
# What the weights of Keras' own networks may be, beside a file's path.
RANDOM, IMAGENET = "random", "imagenet"
# The first part of ResNet-50 that learns.
LEARN = ("all", "conv2", "conv3", "conv4", "conv5", "head")
# Of Lil Data: convolutions at most, side of its max-pools, dense units.
MOST_LAYERS, POOL, HIDDEN = 32, 4, 48
# Of the listener: each block halves a picture whose shorter side is 48 after the stem.
MOST_BLOCKS = 5
# Its first weights, beside random ones: those of the listener that comes with the course.
CRATE = "crate"
# How it sums up a clip, and what augmentation does to it.
POOLINGS = ("mean", "deviation", "most")
CHANGES = (
    "roll",
    "stretch",
    "shift",
    "equaliser",
    "contrast",
    "noise",
    "limits",
    "masks",
    "mixup",
)
# What an LSTM's input is after the first frame.
READINGS = ("fed_back", "repeated", "zeros")


@dataclass(frozen=True)
class SoftmaxSettings(Settings):
    """The benchmark: one softmax layer on the averaged spectrogram (notebook 02)."""

    pool: int = setting(
        4, "side of the squares that are averaged", range=Range(least=1, most=64), metavar="N"
    )


@dataclass(frozen=True)
class LilDataSettings(Settings):
    """Lil Data, the paper's small convolutional network (notebook 02)."""

    filters: tuple[int, ...] = setting(
        (16, 32, 64, 64), "of the convolutions", range=Range(least=1, most=4096), metavar="A,B,C,D"
    )
    dropout: float = setting(
        0.5, "share of the features dropped in training", range=Range(least=0, below=1), metavar="P"
    )
    channels: int = setting(
        1, "equal copies of the picture", range=Range(least=1, most=64), metavar="N"
    )
    side: int = setting(
        WHOLE_SIDE, "pixels of the square to which pictures shrink", range=SIDES, metavar="PIXELS"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.filters) > MOST_LAYERS:
            raise LilDataError(f"{len(self.filters)} filters; expected at most {MOST_LAYERS}")
        kernels = (9 * before * after for before, after in pairwise((self.channels, *self.filters)))
        side = self.side
        for _ in self.filters:
            side = side // POOL if side >= POOL else side
        _check_weights(sum(kernels) + HIDDEN * side**2 * self.filters[-1], "filters")


@dataclass(frozen=True)
class ResNet50Settings(Settings):
    """ResNet-50, large and deep (notebook 03)."""

    side: int = setting(
        224, "pixels of the square to which pictures shrink", range=SIDES, metavar="PIXELS"
    )
    channels: int = setting(3, "equal copies of the picture", choices=(1, 3))
    learn: str = setting("all", "first part that learns", choices=LEARN)
    weights: str = setting(
        RANDOM,
        "first weights: imagenet, random, or a file of Keras'",
        metavar="W",
    )
    momentum: float = setting(
        0.99, "of batch normalisation", range=Range(least=0, below=1), metavar="M"
    )


@dataclass(frozen=True)
class ListenerSettings(Settings):
    """The listener, a residual network on mel bands (notebook 07)."""

    filters: tuple[int, ...] = setting(
        (32, 48, 96, 128),
        "of the stem and of the blocks",
        range=Range(least=1, most=1024),
        metavar="A,B,C,D",
    )
    dropout: float = setting(
        0.3, "share of the features dropped in training", range=Range(least=0, below=1), metavar="P"
    )
    pooling: tuple[str, ...] = setting(
        POOLINGS, "over time: of mean, deviation and most", choices=POOLINGS, metavar="A,B"
    )
    changes: tuple[str, ...] = setting(
        CHANGES, "to the sound while learning, or none", choices=(*CHANGES, "none"), metavar="A,B"
    )
    decay: float = setting(
        50.0,
        "pull on the weights that name genres, where all others stay; less for thousands of clips",
        range=Range(least=0, most=1000),
        metavar="W",
    )
    start: str = setting(
        CRATE,
        "first weights: crate, of the shipped listener, which learned the crate; random; a run's",
        metavar="W",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= len(self.filters) <= MOST_BLOCKS + 1:
            raise LilDataError(f"{len(self.filters)} filters; expected 2 to {MOST_BLOCKS + 1}")


@dataclass(frozen=True)
class LSTMSettings(Settings):
    """LSTMs that draw a spectrogram frame by frame (notebook 05)."""

    layers: int = setting(3, "LSTMs in the stack", range=Range(least=1, most=64), metavar="N")
    units: int = setting(50, "of each LSTM", range=Range(least=1, most=4096), metavar="N")
    reading: str = setting("fed_back", "input after the first frame", choices=READINGS)
    truth: float = setting(
        1.0,
        "probability of a true frame as input in training (1: teacher forcing)",
        range=Range(least=0, most=1),
        metavar="P",
    )
    noise: float = setting(
        0.0,
        "deviation of noise on true frames in training",
        range=Range(least=0, most=100),
        metavar="S",
    )
    rank: int = setting(
        0, "principal components; 0 for whole frames", range=Range(least=0, most=631), metavar="N"
    )
    mixtures: int = setting(
        0, "Gaussians to draw from; 0 for none", range=Range(least=0, most=1000), metavar="N"
    )
    skip: bool = setting(False, "draw changes, not frames")

    def __post_init__(self) -> None:
        super().__post_init__()
        fed_back = self.reading == "fed_back"
        if self.noise and not (fed_back and self.truth):
            raise LilDataError("noise goes on true frames: it needs fed_back and a truth above 0")
        # What is drawn by lot, or carried past the units, has no gradient through time.
        if self.mixtures and not (self.rank and self.truth == 1):
            raise LilDataError("mixtures need a rank, and truth=1")
        if self.skip and not (fed_back and self.truth == 1):
            raise LilDataError("skip needs fed_back, and truth=1")
        inputs = (self.rank or WHOLE_SIDE, *[self.units] * self.layers)
        outputs = self.mixtures * (1 + 2 * self.rank) if self.mixtures else inputs[0]
        cells = sum(4 * (before + self.units) * after for before, after in pairwise(inputs))
        _check_weights(cells + self.units * outputs, "layers and units")


@dataclass(frozen=True)
class CodecSettings(Settings):
    """An autoencoder with a codebook: music as codes (notebook 08)."""

    tokens: int = setting(8, "codes a step of 127 ms", range=Range(least=1, most=64), metavar="N")
    levels: tuple[int, ...] = setting(
        (8, 5, 5, 5), "of the numbers of a code", range=Range(least=2, most=64), metavar="A,B"
    )
    widths: tuple[int, ...] = setting(
        (224, 320, 384),
        "channels at 32, 63 and 127 ms",
        range=Range(least=1, most=4096),
        metavar="A,B,C",
    )
    blocks: int = setting(3, "at the widest", range=Range(least=1, most=64), metavar="N")

    @property
    def codes(self) -> int:
        """How many different codes there are."""
        return math.prod(self.levels)


@dataclass(frozen=True)
class ComposerSettings(Settings):
    """A network that writes codes, step after step (notebook 08)."""

    kind: str = setting("transformer", "what remembers", choices=("transformer", "lstm"))
    layers: int = setting(4, "in the stack", range=Range(least=1, most=64), metavar="N")
    width: int = setting(192, "channels", range=Range(least=2, most=4096), metavar="N")
    heads: int = setting(6, "of attention", range=Range(least=1, most=64), metavar="N")
    context: int = setting(
        128, "steps that it looks back", range=Range(least=1, most=10_000), metavar="N"
    )
    dropout: float = setting(
        0.1, "share of what is dropped in training", range=Range(least=0, below=1), metavar="P"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % (2 * self.heads):
            raise LilDataError(
                f"width {self.width}: expected a multiple of twice the heads ({self.heads})"
            )


def _check_weights(weights: int, what: str) -> None:
    if weights > MOST_WEIGHTS:
        raise LilDataError(
            f"{what} make a network of {weights:.2g} weights: choose fewer, for at most "
            f"{MOST_WEIGHTS:.0e}"
        )


# By the names that the command line, sweeps and runs have for them.
SETTINGS: dict[str, type[Settings]] = {
    "softmax": SoftmaxSettings,
    "cnn": LilDataSettings,
    "resnet50": ResNet50Settings,
    "listener": ListenerSettings,
    "lstm": LSTMSettings,
}
# Those that tell genres apart.
CLASSIFIERS = ("softmax", "cnn", "resnet50", "listener")
# Those that take pictures as they are stored.
TAKE_STORED = ("listener",)
