import numpy as np
import PIL.Image
import pytest

from lildata_utils.cli.main import main
from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio
from lildata_utils.sound import spectrogram as sg
from lildata_utils.sound.pictures import read_picture, write_picture


@pytest.fixture(scope="module")
def sound():
    time_s = np.arange(sg.CLIP_SAMPLES) / sg.SAMPLE_RATE
    return (0.2 * np.sin(2 * np.pi * 880 * time_s)).astype(np.float32)


@pytest.fixture
def image(sound):
    return sg.to_image(sound)[0]


def test_a_png_has_low_frequencies_at_the_bottom_and_comes_back(image, tmp_path):
    write_picture(tmp_path / "a.png", image)
    with PIL.Image.open(tmp_path / "a.png") as png:
        pixels = np.asarray(png)
    assert pixels.mean(axis=1).argmax() == 630 - round(880 / sg.BIN_HZ)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), image)


def test_colour_and_16_bits_become_grey(image, tmp_path):
    upright = image[::-1]
    PIL.Image.fromarray(np.repeat(upright[..., None], 3, axis=-1)).save(tmp_path / "rgb.png")
    PIL.Image.fromarray(upright.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "rgb.png"), image)
    deep = read_picture(tmp_path / "deep.png").astype(int)
    assert np.abs(deep - image).max() <= 1


def test_arrays_keep_their_meaning(image, tmp_path):
    np.save(tmp_path / "image.npy", image)
    np.save(tmp_path / "magnitude.npy", image.astype(np.float64))
    assert read_picture(tmp_path / "image.npy").dtype == np.uint8
    assert read_picture(tmp_path / "magnitude.npy").dtype == np.float32


def test_other_sizes_are_refused_or_stretched(tmp_path):
    PIL.Image.new("L", (400, 300)).save(tmp_path / "small.png")
    with pytest.raises(LilDataError, match=r"small.png: 300 x 400 .* expected 631 x 631.*--resize"):
        read_picture(tmp_path / "small.png")
    assert read_picture(tmp_path / "small.png", resize=True).shape == (631, 631)
    np.save(tmp_path / "small.npy", np.ones((300, 20)))
    assert read_picture(tmp_path / "small.npy", resize=True).shape == (631, 631)
    np.save(tmp_path / "line.npy", np.eye(300, 20))
    assert read_picture(tmp_path / "line.npy", resize=True).min() == 0


def test_bad_files_get_a_clear_line(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "text.npy").write_text("no array")
    np.save(tmp_path / "words.npy", np.array([["a", "b"]]))
    np.save(tmp_path / "line.npy", np.zeros(631))
    np.save(tmp_path / "empty.npy", np.zeros((0, 631, 20)))
    np.save(tmp_path / "huge.npy", np.full((631, 20), 1e300))
    np.save(tmp_path / "turned.npy", np.ones((20, 631)))
    for name, words in {
        "text.png": "can't be read as a picture",
        "text.npy": "can't be read as a NumPy array",
        "words.npy": "numbers of type",
        "line.npy": "1 axes",
        "gone.png": "no such file",
        "empty.npy": "empty, shape",
        "huge.npy": "too large",
        "turned.npy": "is it transposed",
    }.items():
        with pytest.raises(LilDataError, match=f"{name}.*{words}"):
            read_picture(tmp_path / name)


def test_invert_restores_sound_and_level_of_an_image(sound, tmp_path, capsys):
    image, peak = sg.to_image(sound)
    np.save(tmp_path / "clip.npy", image)
    peak_db = 20 * np.log10(peak)
    command = ["invert", str(tmp_path / "clip.npy"), str(tmp_path / "out.wav")]
    assert main([*command, "--peak-db", f"{peak_db:.3f}", "--iterations", "5"]) == 0
    back = audio.read(tmp_path / "out.wav")
    assert len(back) == sg.CLIP_SAMPLES
    assert np.std(back[5000:-5000]) == pytest.approx(np.std(sound), rel=0.02)
    assert "spectral convergence -" in capsys.readouterr().out


def test_invert_of_a_png_without_a_level_is_audible_and_does_not_clip(image, tmp_path, capsys):
    write_picture(tmp_path / "clip.png", image)
    command = ["invert", str(tmp_path / "clip.png"), str(tmp_path / "out.flac")]
    assert main([*command, "--start", "random", "--iterations", "3"]) == 0
    assert np.abs(audio.read(tmp_path / "out.flac")).max() == pytest.approx(0.5, abs=1e-3)
    assert "level unknown" in capsys.readouterr().out


def test_invert_of_a_shard_plays_its_clips_one_after_the_other(image, tmp_path):
    np.save(tmp_path / "shard.npy", np.stack([image, image // 2]))
    command = ["invert", str(tmp_path / "shard.npy"), str(tmp_path / "out.wav")]
    assert main([*command, "--start", "pghi", "--iterations", "0"]) == 0
    assert len(audio.read(tmp_path / "out.wav")) == 2 * sg.CLIP_SAMPLES


def test_invert_says_what_is_wrong_in_a_line(image, tmp_path, capsys):
    write_picture(tmp_path / "clip.png", image)
    np.save(tmp_path / "loud.npy", 100 * np.ones((631, 20)))
    np.save(tmp_path / "negative.npy", -np.ones((631, 20)))
    for arguments, words in [
        (["clip.png", "out.xyz"], "can't write '.xyz'"),
        (["gone.png", "out.wav"], "no such file"),
        (["negative.npy", "out.wav"], "0 or larger"),
        (["loud.npy", "out.wav", "--peak-db", "30"], "--peak-db is for images"),
    ]:
        first, second, *rest = arguments
        assert main(["invert", str(tmp_path / first), str(tmp_path / second), *rest]) == 1
        assert words in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


def npy(path, header, data=b""):
    """Write a .npy file with a header of one's own."""
    text = header.encode().ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (631, 10**12)}", "can't be read"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (631, 999999999999)}", "bytes for an"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (631, -2)}", "bytes for an array"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (631, 0)}", "empty"),
        ("{'descr': '|b1', 'fortran_order': False, 'shape': (1, 1)}", "type bool"),
        ("{'descr': '<c8', 'fortran_order': False, 'shape': (1, 0)}", "empty"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 1)}", "numbers of type"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (631, 631)}", "type object"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (2.0, 2)}", "can't be read as a NumPy"),
        ("(" * 90, "can't be read as a NumPy array"),
    ],
)
def test_a_header_is_looked_at_before_its_array(tmp_path, header, words):
    npy(tmp_path / "a.npy", header, bytes(4))
    with pytest.raises(LilDataError, match=rf"a\.npy.*{words}") as caught:
        read_picture(tmp_path / "a.npy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8"])
def test_any_floats_in_any_order_are_magnitudes(tmp_path, dtype):
    array = np.arange(631 * 3, dtype=dtype).reshape(631, 3)
    np.save(tmp_path / "a.npy", np.asfortranarray(array))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.npy"), array.astype(np.float32))


def test_pictures_of_other_kinds_are_refused_and_large_ones_not_unpacked(tmp_path):
    whole = np.zeros((631, 40), np.uint8)
    PIL.Image.fromarray(whole.astype(np.float32)).save(tmp_path / "float.png", format="TIFF")
    PIL.Image.fromarray(whole).save(tmp_path / "a.gif")
    PIL.Image.new("1", (70_000, 631)).save(tmp_path / "large.png")
    write_picture(tmp_path / "cut.png", np.random.default_rng(0).integers(0, 256, whole.shape))
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    for name, words in {
        "float.png": "pixels of kind F; expected 8 or 16 bits",
        "a.gif": "can't be read as a picture",
        "large.png": "70000 x 631 pixels",
        "cut.png": "can't be read as a picture",
    }.items():
        with pytest.raises(LilDataError, match=f"{name}.*{words}"):
            read_picture(tmp_path / name)


def test_invert_replaces_its_own_sound_and_nothing_else(image, tmp_path, capsys):
    write_picture(tmp_path / "clip.png", image[:, :40])
    command = ["invert", str(tmp_path / "clip.png"), str(tmp_path / "out.wav"), "--iterations", "1"]
    (tmp_path / "out.wav").write_text("mine")
    assert main(command) == 1
    assert "out.wav is there and no result of `lildata invert`" in capsys.readouterr().err
    assert (tmp_path / "out.wav").read_text() == "mine"
    (tmp_path / "out.wav").unlink()
    assert [main(command), main([*command, "--seed", "1"])] == [0, 0]
