import base64
import html
import io
import json
import re

import numpy as np
import PIL.Image
import pytest
import soundfile

from lildata_utils.show.players import SpectrogramPlayer, listen
from lildata_utils.sound import spectrogram

NOISE = 0.3 * np.random.default_rng(0).standard_normal(110_250).astype(np.float32)


def tone(level: float) -> np.ndarray:
    return level * np.sin(2 * np.pi * 1750 * np.arange(110_250) / 22_050)


def picture(data: bytes) -> np.ndarray:
    """What a PNG holds, with 0 Hz in row 0 again."""
    return np.asarray(PIL.Image.open(io.BytesIO(data)))[::-1]


def sound(data: bytes) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(data))
    assert rate == 22_050
    return samples


def inlined(text: str, kind: str) -> bytes:
    [found] = re.findall(rf'src="data:{kind};base64,([^"]+)"', text)
    return base64.b64decode(found)


@pytest.fixture(scope="module")
def player():
    return SpectrogramPlayer(NOISE, "noise")


def test_the_picture_is_exactly_what_the_network_sees(player):
    image, _ = spectrogram.to_image(NOISE)
    assert image.shape == (631, 631)
    np.testing.assert_array_equal(picture(player.picture), image)


def test_the_sound_keeps_its_level_and_is_turned_down_only_above_full_scale():
    for level, heard in ((0.2, 0.2), (1.0, 1.0), (4.0, 1.0)):
        samples = sound(SpectrogramPlayer(tone(level)).sound)
        amplitude = np.sqrt(2) * samples[20_000:90_000].std()  # without MP3's ringing at the ends
        assert amplitude == pytest.approx(heard, rel=0.05)
        assert len(samples) == pytest.approx(110_250, abs=2000)


def test_a_network_s_picture_may_differ_from_the_sound_in_values_and_in_width():
    image = np.random.default_rng(1).integers(0, 256, (631, 630), dtype=np.uint8)
    player = SpectrogramPlayer(NOISE, image=image)
    np.testing.assert_array_equal(picture(player.picture), image)


def test_show_replaces_what_it_is_given_and_leaves_the_rest():
    player = SpectrogramPlayer(NOISE, "noise")
    before = player.sound
    image = np.full((631, 631), 7, np.uint8)
    player.show(image=image)
    assert (player.title, player.sound) == ("noise", before)
    np.testing.assert_array_equal(picture(player.picture), image)

    player.show(tone(0.5), title="a tone")
    assert player.title == "a tone"
    assert player.sound != before
    assert picture(player.picture).max(axis=1).argmax() == 100  # 1750 Hz / 17.5 Hz


def test_the_scales_are_those_of_the_course(player):
    assert player.scales["frame_s"] == pytest.approx(175 / 22_050)
    assert (player.scales["top_hz"], player.scales["floor_db"]) == (11_025, -80)
    colours = re.findall("[0-9a-f]{6}", player.scales["colours"])
    assert len(set(colours)) == 256
    assert (colours[0], colours[-1]) == ("000003", "fbfcbf")  # the ends of magma


def test_silence_is_black_and_silent():
    player = SpectrogramPlayer(np.zeros(110_250))
    assert picture(player.picture).max() == 0
    assert np.abs(sound(player.sound)).max() < 1e-3


@pytest.mark.parametrize("waveform", [NOISE[None], 0.5])
def test_a_waveform_that_is_no_row_of_samples_is_refused(waveform):
    with pytest.raises(ValueError, match=r"\(samples,\)"):
        SpectrogramPlayer(waveform)


@pytest.mark.parametrize("image", [np.zeros((631, 631)), np.zeros((2, 631, 631), np.uint8)])
def test_an_image_that_is_none_is_refused(image):
    with pytest.raises(ValueError, match="uint8"):
        SpectrogramPlayer(NOISE, image=image)


def test_an_output_carries_the_widget_and_a_page(player):
    data, _ = player._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == player.model_id
    assert data["text/plain"] == "SpectrogramPlayer('noise')"
    assert data["text/html"] == player.page().data


def test_the_page_holds_everything_that_it_needs(player):
    text = player.page().data
    assert inlined(text, "image/png") == player.picture
    assert inlined(text, "audio/mpeg") == player.sound
    [scales] = re.findall(r'data-scales="([^"]+)"', text)
    assert json.loads(html.unescape(scales)) == player.scales
    assert "http" not in text
    assert not re.search(r"^import|import\(", text, re.MULTILINE)
    assert text.count("</script") == 1


def test_the_page_escapes_its_title():
    text = SpectrogramPlayer(NOISE, '<script>alert("1")</script>').page().data
    assert text.count("<script") == 1
    assert "&lt;script&gt;" in text


def test_a_page_is_light(player):
    # White noise is the worst case: no picture has more to tell.
    assert len(player.page().data) < 500_000
    assert len(SpectrogramPlayer(tone(0.5)).page().data) < 100_000


def decoded(shown) -> list[np.ndarray]:
    data = re.findall(r"base64,([^\"]+)", shown.data)
    return [soundfile.read(io.BytesIO(base64.b64decode(part)))[0] for part in data]


def one_second(level: float) -> np.ndarray:
    return level * np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)


def test_players_keep_the_levels_and_the_names():
    shown = listen({"loud": one_second(0.8), "quiet <b>": one_second(0.2)})
    loud, quiet = (np.abs(sound).max() for sound in decoded(shown))
    assert loud / quiet == pytest.approx(4, rel=0.1)
    assert loud == pytest.approx(0.8, rel=0.1)
    assert "quiet &lt;b&gt;" in shown.data


def test_too_loud_sounds_turn_all_down_alike():
    loud, quiet = (
        np.abs(sound).max() for sound in decoded(listen({"a": one_second(4), "b": one_second(1)}))
    )
    assert loud <= 1.05
    assert loud / quiet == pytest.approx(4, rel=0.1)


def test_five_seconds_are_small():
    noise = 0.3 * np.random.default_rng(0).standard_normal(5 * 22050)
    assert len(listen({"noise": noise}).data) < 60_000
