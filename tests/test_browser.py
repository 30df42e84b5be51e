"""The spectrogram player in a real browser: on an exported page, and in JupyterLab."""

import base64
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import matplotlib
import nbformat
import numpy as np
import PIL.Image
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect, sync_playwright

from lildata_utils import course, spectrogram
from lildata_utils.files import PROJECT_FOLDER

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
OPTIONS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)"),
]

TONE = """\
import numpy as np
from lildata_utils.widgets import SpectrogramPlayer
time_s = np.arange(110_250) / 22_050
tone = 0.5 * np.sin(2 * np.pi * 1750 * time_s) * (time_s > 2)
player = SpectrogramPlayer(tone, "a tone from 2 s on")
player"""
# The last grey, 100, is 255 - 155 steps: -48.6 dB.
UPDATE = """\
for step, grey in enumerate((20, 60, 100), start=1):
    player.show(tone / step, np.full((631, 631), grey, np.uint8), f"step {step}")"""

# Runs the cell that holds some text, once the kernel is there, by JupyterLab's own command.
RUN = """async (text) => {
  const { shell, commands } = window.jupyterapp;
  const { context, sessionContext, content } = shell.currentWidget;
  await Promise.all([context.ready, sessionContext.ready]);
  content.activeCellIndex =
    content.widgets.findIndex((cell) => cell.model.sharedModel.source.includes(text));
  await commands.execute("notebook:run-cell");
}"""


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


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser):
    """An empty tab, and the addresses that it asked for and the errors that it met."""
    context = browser.new_context(viewport={"width": 1100, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    tab.addresses, tab.errors = [], []
    tab.on("request", lambda request: tab.addresses.append(request.url))
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    yield tab
    context.close()


class Player:
    """One player on a page, by its number from the top."""

    def __init__(self, tab, number=0):
        self.tab = tab
        self.picture, self.canvas, self.cursor, self.button, self.readout, self.title = (
            tab.locator(part).nth(number)
            for part in (".picture", "canvas", ".cursor", ".controls button", ".readout", ".title")
        )
        self.audio = tab.locator("audio").nth(number)
        self.audio.evaluate("a => a.readyState || new Promise(r => a.onloadedmetadata = r)")
        expect(self.canvas).to_have_attribute("width", "631")
        self.canvas.scroll_into_view_if_needed()

    def point(self, time_s, frequency_hz):
        """Move the mouse to the centre of a bin in a frame."""
        box = self.canvas.bounding_box()
        column, row = time_s / spectrogram.FRAME_S, 630 - frequency_hz / spectrogram.BIN_HZ
        x = box["x"] + (column + 0.5) / 631 * box["width"]
        y = box["y"] + (row + 0.5) / 631 * box["height"]
        self.tab.mouse.move(x, y)

    def read(self):
        """Time in s, frequency in Hz and level in dB under the mouse."""
        text = self.readout.inner_text().replace("\N{MINUS SIGN}", "-")
        return [float(number) for number in re.findall(r"[\d.-]+(?= (?:s|Hz|dB))", text)]

    def now_s(self):
        return self.audio.evaluate("a => a.currentTime")

    def cursor_s(self):
        left = float(self.cursor.evaluate("c => c.style.left").removesuffix("%")) / 100
        return (left * 631 - 0.5) * spectrogram.FRAME_S

    def playing(self):
        return self.audio.evaluate("a => !a.paused")

    def wait_until(self, time_s):
        audio = self.audio.element_handle()
        self.tab.wait_for_function("([a, t]) => a.currentTime > t", arg=[audio, time_s])


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

    home = folder / ".jupyter"
    kinds = ("CONFIG", "DATA", "RUNTIME")
    homes = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in kinds}
    environment = {**os.environ, **homes, "PYTHONPATH": str(PROJECT_FOLDER)}
    # The question whether to read Jupyter's news would stand in the way.
    settings = home / "config" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True)
    news = "@jupyterlab/apputils-extension:announcements"
    settings.write_text(json.dumps({"disabledExtensions": {news: True}}))
    jupyter = [sys.executable, "-m", "jupyter"]
    trust = [*jupyter, "trust", str(folder / "trusted.ipynb")]
    subprocess.run(trust, env=environment, check=True, capture_output=True)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *(*jupyter, "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
            "--expose-app-in-browser",  # lets the test give JupyterLab commands
            *("--IdentityProvider.token=let-me-in", f"--ServerApp.root_dir={folder}"),
        ],
        env=environment,
        stdout=(folder / "log").open("w"),
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/api?token=let-me-in").close()
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
        yield lambda name: f"{address}/lab/tree/{name}?token=let-me-in&reset"
    finally:
        server.terminate()
        server.wait(30)


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
