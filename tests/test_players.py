import base64
import io
import re

import numpy as np
import pytest
import soundfile

from lildata_utils.show.players import listen


def decoded(shown) -> list[np.ndarray]:
    data = re.findall(r"base64,([^\"]+)", shown.data)
    return [soundfile.read(io.BytesIO(base64.b64decode(part)))[0] for part in data]


def tone(level: float) -> np.ndarray:
    return level * np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)


def test_players_keep_the_levels_and_the_names():
    shown = listen({"loud": tone(0.8), "quiet <b>": tone(0.2)})
    loud, quiet = (np.abs(sound).max() for sound in decoded(shown))
    assert loud / quiet == pytest.approx(4, rel=0.1)
    assert loud == pytest.approx(0.8, rel=0.1)
    assert "quiet &lt;b&gt;" in shown.data


def test_too_loud_sounds_turn_all_down_alike():
    loud, quiet = (np.abs(sound).max() for sound in decoded(listen({"a": tone(4), "b": tone(1)})))
    assert loud <= 1.05
    assert loud / quiet == pytest.approx(4, rel=0.1)


def test_five_seconds_are_small():
    noise = 0.3 * np.random.default_rng(0).standard_normal(5 * 22050)
    assert len(listen({"noise": noise}).data) < 60_000
