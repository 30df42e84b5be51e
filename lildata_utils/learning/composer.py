"""How a composer learns: to say what comes next in music written as codes (notebook 08)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lildata_utils.backend import keras, tf
from lildata_utils.learning.recipes import warm_cosine
from lildata_utils.learning.songbook import Songbook
from lildata_utils.networks.codec import STEP_COLUMNS, Codec
from lildata_utils.networks.composer import STEP, Composer, arranged

BATCH = 8
RATE, WEIGHT_DECAY = 2e-3, 0.02
AVERAGING = 0.99
# A sequence is longer than the context, so that most steps can't see its beginning.
LENGTH = 1.5
# Of so many steps the sequences have a hole, of these shares of them; of so many, no genre.
HOLES, HOLE = 0.25, (0.1, 0.5)
ANY = 0.1
# Each track is also learned as it sounds from so many columns on: the grid of steps lies elsewhere.
PHASES = (0, 3, 6)

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Scores:
    """Tracks as codes (notebook 08)."""

    genres: int
    songs: tuple[Codes, ...]  # Each of shape (steps, tokens)
    labels: NDArray[np.int64]  # The genre of each

    def batch(
        self, clips: int, context: int, rng: np.random.Generator
    ) -> tuple[Codes, Codes, Codes, Codes]:
        """Take sequences by lot: codes, kinds, times and genres, as a composer takes them.

        All of them are plain, or all have a hole and are short enough to be seen at once.
        """
        holes = rng.random() < HOLES
        steps = context - 2 if holes else int(LENGTH * context)
        steps = max(2, min(steps, *(len(song) for song in self.songs)))
        codes, kinds, times = [], [], []
        labels = rng.integers(self.genres, size=clips).astype(np.int32)
        for label in labels:
            song = self.songs[int(rng.choice(np.flatnonzero(self.labels == label)))]
            place = int(rng.integers(len(song) - steps + 1))
            kind, time = arranged(steps, _hole(steps, rng) if holes else None)
            codes.append(song[place + np.maximum(time, 0)])
            kinds.append(kind)
            times.append(time)
        labels[rng.random(clips) < ANY] = self.genres
        return np.stack(codes), np.stack(kinds), np.stack(times), labels


def _hole(steps: int, rng: np.random.Generator) -> tuple[int, int]:
    wide = min(max(1, int(steps * rng.uniform(*HOLE))), steps - 1)
    begin = int(rng.integers(steps - wide))
    return begin, begin + wide


def transcribe(codec: Codec, songbook: Songbook, phases: tuple[int, ...] = PHASES) -> Scores:
    """Write the tracks of a songbook as codes (notebook 08)."""
    songs, labels = [], []
    for song, label in zip(songbook.songs, songbook.labels, strict=True):
        for phase in phases:
            columns = (len(song) - phase) // STEP_COLUMNS * STEP_COLUMNS
            songs.append(codec.encode(song[None, phase : phase + columns]).numpy()[0])
            labels.append(label)
    return Scores(len(songbook.genres), tuple(songs), np.array(labels))


def nats(composer: Composer, codes: Any, kinds: Any, times: Any, genre: Any, training: bool) -> Any:
    """Compute the mean cross-entropy a code, in nats, over the steps of music (notebook 08)."""
    logits = composer(codes, kinds, times, genre, training=training)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(codes[:, 1:], logits)
    music = tf.cast(kinds[:, 1:] == STEP, tf.float32)
    return tf.reduce_sum(tf.reduce_mean(losses, axis=-1) * music) / tf.reduce_sum(music)


class ComposerLearner:
    """A composer and its optimizer (notebook 08)."""

    def __init__(self, composer: Composer, scores: Scores, steps: int, seed: int = 0) -> None:
        self.composer, self.scores, self.seed = composer, scores, seed
        self.optimizer = keras.optimizers.AdamW(
            warm_cosine(RATE, steps),
            weight_decay=WEIGHT_DECAY,
            beta_2=0.98,
            global_clipnorm=1.0,
            use_ema=True,
            ema_momentum=AVERAGING,
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias"])
        self.optimizer.build(composer.trainable_variables)
        entries = tf.TensorSpec((None, None), tf.int32)
        codes = tf.TensorSpec((None, None, composer.tokens), tf.int32)
        genre = tf.TensorSpec((None,), tf.int32)

        @tf.function(input_signature=[codes, entries, entries, genre], autograph=False)
        def step(codes: Any, kinds: Any, times: Any, genre: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = nats(composer, codes, kinds, times, genre, True)
            weights = composer.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            return loss

        self._step = step

    @property
    def state(self) -> list[Any]:
        """All variables."""
        return [*self.composer.variables, *self.optimizer.variables]

    def step(self, number: int) -> dict[str, float]:
        """Learn from eight sequences."""
        rng = np.random.default_rng((self.seed, number))
        batch = self.scores.batch(BATCH, self.composer.settings.context, rng)
        return {"nats": float(self._step(*map(tf.constant, batch)))}

    def averaged(self) -> None:
        """Put the running means of the weights in their place, at the end."""
        self.optimizer.finalize_variable_values(self.composer.trainable_variables)
