"""A composer: it writes the codes of music, step after step, code after code (notebook 08).

What it remembers of the steps before (`memory`) says what may come; within a step a small network
a code writes one after the other (as Lee et al. 2022, arXiv:2203.01941). A sequence is a list of
entries: steps of music with their time, and marks: ``START`` (the next entry begins here) and
``AFTER`` (what follows is heard later: the end of a hole). So one network continues and fills in.
"""

from typing import Any

import numpy as np

from lildata_utils.backend import keras, tf
from lildata_utils.networks.memory import MEMORIES, dense, normalised
from lildata_utils.networks.settings import ComposerSettings

# What an entry is.
STEP, START, AFTER = range(3)


class Composer(keras.Model):
    """From codes to how likely each next code is (notebook 08).

    Parameters
    ----------
    genres, tokens, codes : int
        How many genres there are (it also knows "any"), codes a step, and different codes.
    settings : ComposerSettings
    seed : int
        Of the first weights.
    """

    def __init__(
        self, genres: int, tokens: int, codes: int, settings: ComposerSettings, seed: int = 0
    ) -> None:
        super().__init__(name="composer")
        self.genres, self.tokens, self.codes, self.settings = genres, tokens, codes, settings
        seeds = iter(np.random.default_rng(seed).integers(2**31, size=500).tolist())
        width = settings.width

        def table(rows: tuple[int, ...], name: str) -> Any:
            first = keras.initializers.RandomNormal(0.0, 0.05, seed=next(seeds))
            return self.add_weight((*rows, width), first, name=name)

        self.of_code = table((tokens, codes), "codes")
        self.of_genre = table((genres + 1,), "genres")
        self.of_kind = table((3,), "kinds")
        self.bias = self.add_weight((tokens, codes), "zeros", name="bias")
        self.memory = MEMORIES[settings.kind](settings, seeds)
        self.opens = [dense(2 * width, width, seeds, 2.0) for _ in range(tokens)]
        self.closes = [dense(width, 2 * width, seeds, 0.1) for _ in range(tokens)]
        self.built = True

    def call(self, codes: Any, kinds: Any, times: Any, genre: Any, training: bool = False) -> Any:
        """Predict the entry after each of the given ones, of whole sequences.

        Parameters
        ----------
        codes : tf.Tensor of int32, shape (clips, entries, tokens)
            Of marks they do not matter.
        kinds, times : tf.Tensor of int32, shape (clips, entries)
            ``STEP``, ``START`` or ``AFTER``; when, in steps. A mark's time is one before the step
            that follows.
        genre : tf.Tensor of int32, shape (clips,)
            The number of genres stands for any.

        Returns
        -------
        tf.Tensor of float32, shape (clips, entries - 1, tokens, codes)
            Logits of the entries from the second on; each code sees those before it.
        """
        entries = self.entries(codes, kinds, genre[:, None])
        heard = self.memory(entries, times, training=training)[:, :-1]
        said, logits = heard, []
        for token in range(self.tokens):
            logits.append(self.speak(said, token))
            said += tf.gather(self.of_code[token], codes[:, 1:, token])
        return tf.stack(logits, axis=2)

    def entries(self, codes: Any, kinds: Any, genre: Any) -> Any:
        """Make what the memory hears of entries; shapes (..., tokens), (...) and (...)."""
        played = tf.add_n(
            [tf.gather(self.of_code[token], codes[..., token]) for token in range(self.tokens)]
        )
        music = tf.cast(kinds == STEP, tf.float32)[..., None]
        return music * played + tf.gather(self.of_kind, kinds) + tf.gather(self.of_genre, genre)

    def speak(self, said: Any, token: int) -> Any:
        """Make logits of one of a step's codes, shape (..., codes), of what is said so far."""
        thought = tf.nn.relu(self.opens[token](normalised(said)))
        meant = normalised(said + self.closes[token](thought))
        return tf.tensordot(meant, tf.transpose(self.of_code[token]), 1) + self.bias[token]


def arranged(steps: int, hole: tuple[int, int] | None = None) -> tuple[Any, Any]:
    """Put a stretch of music in the order in which it is written (notebook 08).

    A mark, then the steps; with a hole first what follows it, behind a mark of its own, then what
    precedes it and the hole itself: there the network knows both ends.

    Parameters
    ----------
    steps : int
        Of the stretch.
    hole : (int, int), optional
        Its first step, and the first one after it.

    Returns
    -------
    kinds, times : ndarray of int32, shape (entries,)
        As a composer takes them.

    Examples
    --------
    >>> kinds, times = arranged(4, hole=(1, 3))
    >>> kinds.tolist(), times.tolist()
    ([2, 0, 1, 0, 0, 0], [2, 3, -1, 0, 1, 2])
    """
    end = hole[1] if hole else steps
    after = [(AFTER, end - 1)] + [(STEP, time) for time in range(end, steps)] if hole else []
    entries = [*after, (START, -1), *((STEP, time) for time in range(end))]
    kinds, times = np.array(entries, np.int32).T
    return kinds, times
