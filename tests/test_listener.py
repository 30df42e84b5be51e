"""The listener: what it hears, how it learns, and from where it may start."""

from dataclasses import replace

import librosa
import numpy as np
import pytest
from trainings import assert_same_run, run_to_end

from lildata_utils.backend import keras, tf
from lildata_utils.clips.dataset import load
from lildata_utils.clips.prepare import prepare
from lildata_utils.clips.splits import fold_clips
from lildata_utils.crate import lessons
from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.composing import compose
from lildata_utils.crate.patterns import NOTE_NAMES
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.learning import augmentation
from lildata_utils.learning import lessons as teaching
from lildata_utils.learning.fit import fit
from lildata_utils.learning.recipes import LISTENER
from lildata_utils.learning.runs import load_run, read_history
from lildata_utils.learning.settings import Training
from lildata_utils.networks.listener import FRAMES, N_BANDS, build_listener
from lildata_utils.networks.settings import CHANGES, ListenerSettings
from lildata_utils.sound.spectrogram import N_FFT, SAMPLE_RATE, STEP_DB

SMALL = ListenerSettings(filters=(4, 6), start="random")
SEED = np.array([3, 4], np.int32)


@pytest.fixture(scope="module")
def bands():
    rng = np.random.default_rng(0)
    return tf.constant(rng.normal(-40, 12, (6, FRAMES, N_BANDS)).astype(np.float32))


@pytest.fixture(scope="module")
def listening(tiny_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("listening") / "run"
    run_to_end(folder, tiny_dataset, epochs=2, recipe=LISTENER, settings=SMALL)
    return folder


def test_its_bands_are_those_of_librosa(images):
    model = build_listener(3, SMALL)
    hears = keras.Model(model.inputs, model.get_layer("decibels").output)
    heard = hears(images.astype(np.float32)).numpy()
    power = 10 ** ((images.astype(float) - 255) * STEP_DB / 10)
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_BANDS)
    filters /= filters.sum(axis=1, keepdims=True)
    pooled = power[:, :, : 4 * FRAMES].reshape(len(images), 631, FRAMES, 4).mean(axis=3)
    expected = 10 * np.log10(filters @ pooled + 1e-8)
    np.testing.assert_allclose(heard, expected.swapaxes(1, 2), atol=0.01)


def test_it_has_the_promised_size():
    learning = sum(
        np.prod(w.shape)
        for w in build_listener(8, ListenerSettings(start="random")).trainable_weights
    )
    assert 2e5 < learning < 5e5


def test_where_a_sound_is_in_a_clip_makes_no_difference():
    # An attack that lies a whole number of cells later, with silence around.
    model = build_listener(4, SMALL, seed=2)
    clips = np.zeros((2, 631, 631), np.float32)
    clips[0, :, 160:240] = 200
    clips[1, :, 320:400] = 200
    first, second = model.predict(clips, verbose=0)
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_it_starts_from_another_and_names_what_does_not_fit(listening, tmp_path):
    there = load_run(listening).model
    started = build_listener(5, ListenerSettings(filters=(4, 6), start=str(listening)))
    kernel = started.get_layer("stem").kernel
    np.testing.assert_array_equal(kernel, there.get_layer("stem").kernel)
    assert started.output_shape == (None, 5)
    # It only learns to name.
    learning = {weight.path.split("/")[0] for weight in started.trainable_weights}
    assert learning == {"heard_norm", "genre"}
    with pytest.raises(LilDataError, match=r"can't start a listener.*same filters"):
        build_listener(5, ListenerSettings(filters=(8, 6), start=str(listening)))
    with pytest.raises(LilDataError, match="nowhere can't start a listener"):
        build_listener(5, ListenerSettings(filters=(4, 6), start=str(tmp_path / "nowhere")))


def test_it_learns_and_resumes_exactly(listening, tiny_dataset, tmp_path):
    steps = fit(tmp_path / "run", LISTENER, tiny_dataset, Training(2, batch_size=8), SMALL)
    assert next(s for s in steps if s.history is not None)
    steps.close()
    run_to_end(tmp_path / "run", tiny_dataset, epochs=2, recipe=LISTENER, settings=SMALL)
    assert_same_run(listening, tmp_path / "run")
    history = load_run(listening).history
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_what_is_kept_are_the_averaged_weights_of_the_last_epoch(listening):
    kept = load_run(listening).model.get_layer("stem").kernel.numpy()
    with np.load(listening / "checkpoint.npz") as arrays:
        of_its_shape = [a for a in arrays.values() if a.shape == kept.shape]
    same = [np.array_equal(kept, one) for one in of_its_shape]
    # Among the weights themselves, the optimizer's two moments and the averages: the averages.
    assert len(same) == 4 and not same[0] and sum(same) == 1


def test_a_started_one_learns_from_what_it_heard_once(listening, tiny_dataset, tmp_path):
    settings = ListenerSettings(filters=(4, 6), start=str(listening))
    run_to_end(tmp_path / "run", tiny_dataset, epochs=3, recipe=LISTENER, settings=settings)
    before, after = (load_run(folder).model for folder in (listening, tmp_path / "run"))
    kernels = [model.get_layer("stem").kernel for model in (before, after)]
    np.testing.assert_array_equal(*kernels)
    assert not np.array_equal(before.get_layer("genre").kernel, after.get_layer("genre").kernel)


# --- lessons -----------------------------------------------------------------------------------


def test_lessons_say_what_the_track_says():
    track = compose("house", 3, duration_s=20.0)
    row = lessons.lessons(track, 5.0, 5.0)
    assert row.shape == (lessons.COLUMNS,)
    step = np.log2(track.tempo_bpm / lessons.SLOWEST_BPM) * lessons.TEMPOS_AN_OCTAVE
    assert row[lessons.TEMPO] == int(step)
    assert NOTE_NAMES[int(row[lessons.ROOT])] == track.key.split()[0]
    # Every kick of these five seconds, counted by hand.
    start, end = (s * track.beats_per_second for s in (5.0, 10.0))
    kicks = sum(
        start <= event.beat < end and event.what == "kick"
        for layer in track.layers
        if layer.part == "drums"
        for event in layer.events
    )
    assert row[lessons.HITS][0] * (end - start) == pytest.approx(kicks, abs=1e-3)
    assert row[lessons.NOTES].max() == pytest.approx(1)


def test_noise_has_neither_tempo_nor_key():
    row = lessons.lessons(compose("noise", 0, duration_s=10.0), 0.0, 5.0)
    assert (row[[lessons.TEMPO, lessons.ROOT, lessons.MINOR]] == lessons.NOTHING).all()


def test_a_student_learns_lessons_and_a_listener_starts_from_it(tmp_path):
    collection = Collection(tracks=4, duration_s=10.0, genres=("house", "noise"))
    for _ in write_collection(tmp_path / "music", collection):
        pass
    for _ in prepare(tmp_path / "music", tmp_path / "dataset"):
        pass
    clips = load(tmp_path / "dataset")
    taught = teaching.with_lessons(clips, collection)
    assert taught.lessons.shape == (16, 2 + lessons.COLUMNS)
    assert (taught.select("train").lessons[:, 0] == taught.select("train").labels).all()
    settings = replace(teaching.SETTINGS, filters=(4, 6))
    student = teaching.student_of(taught)
    run_to_end(tmp_path / "student", taught, recipe=student, settings=settings)
    losses = read_history(tmp_path / "student")["loss"]
    assert losses.iloc[-1] < losses.iloc[0]
    started = ListenerSettings(filters=(4, 6), start=str(tmp_path / "student"))
    run_to_end(tmp_path / "run", clips, epochs=1, recipe=LISTENER, settings=started)
    assert load_run(tmp_path / "run").model.output_shape == (None, 2)


# --- augmentation ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "mixup"])
def test_a_change_is_drawn_from_its_seed(bands, name):
    change = augmentation._CHANGES[name]
    once, again = change(bands, SEED).numpy(), change(bands, SEED).numpy()
    other = change(bands, SEED + 1).numpy()
    assert once.shape == bands.shape and np.isfinite(once).all()
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other) and not np.array_equal(once, bands)


def test_roll_only_moves_frames(bands):
    rolled = augmentation.roll(bands, SEED).numpy()
    for before, after in zip(bands.numpy(), rolled, strict=True):
        by = next(k for k in range(FRAMES) if np.array_equal(np.roll(before, -k, axis=0), after))
        assert 0 <= by < FRAMES


def test_equaliser_is_the_same_at_all_times(bands):
    added = (augmentation.equalise(bands, SEED) - bands).numpy()
    assert np.ptp(added, axis=1).max() < 1e-3
    assert 1 < np.abs(added).max() < augmentation.LEVEL_DB + 3 * augmentation.EQUALISER_DB


def test_noise_adds_power_and_limits_take_it(bands):
    assert (augmentation.add_noise(bands, SEED) - bands).numpy().min() > -1e-4
    limited = augmentation.limit(bands, SEED).numpy()
    changed = limited != bands.numpy()
    assert changed.any() and (limited[changed] == augmentation.QUIET_DB).all()


def test_masks_hide_at_most_what_they_may(bands):
    hidden = (augmentation.mask(bands, SEED) != bands).numpy().mean(axis=(1, 2))
    most = 2 * augmentation.MASKED_FRAMES / FRAMES + 2 * augmentation.MASKED_BANDS / N_BANDS
    assert hidden.mean() > 0 and hidden.max() <= most


def test_mixed_clips_say_of_what_they_are(bands):
    labels = tf.range(6, dtype=tf.int64)
    mixed, (first, second, own) = augmentation.mix(bands, labels, SEED)
    assert own.numpy().min() >= 0.5 and (first.numpy() == labels.numpy()).all()
    weight = own.numpy()[:, None, None]
    others = bands.numpy()[second.numpy()]
    np.testing.assert_allclose(mixed, weight * bands.numpy() + (1 - weight) * others, rtol=1e-5)


def test_no_change_at_all_can_be_asked_for(bands):
    labels = tf.range(6, dtype=tf.int64)
    none = ListenerSettings(changes=("none",))
    same, (first, second, own) = augmentation.augment(bands, labels, SEED, none)
    np.testing.assert_array_equal(same, bands)
    assert (own.numpy() == 1).all() and (first.numpy() == second.numpy()).all()


# --- folds -------------------------------------------------------------------------------------


def test_folds_test_every_track_once(tiny_dataset):
    tested = [fold_clips(tiny_dataset.clips, fold, 3, seed=1) == "test" for fold in range(3)]
    assert (np.sum(tested, axis=0) == 1).all()
    for fold in tested:
        by_track = fold.groupby(tiny_dataset.clips["track"]).nunique()
        assert (by_track == 1).all()
    again = fold_clips(tiny_dataset.clips, 0, 3, seed=1) == "test"
    assert (again == tested[0]).all()
