"""The recipes: one for each network whose settings there are."""

import pytest
from thin import thin_resnet50

from lildata_utils.learning.recipes import RECIPES
from lildata_utils.networks.settings import CLASSIFIERS, SETTINGS, TAKE_STORED


def test_there_is_a_recipe_for_every_networks_settings():
    assert list(RECIPES) == list(SETTINGS)
    assert all(RECIPES[name].settings is kind for name, kind in SETTINGS.items())


@pytest.mark.parametrize("name", SETTINGS)
def test_a_recipe_builds_its_network_with_as_many_answers_as_genres(name, monkeypatch):
    thin_resnet50(monkeypatch)
    built = RECIPES[name].build(5, SETTINGS[name](), 0)
    assert (name in CLASSIFIERS) == (built.name != "spectrogram_lstm")
    if name in CLASSIFIERS:
        assert built.input_shape == (None, 631, 631, 1)[: 3 if name in TAKE_STORED else 4]
        assert built.output_shape == (None, 5)
