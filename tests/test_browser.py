"""The spectrogram player in a real browser: on an exported page, and in JupyterLab."""

import base64
import io
import os
import subprocess
import sys

import matplotlib
import nbformat
import numpy as np
import PIL.Image
import pytest
from browsing import RUN, Player, in_a_browser, serve_lab
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

from lildata_utils.course import run as course
from lildata_utils.sound import spectrogram

pytestmark = in_a_browser

TONE = """\
import numpy as np
from lildata_utils.show.players import SpectrogramPlayer
time_s = np.arange(110_250) / 22_050
tone = 0.5 * np.sin(2 * np.pi * 1750 * time_s) * (time_s > 2)
player = SpectrogramPlayer(tone, "a tone from 2 s on")
player"""
# The last grey, 100, is 255 - 155 steps: -48.6 dB.
UPDATE = """\
for step, grey in enumerate((20, 60, 100), start=1):
    player.show(tone / step, np.full((631, 631), grey, np.uint8), f"step {step}")"""


def tone_image():
    time_s = np.arange(110_250) / 22_050
    return spectrogram.to_image(0.5 * np.sin(2 * np.pi * 1750 * time_s) * (time_s > 2))[0]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook with two players as the course runs it, with its page beside it."""
    folder = tmp_path_factory.mktemp("notebooks")
    cells = [
        new_markdown_cell("# Players"),
        new_code_cell('profile = "quick"', metadata={"tags": ["parameters"]}),
        new_code_cell(TONE),
        new_code_cell('SpectrogramPlayer(tone, "again")'),
    ]
    kernel = {"kernelspec": {"name": course.KERNEL, "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "00_players.ipynb")
    [_, end] = course.run("smoke", out=folder / "out", folder=folder)
    assert end.error == ""
    return folder / "out" / "00_players.ipynb"


def check_player(player):
    """Click, listen, read and use the keyboard, as a visitor would."""
    assert player.audio.evaluate("a => a.duration") == pytest.approx(5, abs=0.1)

    player.point(time_s=3, frequency_hz=5000)
    player.tab.mouse.down()
    player.tab.mouse.up()
    assert player.now_s() == pytest.approx(3, abs=0.01)
    assert player.cursor_s() == pytest.approx(3, abs=0.01)
    assert not player.playing()

    player.button.click()
    player.wait_until(3.3)
    assert player.playing()
    assert player.cursor_s() > 3.2
    player.button.click()
    assert not player.playing()
    assert player.cursor_s() == pytest.approx(player.now_s(), abs=0.05)

    player.point(time_s=1, frequency_hz=5000)
    player.tab.mouse.down()
    player.point(time_s=1.5, frequency_hz=9000)
    player.tab.mouse.up()
    assert player.now_s() == pytest.approx(1.5, abs=0.01)

    image = tone_image()
    for time_s, frequency_hz in ((4, 1750), (3, 1785), (2, 1750), (2, 8000), (1, 1750)):
        player.point(time_s, frequency_hz)
        read_s, read_hz, read_db = player.read()
        assert read_s == pytest.approx(time_s, abs=spectrogram.FRAME_S)
        assert read_hz == pytest.approx(frequency_hz, abs=spectrogram.BIN_HZ)
        column, row = read_s / spectrogram.FRAME_S, read_hz / spectrogram.BIN_HZ
        expected_db = float(spectrogram.image_to_db(image[round(row), round(column)]))
        assert read_db == pytest.approx(expected_db, abs=0.06)
    player.point(4, 1750)
    assert player.read()[2] > -7  # the tone's own bin, or its neighbour

    player.picture.focus()
    for key, time_s in (("Home", 0), ("ArrowRight", 0.1), ("PageUp", 1.1), ("ArrowLeft", 1)):
        player.tab.keyboard.press(key)
        assert player.now_s() == pytest.approx(time_s, abs=0.01)
        assert float(player.picture.get_attribute("aria-valuenow")) == pytest.approx(time_s)
    player.tab.keyboard.press(" ")
    player.wait_until(1.05)
    player.tab.keyboard.press(" ")
    assert not player.playing()


def test_a_page_plays_without_kernel_and_network(executed, tab):
    tab.context.set_offline(True)
    tab.goto(executed.with_suffix(".html").as_uri())
    player, other = Player(tab, 0), Player(tab, 1)
    expect(player.title).to_have_text("a tone from 2 s on")
    check_player(player)
    assert other.now_s() == 0
    player.button.click()
    other.button.click()
    other.wait_until(0.1)
    assert not player.playing(), "sounds are heard one at a time"
    assert not [url for url in tab.addresses if not url.startswith(("file:", "data:", "blob:"))]
    assert tab.errors == []


def test_a_page_shows_the_colours_of_the_scale(executed, tab):
    tab.goto(executed.with_suffix(".html").as_uri())
    player = Player(tab)
    data = player.canvas.evaluate("c => c.toDataURL().split(',')[1]")
    shown = PIL.Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    magma = matplotlib.colormaps["magma"](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(np.asarray(shown)[::-1], magma[tone_image()])


@pytest.fixture(scope="module")
def lab(executed, tmp_path_factory):
    """The address of a JupyterLab with notebooks of players: not run, run, and run and trusted."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.read(executed, as_version=4)
    nbformat.write(notebook, folder / "run.ipynb")
    notebook.cells[0].source = "# Trusted"  # trust goes by content
    nbformat.write(notebook, folder / "trusted.ipynb")
    for cell in notebook.cells[1:]:
        cell.outputs, cell.execution_count = [], None
    notebook.cells.append(new_code_cell(UPDATE))
    nbformat.write(notebook, folder / "fresh.ipynb")

    trust = [sys.executable, "-m", "jupyter", "trust", str(folder / "trusted.ipynb")]
    data = {**os.environ, "JUPYTER_DATA_DIR": str(folder / ".jupyter" / "data")}
    subprocess.run(trust, env=data, check=True, capture_output=True)
    with serve_lab(folder) as (address, _):
        yield address


def test_jupyterlab_plays_what_a_kernel_shows_and_follows_it(lab, tab):
    tab.goto(lab("fresh.ipynb"))
    tab.wait_for_selector(".jp-Notebook .jp-CodeCell")
    tab.evaluate(RUN, "np.arange")
    player = Player(tab)
    check_player(player)

    before_s, sound = player.now_s(), player.audio.get_attribute("src")
    player.button.click()
    tab.evaluate(RUN, "player.show")
    expect(player.title).to_have_text("step 3")
    expect(player.audio).not_to_have_attribute("src", sound)
    player.wait_until(before_s + 0.3)
    assert player.playing()
    player.canvas.scroll_into_view_if_needed()
    player.point(1, 8000)
    assert player.read()[2] == pytest.approx(-48.6, abs=0.06)
    assert tab.errors == []


def test_jupyterlab_shows_a_trusted_notebook_s_players_without_running_it(lab, tab):
    tab.goto(lab("trusted.ipynb"))
    player = Player(tab)
    check_player(player)


def test_jupyterlab_leaves_picture_and_sound_to_a_notebook_that_is_not_trusted(lab, tab):
    tab.goto(lab("run.ipynb"))
    output = tab.locator(".jp-OutputArea-output").first
    picture, audio = output.locator("img"), output.locator("audio")
    expect(picture).to_be_visible()
    assert picture.evaluate("i => i.decode().then(() => i.naturalWidth)") == 631
    audio.evaluate("a => a.play()")
    assert audio.get_attribute("controls") is not None
    assert audio.evaluate("a => a.duration") == pytest.approx(5, abs=0.1)
    assert output.locator("canvas").count() == 0
