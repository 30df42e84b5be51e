"""What is drawn, against bounds, trivial answers and real sound."""

import numpy as np
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.generation import measures
from lildata_utils.generation.drawing import follow
from lildata_utils.generation.measures import best_of_rank, directions, numerical_rank
from lildata_utils.networks.lstm import build_lstm
from lildata_utils.networks.settings import LSTMSettings

RATE = 22_050


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).random((631, 40)).astype(np.float32)


def test_the_best_picture_of_a_rank_leaves_the_other_singular_values(picture):
    sizes = np.linalg.svd(picture, compute_uv=False)
    for rank in (0, 1, 7):
        closest = best_of_rank(picture, rank)
        assert numerical_rank(closest) == rank or rank == 0
        rest = np.linalg.norm(picture - closest)
        assert rest == pytest.approx(np.linalg.norm(sizes[rank:]), rel=1e-4)
    np.testing.assert_allclose(best_of_rank(picture, 40), picture, atol=1e-5)


def test_shared_shapes_draw_what_they_know_and_not_what_they_do_not(tiny_dataset, picture):
    train = tiny_dataset.select("train").at_most(train=1)
    known = train.images() / np.float32(255)
    errors = [
        ((measures.with_shared_shapes(known, train, shapes) - known) ** 2).mean()
        for shapes in (1, 50, 631)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] == pytest.approx(0, abs=1e-6)
    # One clip's own shapes, with its own average: hardly better than its best of rank 51.
    own = ((measures.best_of_rank(known[0], 51) - known[0]) ** 2).mean()
    assert own <= errors[1] < 1.05 * own
    unknown = measures.with_shared_shapes(picture[None], train, 50)
    assert ((unknown - picture) ** 2).mean() > 1.05 * errors[1]


def test_no_lstm_draws_better_than_the_bound(picture):
    model = build_lstm(LSTMSettings(layers=1, units=3))
    drawn = follow(model, picture[None, :, 0], 39)[0]
    assert numerical_rank(drawn) <= 4
    best = best_of_rank(picture[:, 1:], 4)
    assert ((drawn - picture[:, 1:]) ** 2).mean() >= ((best - picture[:, 1:]) ** 2).mean()


def test_directions_count_what_moves():
    times = np.arange(50)
    base = np.random.default_rng(1).random((631, 3))
    still = np.repeat(base[:, :1], 50, axis=1)
    one = still + np.outer(base[:, 1], np.sin(times))
    assert [directions(still), directions(one)] == [0, 1]
    assert directions(one + 0.01 * np.outer(base[:, 2], np.cos(3 * times))) == 1
    assert directions(one + np.outer(base[:, 2], np.cos(3 * times))) == 2


def test_convergence_is_that_of_the_magnitudes():
    # 6.02 dB more are twice the magnitude everywhere: an error as large as the real one.
    real = np.full((631, 10), 0.5)
    louder = real + 20 * np.log10(2) / 80
    assert measures.convergence_db(louder, real) == pytest.approx(0.0, abs=0.01)
    assert measures.convergence_db(np.zeros_like(real), real) == pytest.approx(0.0, abs=0.01)
    assert measures.convergence_db(real, real) == pytest.approx(-120.0)


def test_a_drone_is_described_as_one(picture):
    mean_frame = picture.mean(axis=1)
    drone = np.repeat(mean_frame[:, None], 40, axis=1)
    described = measures.describe_picture(drone, picture, mean_frame)
    assert described["movement"] == pytest.approx(0, abs=1e-6)
    assert described["from the mean"] == pytest.approx(0, abs=1e-6)
    assert described["directions"] == 0
    assert described["error"] == pytest.approx(picture.var(axis=1).mean(), rel=1e-3)
    real = measures.describe_picture(picture, picture, mean_frame)
    assert real["error"] == 0
    assert real["movement"] == pytest.approx(picture.std(axis=1).mean(), rel=1e-5)


def test_a_table_has_the_means_of_its_clips(picture):
    real = np.stack([picture, picture**2])
    drawn = np.zeros_like(real)
    table = measures.picture_table({"nothing": drawn}, real, picture.mean(axis=1))
    assert list(table.index) == ["real", "nothing"]
    assert table.loc["nothing", "error"] == pytest.approx((real**2).mean(), rel=1e-5)
    assert table.loc["real", "error"] == table.loc["nothing", "movement"] == 0


def test_baselines_are_what_they_say():
    train = np.random.default_rng(2).integers(0, 256, (4, 631, 12), dtype=np.uint8)
    first = train[[2, 0], :, 0] / 255 + 0.001
    drawn = measures.baselines(first, train, 11)
    np.testing.assert_allclose(drawn["repeat the frame"][0, :, 5], first[0], rtol=1e-5)
    np.testing.assert_allclose(
        drawn["mean spectrogram"][1], train[:, :, 1:].mean(axis=0) / 255, rtol=1e-4
    )
    np.testing.assert_allclose(drawn["nearest clip"], train[[2, 0], :, 1:] / 255, rtol=1e-5)


def test_horizon_errors_start_equal_and_end_with_the_free_runs_own():
    model = build_lstm(LSTMSettings(layers=1, units=4))
    images = np.random.default_rng(3).integers(0, 256, (3, 631, 20), dtype=np.uint8)
    table = measures.horizon_errors(model, images, horizons=(1, 5, 19))
    assert table.loc[1, "teacher-forced"] == pytest.approx(table.loc[1, "free-running"], rel=1e-4)
    real = images / 255
    free = follow(model, real[:, :, 0], 19)
    assert table.loc[19, "free-running"] == pytest.approx(((free - real[:, :, 1:]) ** 2).mean())
    repeated = ((real[:, :, :5] - real[:, :, 1:6]) ** 2).mean()
    assert table.loc[5, "last frame again"] == pytest.approx(repeated)


def tones(seed):
    rng = np.random.default_rng(seed)
    times = np.arange(2 * RATE) / RATE
    tone = sum(np.sin(2 * np.pi * hz * times) for hz in rng.uniform(300, 2000, 3))
    return tone * (1 + np.sin(2 * np.pi * rng.uniform(1, 4) * times)) + 0.01 * rng.standard_normal(
        len(times)
    )


def test_real_sounds_are_near_and_noise_is_far():
    real = [tones(seed) for seed in range(14)]
    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    table = measures.sound_table({"real": real, "noise": [noise]}, real)
    # The mean of squared distances is d (n - 1) / n, exactly.
    assert 1 < table.loc["real", "distance"] < np.sqrt(6)
    assert table.loc["noise", "distance"] > 7
    with pytest.raises(LilDataError, match="3 real clips for 6 measures: expected at least 12"):
        measures.sound_table({"noise": [noise]}, real[:3])


def test_shuffled_frames_are_the_same_frames(picture):
    other = measures.shuffled(picture, seed=1)
    assert not np.array_equal(other, picture)
    np.testing.assert_array_equal(np.sort(other, axis=1), np.sort(picture, axis=1))
