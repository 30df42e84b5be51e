import html
import io
import time

import numpy as np
import PIL.Image
import pytest
import soundfile
from uploads import flac, send, upload, wait

from lildata_utils.errors import LilDataError
from lildata_utils.files import file_size
from lildata_utils.show import chooser, panel
from lildata_utils.show.chooser import BLACK, Upload, crate_clips
from lildata_utils.show.panel import PRESETS, TransferPanel
from lildata_utils.sound import audio
from lildata_utils.sound.clip import read_clip
from lildata_utils.sound.pictures import read_picture
from lildata_utils.transfer import files as transfers
from lildata_utils.transfer import painting
from lildata_utils.transfer import settings as papers

SAMPLES = 20 * 22_050
RNG = np.random.default_rng(0)
TONES = (
    0.2
    * np.sin(2 * np.pi * 440 * np.arange(SAMPLES) / 22_050)
    * (np.arange(SAMPLES) % 11_025 < 6_000)
)
NOISE = np.clip(0.1 * RNG.standard_normal(SAMPLES), -1, 1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for genre, sound in (("house", NOISE[::-1]), ("lofi", TONES), ("future_bass", NOISE)):
        (folder / genre).mkdir()
        audio.write(folder / genre / "one.flac", sound)
    return {path.parent.name: path for path in sorted(folder.rglob("*.flac"))}


@pytest.fixture
def fresh(files, tmp_path):
    return TransferPanel(files, tmp_path / "results")


@pytest.fixture(scope="module")
def warm(files, tmp_path_factory):
    """A panel whose network is loaded: as soon as somebody looks at it."""
    shown = TransferPanel(files, tmp_path_factory.mktemp("results"))
    shown.style.upload._take(None, "shown", [])
    wait(lambda: "Lil Data, run" in shown.weights.value)
    return shown


def run(panel, **values):
    for name, value in values.items():
        getattr(panel, name).value = value
    panel.run.click()
    return result_of(panel)


def result_of(panel):
    wait(lambda: not panel.save.disabled)  # the last thing that a run does
    return panel.result


def drawn(player):
    return np.asarray(PIL.Image.open(io.BytesIO(player.picture)))[::-1]


def heard(player):
    return soundfile.read(io.BytesIO(player.sound))[0]


def button_and_what_it_heard(limit_bytes=1_000_000):
    kept, refused = [], []
    button = Upload(lambda *file: kept.append(file), refused.append, lambda: None, limit_bytes)
    return button, kept, refused


def test_it_shows_what_is_chosen_and_computes_nothing(fresh, files):
    chosen = read_clip(files["lofi"], 12.0)
    np.testing.assert_array_equal(drawn(fresh.content.player), chosen.image)
    assert fresh.settings.style == str(files["future_bass"])
    assert (fresh.result, fresh._job, fresh._networks) == (None, None, {})
    assert fresh.stop.disabled
    assert fresh.save.disabled
    assert not fresh.run.disabled


def test_its_saved_output_is_light_and_says_what_to_do(fresh):
    data, _ = fresh._repr_mimebundle_()
    assert "run this cell" in data["text/html"]
    assert len(str(data)) < 1000


def test_its_numbers_are_those_of_the_paper():
    for name, words in (("lil_data", "Lil Data"), ("vgg19", "VGG-19")):
        paper = papers.PRESETS[name]
        for stop, iterations in (("early stop", paper.early_stop), ("full", paper.full)):
            preset = PRESETS[f"{words}, {stop}"]
            assert preset["network"] == name
            assert preset["iterations"] == iterations
            assert (preset["alpha"], preset["beta"]) == (paper.alpha, paper.beta)
    assert set(panel.STARTS.values()) == set(papers.STARTS)
    assert set(panel.PHASES.values()) == set(papers.PHASES)


def test_every_preset_can_be_set(fresh, files):
    for button in fresh.presets:
        button.click()
        for name, value in PRESETS[button.description].items():
            if name in ("content", "style"):
                path = getattr(fresh.settings, name)
                assert path == str(files.get(value, fresh.content.path))  # no such genre: as it was
            else:
                assert getattr(fresh.settings, name) == value


def test_moving_the_start_reads_another_part(fresh, files):
    fresh.content.start.value = 3.0
    clip = read_clip(files["lofi"], 3.0)
    np.testing.assert_array_equal(drawn(fresh.content.player), clip.image)
    assert fresh.settings.content_start_s == 3.0
    assert fresh.content.start.max == 15.0


def test_choosing_another_file_keeps_its_start_in_range(fresh, files):
    fresh.content.picker.value = "house"
    assert fresh.settings.content == str(files["house"])
    clip = read_clip(files["house"], 12.0)
    np.testing.assert_array_equal(drawn(fresh.content.player), clip.image)


def test_an_uploaded_file_is_chosen_and_kept(fresh):
    data = flac(NOISE[: 7 * 22_050])
    upload(fresh.style, "my song.flac", data)
    assert fresh.style.picker.value == "my song.flac"
    assert fresh.style.path.read_bytes() == data
    assert fresh.settings.style_start_s == 2.0
    np.testing.assert_array_equal(drawn(fresh.style.player), read_clip(fresh.style.path, 2.0).image)
    fresh.style.picker.value = "house"
    fresh.style.picker.value = "my song.flac"
    assert fresh.settings.style == str(fresh.style.path)
    assert "color" not in fresh.message.value


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("song.mp3", b"no music " * 500, "corrupt"),
        ("empty.wav", b"", "empty"),
        ("notes.txt", b"some notes", "not audio"),
        ("short.flac", flac(NOISE[:22_050]), "1.0 s long"),
        ("silence.flac", flac(np.zeros(SAMPLES)), "silent"),
        ("../../up.flac", flac(NOISE[:22_050]), "slashes"),
        (f"{300 * 'x'}.flac", flac(NOISE), "at most 200 bytes"),
        ("a\0b.flac", flac(NOISE), "control characters"),
        ("..", flac(NOISE), "slashes"),
    ],
)
def test_a_file_that_can_not_be_used_is_explained_and_changes_nothing(fresh, name, data, words):
    before = fresh.settings, fresh.style.player.picture, fresh.style.picker.options
    upload(fresh.style, name, data)
    assert (fresh.settings, fresh.style.player.picture, fresh.style.picker.options) == before
    assert words in fresh.message.value
    assert repr(name)[1:40].strip("'") in html.unescape(fresh.message.value)
    assert str(fresh.style._uploads) not in fresh.message.value
    assert list(fresh.style._uploads.glob("*")) == []


def test_a_file_that_is_too_large_is_refused_by_name_and_size():
    button, kept, refused = button_and_what_it_heard()
    send(button, "mix.wav", 2_000_000, 0, b"")
    send(button, "mix.wav", 2_000_000, 1000, b"")  # what was under way already
    assert kept == []
    [error] = refused
    assert isinstance(error, LilDataError)
    assert str(error) == "mix.wav: 2 MB; at most 1 MB can be uploaded: cut out a part"


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (4, [(0, b"ab"), (2, b"cdefgh")]),  # more than was said
        (4, [(0, b"abcdefgh")]),
        (-1, [(0, b"ab")]),
        (4, [(0, b"ab"), (1, b"b"), (3, b"d")]),  # overlapping
        (4, [(0, b"a"), (3, b"d")]),  # with a hole
        (4, [(0, b"ab"), (0.5, b"cd")]),
        ("4", [(0, b"abcd")]),
    ],
)
def test_pieces_are_counted_and_nothing_said_about_them_is_believed(size, pieces):
    button, kept, refused = button_and_what_it_heard()
    for at, part in pieces:
        send(button, "a.wav", size, at, part)
    assert kept == []
    [error] = refused
    assert len(str(error).splitlines()) == 1
    for at, part in [(0, b"ab"), (0, b"abc"), (3, b"d")]:  # begun anew
        send(button, "b.wav", 4, at, part)
    assert kept == [("b.wav", b"abcd")]


@pytest.mark.parametrize("message", [None, 3, "x", [], {}, {"name": None, "size": 1, "at": 0}])
def test_any_other_message_is_an_error_in_a_line(message):
    button, _, refused = button_and_what_it_heard()
    button._take(None, message, [])
    assert [type(error) for error in refused] == [LilDataError]


def test_damage_that_leaves_something_to_hear_is_said(fresh):
    file = io.BytesIO()
    soundfile.write(file, NOISE, 22_050, format="OGG", subtype="VORBIS")
    upload(fresh.style, "cut.ogg", file.getvalue()[: len(file.getvalue()) * 9 // 10])
    assert fresh.style.picker.value == "cut.ogg"
    assert "cut.ogg: ends early" in fresh.message.value


def test_a_bug_in_what_an_upload_does_is_seen(fresh, monkeypatch):
    monkeypatch.setattr(chooser, "read_clip", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        upload(fresh.style, "a.flac", flac(NOISE))
    assert "division" in fresh.message.value
    assert list(fresh.style._uploads.iterdir()) == []


def test_a_file_that_is_gone_leaves_the_one_before(fresh, files, tmp_path):
    fresh.content._files["gone"] = tmp_path / "gone.flac"
    fresh.content.picker.options = [*files, "gone"]
    fresh.content.picker.value = "lofi"
    before = fresh.settings
    fresh.content.picker.value = "gone"
    assert fresh.content.picker.value == "lofi"
    assert fresh.settings == before
    assert "gone" in fresh.message.value


@pytest.mark.slow
def test_a_run_shows_its_picture_its_costs_and_its_sound(warm):
    before, costs = drawn(warm.player), bytes(warm.costs.value)
    result = run(warm, iterations=5)
    assert result.last.number == 5
    assert warm.progress.value == warm.progress.max == 5
    np.testing.assert_array_equal(drawn(warm.player), np.rint(result.last.image))
    assert not np.array_equal(drawn(warm.player), before)
    assert bytes(warm.costs.value) != costs
    assert np.abs(heard(warm.player)).max() > 0.05
    assert result.network.weights in warm.message.value
    assert not warm.run.disabled
    assert warm.stop.disabled
    again = run(warm, alpha=5.0)
    assert again.settings.alpha == 5.0
    assert again.last.content_cost != result.last.content_cost
    assert again.first.style_cost == result.first.style_cost


@pytest.mark.slow
def test_stop_ends_a_run_and_the_next_one_begins_anew(warm):
    warm.iterations.value = 1000
    warm.run.click()
    assert warm.alpha.disabled
    assert warm.content.picker.disabled
    wait(lambda: "left" in warm.message.value)
    warm.stop.click()
    assert not warm.run.disabled
    done = result_of(warm).settings.iterations
    assert 0 < done < 1000
    assert f"Iteration {done} of 1000, ready" in warm.message.value
    assert run(warm, iterations=2).last.number == 2


@pytest.mark.slow
def test_run_after_stop_shows_nothing_of_the_run_before(warm):
    warm.iterations.value = 1000
    warm.run.click()
    wait(lambda: "left" in warm.message.value)
    warm.stop.click()
    result = run(warm, iterations=1)
    assert result.last.number == 1
    time.sleep(1)  # a late word of the stopped run would come now
    assert warm.result is result
    np.testing.assert_array_equal(drawn(warm.player), np.rint(result.last.image))


@pytest.mark.slow
def test_one_can_look_back_at_earlier_iterations(warm):
    warm.iterations.value = 1000
    warm.run.click()
    wait(lambda: len(warm._job.kept) > 3)
    warm.stop.click()
    last = result_of(warm)
    kept = list(warm._job.kept)
    assert [number for _, number in warm.look_back._options_full] == kept
    assert warm.look_back.value == kept[-1] == last.last.number
    warm.look_back.value = kept[1]
    wait(lambda: warm.result is not last)
    back = result_of(warm)
    assert back.settings == panel.replace(last.settings, iterations=kept[1])
    np.testing.assert_array_equal(drawn(warm.player), np.rint(back.last.image))
    assert not np.array_equal(back.waveform, last.waveform)
    again = run(warm, iterations=panel.ITERATIONS[0])
    assert warm.look_back.value == again.last.number


def test_of_many_steps_only_some_are_kept_the_first_and_the_last_among_them():
    job = panel._Job(None, None, None)
    for number in range(1000):
        job.keep(painting.PaintingStep(number, 1000, 0.0, 0.0, 0.0, BLACK))
    assert len(job.kept) <= panel.KEPT_STEPS
    assert list(job.kept) == sorted(job.kept)
    assert min(job.kept) == 0
    assert max(job.kept) == 999


@pytest.mark.slow
def test_the_players_share_one_gain(warm):
    result = run(warm, iterations=2)
    loud = 3 * result.waveform / np.abs(result.waveform).max()
    warm.result = panel.replace(result, waveform=loud)
    warm._play()
    assert np.abs(heard(warm.player)).max() == pytest.approx(1, abs=0.1)
    content = warm.content.clip.waveform
    for gain in (1 / 3, 1):
        assert heard(warm.content.player)[:100_000].std() == pytest.approx(
            gain * content.std(), rel=0.1
        )
        warm.result = result
        warm._play()


@pytest.mark.slow
def test_what_is_saved_reproduces_the_result(warm):
    warm.iterations.value = 1000
    warm.run.click()
    wait(lambda: "left" in warm.message.value)
    warm.stop.click()
    result_of(warm)
    warm.save.click()
    wait(lambda: "Saved" in warm.message.value)
    assert not warm.save.disabled
    [sound] = warm._folder.glob("*.wav")
    settings = transfers.read_settings(sound.with_suffix(".json"))
    again = sound.with_name("again.wav")
    network = transfers.load_network(settings.network)
    for _ in transfers.transfer_files(settings, network, again):
        pass
    np.testing.assert_array_equal(audio.read(sound), audio.read(again))
    pictures = [read_picture(path.with_suffix(".png")) for path in (sound, again)]
    np.testing.assert_array_equal(*pictures)
    assert file_size(sound) > 200_000


@pytest.mark.slow
def test_a_run_that_fails_says_why_and_the_panel_lives_on(warm, monkeypatch):
    def fail(*_arguments):
        raise LilDataError("the network is ill")

    with monkeypatch.context() as patch:
        patch.setattr(painting, "paint", fail)
        warm.run.click()
        wait(lambda: "the network is ill" in warm.message.value)
    wait(lambda: not warm.run.disabled)
    assert warm.stop.disabled
    assert run(warm, iterations=1).last.number == 1


@pytest.mark.slow
def test_moving_sliders_compiles_nothing(warm):
    run(warm, iterations=1)
    network = warm._networks["lil_data"]
    traces = network._gradient.experimental_get_tracing_count()
    for values in ({"alpha": 0.0}, {"beta": 1000.0}, {"iterations": 2}, {"start": "noise"}):
        run(warm, **values)
    assert network._gradient.experimental_get_tracing_count() == traces
    assert warm._networks["lil_data"] is network


@pytest.mark.slow
def test_the_panel_s_own_music_is_rendered_once(tmp_path, capsys):
    clips = crate_clips(tmp_path)
    assert "Rendered 8 tracks" in capsys.readouterr().out
    assert [name.split(":")[0] for name in clips][:3] == ["trap", "future bass", "lofi"]
    assert crate_clips(tmp_path) == clips
    assert "Found 8 tracks" in capsys.readouterr().out
