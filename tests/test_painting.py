"""A painting, step by step: what it starts from, what lowers its costs, and what it refuses."""

import numpy as np
import pytest
from paintings import SIDE, SMALL, random_vgg19, small_network, two_pictures

from lildata_utils.errors import LilDataError
from lildata_utils.transfer.painting import paint
from lildata_utils.transfer.settings import Painting


@pytest.fixture(scope="module")
def network():
    return small_network()


@pytest.fixture(scope="module")
def pictures():
    return two_pictures()


def painted(content, style, network, **settings):
    return list(paint(content, style, network, Painting(**settings)))


def test_the_first_step_is_the_start(network, pictures):
    for start, image in zip(("content", "style"), pictures, strict=True):
        (step,) = painted(*pictures, network, iterations=0, start=start)
        np.testing.assert_array_equal(step.image, image)
        assert step.image.dtype == np.float32
        assert (step.number, step.iterations) == (0, 0)
        assert (step.content_cost == 0) == (start == "content")
        assert (step.style_cost == 0) == (start == "style")
    starts = [
        painted(*pictures, network, iterations=0, start="noise", seed=seed)[-1].image
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(starts[0], starts[1])
    assert np.abs(starts[0] - starts[2]).mean() > 50
    assert abs(starts[0].mean() - 127.5) < 5


def test_costs_of_a_step_belong_to_its_picture(network, pictures):
    step = painted(*pictures, network, alpha=3, beta=7, iterations=4)[-1]
    looks = [network.look(picture) for picture in (*pictures, step.image)]
    expected = network.costs(*looks, 3, 7)
    found = (step.content_cost, step.style_cost, step.total_cost)
    np.testing.assert_allclose(found, [float(cost) for cost in expected], rtol=1e-5)


@pytest.mark.parametrize(("start", "share"), [("content", 0.7), ("noise", 0.7), ("style", 0.95)])
def test_painting_lowers_the_total_cost(network, pictures, start, share):
    steps = painted(*pictures, network, iterations=20, start=start)
    assert [step.number for step in steps] == list(range(21))
    assert {step.iterations for step in steps} == {20}
    assert steps[20].total_cost < share * steps[0].total_cost
    for step in steps:
        assert step.image.min() >= 0
        assert step.image.max() <= 255


def test_where_content_and_style_are_the_same_nothing_moves(network, pictures):
    content, _ = pictures
    for step in painted(content, content, network, iterations=3):
        assert step.total_cost == step.content_cost == step.style_cost == 0
        np.testing.assert_array_equal(step.image, content)


def test_without_beta_the_content_stays_and_without_alpha_it_does_not_count(network, pictures):
    content, style = pictures
    step = painted(content, style, network, beta=0, iterations=3)[-1]
    np.testing.assert_array_equal(step.image, content)
    step = painted(content, style, network, alpha=0, iterations=3, start="style")[-1]
    np.testing.assert_array_equal(step.image, style)
    ends = [
        painted(any_content, style, network, alpha=0, iterations=3, start="noise")[-1]
        for any_content in (content, style)
    ]
    np.testing.assert_array_equal(ends[0].image, ends[1].image)


def test_the_step_size_is_in_grey_levels(network, pictures):
    content = np.full((SIDE, SIDE), 128, np.uint8)
    for size in (0.5, 4.0):
        first = painted(content, pictures[1], network, iterations=1, step_size=size)[1]
        assert np.abs(first.image - content).max() == pytest.approx(size, rel=1e-3)


def test_bounds_hold_where_steps_are_large(network, pictures):
    step = painted(*pictures, network, iterations=3, step_size=200.0)[-1]
    assert (step.image == 0).any()
    assert (step.image == 255).any()


def test_same_seed_same_pictures(network, pictures):
    runs = [
        [step.image for step in painted(*pictures, net, iterations=5, start="noise", seed=3)]
        for net in (network, network, small_network())
    ]
    for images in zip(*runs, strict=True):
        np.testing.assert_array_equal(images[0], images[1])
        np.testing.assert_array_equal(images[0], images[2])


def test_a_slider_compiles_nothing(pictures):
    network = small_network()
    network.warm_up((SIDE, SIDE))
    for settings in (
        {},
        {"alpha": 1.0, "beta": 2.0, "iterations": 2, "step_size": 1.0},
        {"alpha": 7, "beta": 1e-3, "iterations": 3, "step_size": 0.3},
        {"alpha": 0, "beta": 1, "iterations": 1, "step_size": 3},
    ):
        painted(*pictures, network, **settings)
    counts = [f.experimental_get_tracing_count() for f in (network._look, network._gradient)]
    assert counts == [1, 1]


def test_presets_are_the_defaults(network, pictures):
    steps = list(paint(*pictures, network))
    assert len(steps) == SMALL.early_stop + 1
    step = steps[-1]
    assert step.total_cost == pytest.approx(50 * step.content_cost + 500 * step.style_cost)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"start": "middle"}, "start must be one of content, style, noise, got 'middle'"),
        ({"alpha": -1.0}, "alpha must be at least 0 and below"),
        ({"beta": float("nan")}, "beta must be at least 0 and below"),
        ({"beta": 1e12}, "beta must be at least 0 and below"),
        ({"iterations": -1}, "iterations must be from 0 to"),
        ({"step_size": 0.0}, "step_size must be at most 255 and above 0"),
        ({"step_size": float("inf")}, "step_size must be at most 255 and above 0"),
        ({"seed": -1}, "seed must be from 0 to"),
    ],
)
def test_settings_that_can_not_be_are_refused(settings, told):
    with pytest.raises(LilDataError, match=told):
        Painting(**settings)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"style": np.zeros((SIDE, SIDE + 1), np.uint8)}, "must be equal"),
        ({"style": np.zeros((SIDE, SIDE))}, "of float64; expected a spectrogram"),
        ({"content": np.zeros((1, SIDE, SIDE), np.uint8)}, "the content has shape"),
        ({"content": np.zeros((SIDE, 20), np.uint8)}, "at least 64"),
        ({"settings": Painting(alpha=0, beta=0)}, "alpha and beta are both 0"),
    ],
)
def test_what_can_not_be_painted_is_refused(network, pictures, changes, told):
    content, style = pictures
    with pytest.raises(LilDataError, match=told):
        next(paint(**{"content": content, "style": style, "network": network} | changes))


def test_vgg19_transfers_and_stops_at_its_last_layer(pictures):
    vgg19 = random_vgg19("float32")
    assert vgg19.extractor.layers[-1].name == "block5_conv1"
    first, *_, end = painted(*pictures, vgg19, iterations=3)
    assert end.total_cost < first.total_cost


@pytest.mark.slow
def test_bfloat16_transfers_to_the_same_picture(pictures):
    dtypes = ("float32", "bfloat16")
    ends = [painted(*pictures, random_vgg19(dtype), iterations=10)[-1] for dtype in dtypes]
    costs = [end.total_cost for end in ends]
    assert costs[1] == pytest.approx(costs[0], rel=0.02)
    assert ends[1].image.mean() == pytest.approx(ends[0].image.mean(), abs=0.3)
    moved = np.abs(ends[0].image - pictures[0]).mean()
    assert np.abs(ends[1].image - ends[0].image).mean() < 0.2 * moved
