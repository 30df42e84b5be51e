"""Stacked LSTMs: their numbers against Keras' own, their losses, and what they learn."""

import shutil

import numpy as np
import pytest
from lively import as_keras, lively
from trainings import assert_same_run, run_to_end

from lildata_utils.backend import keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.generation.drawing import follow
from lildata_utils.learning.fit import fit
from lildata_utils.learning.recipes import LSTM
from lildata_utils.learning.settings import Training
from lildata_utils.networks import lstm
from lildata_utils.networks.lstm import Mixture
from lildata_utils.networks.settings import READINGS, LSTMSettings


def build_lstm(seed=0, **settings):
    return lstm.build_lstm(LSTMSettings(**settings), seed)


def closed_form(layers, units, bins=631):
    first = 4 * units * (bins + units + 1)
    above = (layers - 1) * 4 * units * (2 * units + 1)
    return first + above + bins * (units + 1)


# --- the network -------------------------------------------------------------------------------


@pytest.mark.parametrize(("layers", "count"), [(2, 188_781), (3, 208_981), (4, 229_181)])
def test_parameters(layers, count):
    assert build_lstm(layers=layers).count_params() == closed_form(layers, 50) == count


def test_parameters_of_other_sizes():
    assert build_lstm(layers=1, units=7).count_params() == closed_form(1, 7)
    model = build_lstm(units=20, rank=5, mixtures=3)
    learned = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    lstms = closed_form(3, 20, bins=5) - 5 * 21
    assert learned == lstms + 21 * 3 * (1 + 2 * 5)


def test_numbers_are_keras_own(frames):
    model = lively(layers=3)
    expected = as_keras(model)(frames).numpy()
    np.testing.assert_allclose(model(frames), expected, atol=1e-5)
    np.testing.assert_allclose(model.predict(frames, verbose=0), expected, atol=1e-5)


def test_the_seed_decides_the_first_weights():
    first, same, other = (build_lstm(seed, layers=1, units=4) for seed in (0, 0, 1))
    for a, b, c in zip(*(m.trainable_variables for m in (first, same, other)), strict=True):
        np.testing.assert_array_equal(a, b)
        assert "bias" in a.path or not np.array_equal(a, c)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"layers": 0}, "layers must be from 1 to 64, got 0"),
        ({"units": 0}, "units must be from 1 to 4096, got 0"),
        ({"reading": "guess"}, "reading must be one of fed_back, repeated, zeros, got 'guess'"),
        ({"truth": 1.5}, r"truth must be from 0 to 1, got 1\.5"),
        ({"reading": "zeros", "noise": 0.1}, "needs fed_back and a truth above 0"),
        ({"noise": 0.1, "truth": 0.0}, "needs fed_back and a truth above 0"),
        ({"noise": -0.1, "truth": 1.0}, "noise must be from 0 to 100, got -0.1"),
        ({"rank": 632}, "rank must be from 0 to 631"),
        ({"mixtures": 3}, "mixtures need a rank"),
        ({"mixtures": -1}, "mixtures must be from 0 to 1000, got -1"),
        ({"mixtures": 3, "rank": 4, "truth": 0.5}, "mixtures need a rank, and truth=1"),
        ({"skip": True, "truth": 0.5}, "skip needs fed_back, and truth=1"),
        ({"skip": True, "reading": "zeros"}, "skip needs fed_back"),
    ],
)
def test_wrong_settings_are_told(settings, words):
    with pytest.raises(LilDataError, match=words):
        LSTMSettings(**settings)


# --- the loss ----------------------------------------------------------------------------------


def squared_error(drawn, strips):
    return ((drawn - strips[:, :, 1:] / 255) ** 2).mean(axis=(1, 2))


@pytest.mark.parametrize("rank", [0, 6])
@pytest.mark.parametrize("reading", READINGS)
def test_free_running_loss_is_the_error_of_what_is_drawn(strips, frames, reading, rank):
    model = lively(reading=reading, truth=0.0, rank=rank)
    expected = squared_error(follow(model, frames[:, 0], 19), strips)
    np.testing.assert_allclose(model.losses_of(strips, True), expected, rtol=1e-5)


@pytest.mark.parametrize("rank", [0, 6])
def test_teacher_forced_loss_is_the_error_of_the_next_frame(strips, frames, rank):
    model = lively(rank=rank)
    drawn = model(frames[:, :-1]).numpy().swapaxes(1, 2)
    np.testing.assert_allclose(
        model.losses_of(strips, True), squared_error(drawn, strips), rtol=1e-5
    )


@pytest.mark.parametrize("rank", [0, 6])
def test_a_skip_draws_the_change(strips, frames, rank):
    whole, change = lively(rank=rank), lively(rank=rank, skip=True)
    seen = change.decode(change.encode(tf.constant(frames))).numpy()
    shift = change.decode(tf.zeros((1, change.code_size))).numpy()
    np.testing.assert_allclose(change(frames), whole(frames) + seen - shift, atol=1e-4)
    drawn = follow(change, frames[:, 0], 3)
    inputs = frames[:, :1]
    for _ in range(3):
        inputs = np.concatenate([inputs, change(inputs)[:, -1:]], axis=1)
    np.testing.assert_allclose(drawn, inputs[:, 1:].swapaxes(1, 2), atol=1e-4)
    expected = squared_error(change(frames[:, :-1]).numpy().swapaxes(1, 2), strips)
    np.testing.assert_allclose(change.losses_of(strips, True), expected, rtol=1e-4)


def test_a_skip_moves_all_means_of_a_mixture(frames):
    hidden, codes = tf.ones((2, 8)), tf.constant([[1.0, 2.0], [3.0, 4.0]])
    mixtures = [
        Mixture(model.read_out(hidden, codes), 3, 2)
        for model in (lively(rank=2, mixtures=3, skip=skip) for skip in (False, True))
    ]
    moved = mixtures[1].means - mixtures[0].means
    np.testing.assert_allclose(moved, np.repeat(codes.numpy()[:, None], 3, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(mixtures[0].logits, mixtures[1].logits)
    np.testing.assert_array_equal(mixtures[0].log_spreads, mixtures[1].log_spreads)


def test_scheduled_sampling_mixes_truth_and_own_frames_by_lot(strips, frames):
    model = lively(truth=0.5)
    own = np.random.default_rng(2).random((19, 3, 1)) < 0.5
    own[0] = False
    gates = model.gates(frames.swapaxes(0, 1)[:-1]).numpy()
    hidden = model.run(tf.constant(gates * ~own), tf.constant(own, tf.float32))

    advance, states = model.stepper(), model.silence(3)
    drawn = np.zeros((3, 631), np.float32)
    for number in range(19):
        inputs = np.where(own[number], drawn, frames[:, number])
        states = advance(model.gates(inputs), states)
        drawn = model.read_out(states[-1][0], inputs).numpy()
        np.testing.assert_allclose(model.read_out(hidden[number], inputs), drawn, atol=1e-5)


def test_the_probability_of_truth_lies_between_its_ends(strips):
    losses = {
        truth: float(tf.reduce_mean(lively(truth=truth).losses_of(strips, True)))
        for truth in (0.0, 1e-6, 1 - 1e-6, 1.0)
    }
    assert losses[1e-6] == pytest.approx(losses[0.0], rel=1e-5)
    assert losses[1 - 1e-6] == pytest.approx(losses[1.0], rel=1e-5)
    assert losses[0.0] != pytest.approx(losses[1.0], rel=1e-3)


def test_noise_is_for_training_only(strips):
    clean, noisy = (lively(noise=noise) for noise in (0.0, 0.3))
    np.testing.assert_allclose(noisy.losses_of(strips, False), clean.losses_of(strips, False))
    assert not np.allclose(noisy.losses_of(strips, True), clean.losses_of(strips, True), rtol=1e-4)


def test_a_skip_carries_the_noise_that_was_heard(strips):
    model = build_lstm(layers=1, units=2, skip=True, noise=0.3)
    for weight in model.trainable_variables:
        weight.assign(0 * weight)  # it repeats what it hears
    clean = ((strips[:, :, 1:] / 255 - strips[:, :, :-1] / 255) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(model.losses_of(strips, False), clean, rtol=1e-4)
    # Independent noise adds its variance, but for the first of 19 frames.
    noisy = clean + 0.3**2 * 18 / 19
    np.testing.assert_allclose(model.losses_of(strips, True), noisy, rtol=0.03)


# --- components and mixtures -------------------------------------------------------------------


def test_principal_components_are_those_of_the_training_frames(tiny_dataset):
    train = tiny_dataset.select("train").at_most(train=4)
    model = build_lstm(layers=1, units=4, rank=5)
    LSTM.adapt(model, (images for images, _ in train.batches(3)))
    frames = train.images().swapaxes(1, 2).reshape(-1, 631) / 255
    variances = np.linalg.eigvalsh(np.cov(frames.T, bias=True))
    codes = model.encode(tf.constant(frames, tf.float32)).numpy()
    np.testing.assert_allclose(codes.std(axis=0), 1, atol=1e-2)
    np.testing.assert_allclose(np.corrcoef(codes.T), np.eye(5), atol=1e-2)
    rest = frames - model.decode(codes).numpy()
    assert (rest**2).sum(axis=1).mean() == pytest.approx(variances[:-5].sum(), rel=1e-3)


def gaussian_nats(code, mean, spread):
    return 0.5 * np.log(2 * np.pi) + np.log(spread) + 0.5 * ((code - mean) / spread) ** 2


def test_a_mixture_of_one_is_a_gaussian():
    mean, spread, code = np.array([0.3, -1.0]), np.array([0.5, 2.0]), np.array([[1.0, 1.0]])
    mixture = Mixture(tf.constant([[7.0, *mean, *np.log(spread)]], tf.float32), 1, 2)
    expected = gaussian_nats(code, mean, spread).mean()
    assert float(mixture.nats(tf.constant(code, tf.float32))[0]) == pytest.approx(expected)


def test_a_mixture_of_two_adds_their_likelihoods_up():
    means, spreads = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([[1.0, 0.5], [0.3, 1.0]])
    weights, code = np.array([0.25, 0.75]), np.array([1.0, 0.5])
    outputs = [*np.log(weights), *means.ravel(), *np.log(spreads).ravel()]
    mixture = Mixture(tf.constant([outputs], tf.float32), 2, 2)
    likelihoods = np.exp(-gaussian_nats(code, means, spreads).sum(axis=1))
    expected = -np.log(weights @ likelihoods) / 2
    assert float(mixture.nats(tf.constant([code], tf.float32))[0]) == pytest.approx(
        expected, rel=1e-5
    )
    np.testing.assert_allclose(mixture.mean()[0], weights @ means, rtol=1e-5)


def test_draws_have_the_mixtures_weights_means_and_spreads():
    outputs = np.tile([np.log(0.2), np.log(0.8), -5.0, 5.0, np.log(0.5), np.log(1.5)], (20_000, 1))
    mixture = Mixture(tf.constant(outputs, tf.float32), 2, 1)
    drawn = mixture.draw(tf.constant([1, 2]), tf.constant(1.0)).numpy()[:, 0]
    low, high = drawn[drawn < 0], drawn[drawn > 0]
    assert len(low) / len(drawn) == pytest.approx(0.2, abs=0.02)
    assert (low.mean(), low.std()) == pytest.approx((-5.0, 0.5), abs=0.05)
    assert (high.mean(), high.std()) == pytest.approx((5.0, 1.5), abs=0.05)
    likeliest = mixture.draw(tf.constant([1, 2]), tf.constant(0.0)).numpy()
    assert (likeliest == 5.0).all()


# --- learning ----------------------------------------------------------------------------------


def moving_sinusoids(clips, frames, seed):
    """Sinusoids over the 631 bins that move by 1.5 bins a frame, each from its own phase."""
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (clips, 1, 1))
    bins, times = np.arange(631)[:, None], np.arange(frames)
    waves = 0.5 + 0.4 * np.sin(2 * np.pi * (bins - 1.5 * times) / 70 + phases)
    return np.rint(255 * waves).astype(np.uint8)


@pytest.mark.slow
def test_a_moving_sinusoid_is_learned_and_continued():
    model = build_lstm(layers=1, units=96, truth=0.8)
    schedule = keras.optimizers.schedules.CosineDecay(5e-3, 150)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    clips = moving_sinusoids(12, 50, seed=0)

    @tf.function(jit_compile=True)
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model.losses_of(clips, True))
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)

    for _ in range(150):
        step()
    # Phases that were not learned, for twice as long as what was.
    unseen = moving_sinusoids(8, 100, seed=1)
    error = np.sqrt(squared_error(follow(model, unseen[:, :, 0] / 255, 99), unseen))
    mean = np.sqrt(squared_error(np.full((8, 631, 99), 0.5), unseen))
    assert error.max() < 0.1
    assert mean.min() > 0.28


SMALL = LSTMSettings(layers=1, units=6, truth=0.5, noise=0.1, rank=4)


@pytest.mark.slow
def test_stopped_and_continued_is_undisturbed(tiny_dataset, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for step in fit(whole, LSTM, tiny_dataset, Training(2, batch_size=10), SMALL):
        if step.history is not None and step.epoch == 1:
            shutil.copytree(whole, stopped)  # as a kill between two epochs would leave it
    assert run_to_end(stopped, tiny_dataset, 2, LSTM, SMALL, batch_size=10)
    assert_same_run(stopped, whole)
