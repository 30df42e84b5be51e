"""What a composer learns and writes: nothing of the future, and the same each time."""

import numpy as np
import pytest

from lildata_utils.backend import tf
from lildata_utils.generation.sampling import drawn, guided, restricted
from lildata_utils.generation.settings import Sampling
from lildata_utils.generation.writing import REPORTED, Writer
from lildata_utils.learning.composer import ComposerLearner, Scores
from lildata_utils.networks.composer import AFTER, START, STEP, Composer, arranged
from lildata_utils.networks.settings import ComposerSettings

TOKENS, CODES, GENRES = 2, 7, 3
GREEDY = Sampling(temperature=0, guidance=1, top_p=1)


def composer(kind="transformer", context=12, seed=0, width=16):
    """A small one whose answers differ much."""
    settings = ComposerSettings(kind, layers=2, width=width, heads=2, context=context)
    made = Composer(GENRES, TOKENS, CODES, settings, seed)
    rng = np.random.default_rng(seed)
    for weight in made.trainable_variables:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return made


def entries(steps, pieces=2, seed=0, hole=None):
    kinds, times = arranged(steps, hole)
    codes = np.random.default_rng(seed).integers(0, CODES, (pieces, len(kinds), TOKENS))
    genre = np.arange(pieces, dtype=np.int32) % GENRES
    rows = [np.repeat(row[None], pieces, 0) for row in (kinds, times)]
    return codes.astype(np.int32), *rows, genre


def last(writer, *arguments):
    *_, written = writer.write(*arguments)
    return written.finished


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
def test_nothing_of_the_future_leaks(kind):
    model = composer(kind)
    codes, kinds, times, genre = entries(20)
    before = model(codes, kinds, times, genre).numpy()
    for place in (1, 7, 15):
        changed = codes.copy()
        changed[:, place:] = (changed[:, place:] + 1) % CODES
        after = model(changed, kinds, times, genre).numpy()
        # Row k tells of entry k + 1.
        np.testing.assert_array_equal(after[:, : place - 1], before[:, : place - 1])
        np.testing.assert_array_equal(after[:, place - 1, 0], before[:, place - 1, 0])
        assert np.abs(after[:, place - 1, 1] - before[:, place - 1, 1]).max() > 1e-3


def test_attention_ends_where_its_context_does():
    model = composer(context=5)
    codes, kinds, times, genre = entries(30)
    changed = codes.copy()
    changed[:, 1] = (changed[:, 1] + 1) % CODES
    difference = np.abs(model(changed, kinds, times, genre) - model(codes, kinds, times, genre))
    heard = difference.max(axis=(0, 2, 3)) > 1e-6
    # Two layers of five steps each: the first row that can't know is 1 + 2 * 4 + 1.
    assert heard[1]
    assert not heard[10:].any()


def test_only_distances_in_time_matter():
    model = composer()
    codes, kinds, times, genre = entries(20)
    now, later = (model(codes, kinds, t, genre).numpy() for t in (times, times + 500))
    np.testing.assert_allclose(later, now, atol=2e-2 * np.abs(now).max())


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
@pytest.mark.parametrize("hole", [None, (3, 6)])
def test_written_one_by_one_equals_what_is_said_of_the_whole(kind, hole):
    """The memory of what was seen changes nothing; without a hole it is too small for all."""
    model, steps = composer(kind), 9 if hole else REPORTED + 10
    known, missing = entries(steps, hole=hole)[0][:, :steps], np.ones(steps, bool)
    if hole:
        missing = (np.arange(steps) >= hole[0]) & (np.arange(steps) < hole[1])
    codes = last(Writer(model), known, missing, 1, GREEDY)
    np.testing.assert_array_equal(codes[:, ~missing], known[:, ~missing])
    kinds, times = arranged(steps, hole)
    rows = (np.repeat(row[None], 2, 0) for row in (kinds, times))
    logits = model(codes[:, np.maximum(times, 0)], *rows, np.array([1, 1])).numpy()
    said = {int(time): logits[:, k - 1] for k, time in enumerate(times) if kinds[k] == STEP}
    for time in np.flatnonzero(missing):
        np.testing.assert_array_equal(said[time].argmax(axis=-1), codes[:, time])


def test_the_same_seed_writes_the_same_music():
    writer = Writer(composer())
    nothing = np.zeros((3, 40, TOKENS), np.int32), np.ones(40, bool), 0
    first, again, other = (last(writer, *nothing, Sampling(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[0] != first[1]).any()


def test_sequences_are_put_in_the_order_in_which_they_are_written():
    kinds, times = arranged(3)
    assert (kinds.tolist(), times.tolist()) == ([START, STEP, STEP, STEP], [-1, 0, 1, 2])
    kinds, times = arranged(6, (2, 4))
    assert kinds.tolist() == [AFTER, STEP, STEP, START, STEP, STEP, STEP, STEP]
    assert times.tolist() == [3, 4, 5, -1, 0, 1, 2, 3]


def test_what_is_unlikely_is_ruled_out():
    logits = np.log(np.array([[0.5, 0.05, 0.3, 0.15]], np.float32))

    def stay(k, p):
        return (restricted(logits, k, p).numpy()[0] > -100).tolist()

    assert stay(0, 1.0) == [True] * 4
    assert stay(2, 1.0) == [True, False, True, False]
    assert stay(0, 0.5) == [True, False, False, False]
    assert stay(0, 0.79) == [True, False, True, False]
    assert stay(0, 0.81) == [True, False, True, True]
    assert stay(0, 1e-9) == [True, False, False, False]
    assert stay(1, 0.99) == [True, False, False, False]


def test_lots_are_as_likely_as_said():
    logits = np.log(np.repeat([[0.5, 0.3, 0.2]], 20_000, 0).astype(np.float32))
    shares = np.bincount(drawn(logits, 1.0, (1, 2))) / len(logits)
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.02)
    assert set(drawn(logits[:50], 0.0, (1, 2)).numpy()) == {0}


def test_guidance_mixes_with_and_without():
    logits = tf.constant([[3.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(guided(logits, 1.0), [[3, 1]])
    np.testing.assert_allclose(guided(logits, 0.0), [[1, 1]])
    np.testing.assert_allclose(guided(logits, 2.0), [[5, 1]])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["transformer", "lstm"])
def test_a_language_of_two_bars_is_learned_exactly(kind):
    """Whoever knows one and a half bars knows all that follows, and what is in a hole."""
    rng = np.random.default_rng(0)
    bars = rng.integers(0, CODES, (2, 4, TOKENS)).astype(np.int32)
    song = np.concatenate([bars[0], bars[1]] * 10)
    settings = ComposerSettings(kind, layers=2, width=32, heads=2, context=24, dropout=0)
    model = Composer(1, TOKENS, CODES, settings)
    learner = ComposerLearner(model, Scores(1, (song,), np.array([0])), 300)
    for number in range(1, 301):
        figures = learner.step(number)
    learner.averaged()
    # How a sequence begins, one of eight places, can't be known.
    assert figures["nats"] < 0.2
    known = np.array(song[None, :40])
    missing = np.arange(40) >= 6
    written = last(Writer(model), np.where(missing[:, None], 0, known), missing, 0, GREEDY)
    np.testing.assert_array_equal(written, known)
    if kind == "transformer":
        known = known[:, :18]
        missing = (np.arange(18) >= 7) & (np.arange(18) < 12)
        written = last(Writer(model), np.where(missing[:, None], 0, known), missing, 0, GREEDY)
        np.testing.assert_array_equal(written, known)
