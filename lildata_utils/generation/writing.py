"""Let a composer write codes: from nothing, on from a beginning, or into a hole (notebook 08)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lildata_utils.backend import deterministic, tf
from lildata_utils.generation.sampling import drawn, guided, restricted
from lildata_utils.generation.settings import Sampling
from lildata_utils.networks.composer import STEP, Composer, arranged

# What is written between two reports.
REPORTED = 32

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Written:
    """How far a composer has come (notebook 08)."""

    done: int
    steps: int
    codes: Codes | None = None  # Shape (pieces, steps, tokens), after the last step

    @property
    def finished(self) -> Codes:
        """The codes, after the last step."""
        assert self.codes is not None
        return self.codes


class Writer:
    """A composer with its compiled loop: step after step, what it saw kept (notebook 08)."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        memory = tf.nest.map_structure(_any_batch, composer.memory.silence(tf.constant(1)))
        entries, whole = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((), tf.int32)
        number = tf.TensorSpec((), tf.float32)
        codes = tf.TensorSpec((None, None, composer.tokens), tf.int32)
        current = tf.TensorSpec((None, composer.tokens), tf.int32)
        chunk = (entries, entries, codes, tf.TensorSpec((None,), tf.bool))
        chance = (number, whole, number, number, whole, whole)
        self._write = tf.function(
            self._steps,
            input_signature=[memory, current, entries, chunk, chance],
            autograph=False,
        )

    def write(
        self, known: Codes, missing: NDArray[np.bool_], genre: int, sampling: Sampling
    ) -> Iterator[Written]:
        """Write what is missing of pieces (notebook 08).

        Parameters
        ----------
        known : ndarray of int32, shape (pieces, steps, tokens)
            The codes; of missing steps they do not matter.
        missing : ndarray of bool, shape (steps,)
            Steps from one on to the end, or to where the piece goes on.
        genre : int
            Its number; that of genres for any.
        sampling : Sampling

        Yields
        ------
        Written
            Every four seconds of music.
        """
        pieces, steps, _ = known.shape
        (places,) = np.nonzero(missing)
        if not len(places):
            yield Written(steps, steps, known)
            return
        hole = (int(places[0]), int(places[-1]) + 1)
        kinds, times = arranged(steps, hole if hole[1] < steps else None)
        given = ~missing[np.maximum(times, 0)] | (kinds != STEP)
        codes = known[:, np.maximum(times, 0)].astype(np.int32)
        # With and without its genre, side by side.
        genres = np.repeat(np.array([genre, self.composer.genres], np.int32), pieces)
        memory = self.composer.memory.silence(tf.constant(2 * pieces))
        current, found = tf.constant(codes[:, 0]), [codes[:, :1]]
        for start in range(0, len(kinds) - 1, REPORTED):
            now = slice(start, min(start + REPORTED, len(kinds) - 1))
            later = slice(now.start + 1, now.stop + 1)
            chunk = (kinds[now], times[now], codes[:, later], given[later])
            with deterministic():
                memory, current, new = self._write(
                    memory, current, genres, chunk, _chance(sampling, start)
                )
            found.append(new.numpy())
            yield Written(times[now][-1] + 1, steps)
        entries = np.concatenate(found, axis=1)
        music = kinds == STEP
        result = np.empty_like(known, np.int32)
        result[:, times[music]] = entries[:, music]
        yield Written(steps, steps, result)

    def _steps(
        self, memory: Any, current: Any, genres: Any, chunk: Any, chance: Any
    ) -> tuple[Any, Any, Any]:
        """Hear an entry, write the next one unless it is given, and so on."""
        composer = self.composer
        kinds, times, later, given = chunk
        temperature, top_k, top_p, guidance, seed, start = chance
        both = 2 * tf.shape(current)[0]
        found = tf.TensorArray(tf.int32, tf.shape(kinds)[0], element_shape=(None, composer.tokens))

        def step(number: Any, memory: Any, current: Any, found: Any) -> Any:
            kind, time = tf.repeat(kinds[number], both), tf.repeat(times[number], both)
            heard = composer.entries(tf.tile(current, (2, 1)), kind, genres)
            said, memory = composer.memory.advance(heard, time, memory)
            codes = []
            for token in range(composer.tokens):
                logits = guided(composer.speak(said, token), guidance)
                logits = restricted(logits / tf.maximum(temperature, 1e-3), top_k, top_p)
                lot = tf.stack([seed, (start + number) * composer.tokens + token])
                code = drawn(logits, tf.cast(temperature > 0, tf.float32), lot)
                codes.append(tf.where(given[number], later[:, number, token], code))
                said += tf.tile(tf.gather(composer.of_code[token], codes[-1]), (2, 1))
            current = tf.stack(codes, axis=-1)
            return number + 1, memory, current, found.write(number, current)

        _, memory, current, found = tf.while_loop(
            lambda number, *_: number < tf.shape(kinds)[0], step, (0, memory, current, found)
        )
        return memory, current, tf.transpose(found.stack(), (1, 0, 2))


def _any_batch(one: Any) -> Any:
    shape = (None, *one.shape[1:]) if one.shape.rank else ()
    return tf.TensorSpec(shape, one.dtype)


def _chance(sampling: Sampling, start: int) -> tuple[Any, ...]:
    return (
        np.float32(sampling.temperature),
        np.int32(sampling.top_k),
        np.float32(sampling.top_p),
        np.float32(sampling.guidance),
        np.int32(sampling.seed),
        np.int32(start),
    )
