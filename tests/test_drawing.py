"""What an LSTM draws on from a first frame, and how it becomes sound."""

import numpy as np
import pytest
from lively import as_keras, lively

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.generation.drawing import (
    drawing_to_sound,
    first_frame,
    follow,
    generate,
    save_drawing,
)
from lildata_utils.networks.settings import READINGS
from lildata_utils.sound import audio
from lildata_utils.sound.pictures import read_picture


def next_input(reading, drawn, first):
    return {"fed_back": drawn, "repeated": first, "zeros": np.zeros_like(first)}[reading]


@pytest.mark.parametrize("reading", READINGS)
def test_one_loop_equals_prediction_on_the_growing_sequence(frames, reading):
    model = lively(reading=reading)
    keras_own = as_keras(model)
    first = frames[:, :1]
    inputs, drawn = first, []
    for _ in range(15):
        drawn.append(np.asarray(keras_own(inputs))[:, -1:])
        inputs = np.concatenate([inputs, next_input(reading, drawn[-1], first)], axis=1)
    expected = np.concatenate(drawn, axis=1).swapaxes(1, 2)
    assert np.ptp(expected, axis=2).max() > 0.1  # it moves
    np.testing.assert_allclose(follow(model, frames[:, 0], 15), expected, atol=1e-5)


def test_batches_equal_singles(frames):
    model = lively()
    together = follow(model, frames[:, 0], 30)
    for number in range(len(frames)):
        single = follow(model, frames[number : number + 1, 0], 30)[0]
        np.testing.assert_allclose(single, together[number], atol=1e-4)


def test_what_is_fed_back_has_the_rank_of_its_units(frames):
    drawn = follow(lively(units=8), frames[:, 0], 100)
    assert [np.linalg.matrix_rank(picture, tol=1e-3) for picture in drawn] == [9, 9, 9]


def test_generate_gives_images_that_begin_with_the_frame(strips):
    model = lively()
    drawn = generate(model, strips[:, :, 0], 25)
    assert drawn.shape == (3, 631, 26)
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn[:, :, 0], strips[:, :, 0])
    exact = 255 * follow(model, strips[:, :, 0] / 255, 25)
    np.testing.assert_allclose(drawn[:, :, 1:], np.clip(exact, 0, 255), atol=0.5001)


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((631,), {}, r"shape \(631,\); expected \(clips, 631\)"),
        ((2, 630), {}, r"shape \(2, 630\)"),
        ((2, 631), {"n_frames": 0}, "0 frames"),
        ((2, 631), {"temperature": -1.0}, "temperature -1.0"),
    ],
)
def test_wrong_frames_are_told(shape, options, words):
    with pytest.raises(LilDataError, match=words):
        follow(lively(), np.zeros(shape), **options)


def test_the_seed_decides_what_a_mixture_draws(strips):
    model = lively(rank=6, mixtures=3)
    first, same, other = (generate(model, strips[:, :, 0], 10, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_saved_and_loaded_draws_the_same(tmp_path, strips):
    model = lively(rank=6, mixtures=3)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(
        generate(loaded, strips[:, :, 0], 10), generate(model, strips[:, :, 0], 10)
    )


def test_what_is_saved_can_be_heard_and_seen(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (631, 30), dtype=np.uint8)
    sound = drawing_to_sound(image, iterations=2)
    assert sound.shape == (29 * 175,)
    assert np.abs(sound).max() == pytest.approx(0.5)
    save_drawing(tmp_path / "drawn.wav", image, sound)
    np.testing.assert_array_equal(read_picture(tmp_path / "drawn.png"), image)
    np.testing.assert_allclose(audio.read(tmp_path / "drawn.wav"), sound, atol=1e-4)
    with pytest.raises(LilDataError, match="also an input: choose another name"):
        save_drawing(tmp_path / "drawn.wav", image, sound, start=str(tmp_path / "drawn.wav"))


def test_a_drawing_starts_from_silence_a_clip_or_a_file(own_dataset, tmp_path):
    assert not first_frame(None).any()
    clip = own_dataset.clips.iloc[20]
    expected = own_dataset.images([20])[0, :, 0]
    np.testing.assert_array_equal(first_frame(clip["id"], own_dataset.folder), expected)
    with pytest.raises(LilDataError, match=r"no clip 'x': the ids stand in .*clips\.csv"):
        first_frame("x", own_dataset.folder)

    tone = np.sin(2 * np.pi * 1750 * np.arange(7 * 22_050) / 22_050)  # bin 100
    audio.write(tmp_path / "tone.wav", np.where(np.arange(len(tone)) < 22_050, 0, 0.5 * tone))
    frames = [first_frame(str(tmp_path / "tone.wav"), start_s=at) for at in (0.0, 1.5)]
    assert not frames[0].any()
    assert frames[1].argmax() == 100
