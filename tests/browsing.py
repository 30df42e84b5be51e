"""What the tests in a real browser share: a browser, its tabs, servers, and a player in a page."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect, sync_playwright

from lildata_utils.files import PROJECT_FOLDER
from lildata_utils.sound import spectrogram

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
OPTIONS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]

in_a_browser = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)"),
]

# Runs the cell that holds some text, once the kernel is there, by JupyterLab's own command.
RUN = """async (text) => {
  const { shell, commands } = window.jupyterapp;
  const { context, sessionContext, content } = shell.currentWidget;
  await Promise.all([context.ready, sessionContext.ready]);
  content.activeCellIndex =
    content.widgets.findIndex((cell) => cell.model.sharedModel.source.includes(text));
  await commands.execute("notebook:run-cell");
}"""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser):
    """An empty tab, and the addresses that it asked for and the errors that it met.

    Those of callbacks in a kernel are among them: no page shows them, but they come all the same.
    """
    context = browser.new_context(viewport={"width": 1100, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    tab.addresses, tab.errors = [], []
    tab.on("request", lambda request: tab.addresses.append(request.url))
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.on("console", lambda line: line.type == "error" and tab.errors.append(line.text))
    tab.on("websocket", lambda socket: socket.on("framereceived", listen))

    def listen(frame):
        text = frame if isinstance(frame, str) else frame.decode(errors="replace")
        if re.search(r'"msg_type":\s*"error"', text):
            tab.errors.append(text)

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
        # A timeline's sound is no player's.
        self.audio = tab.locator(".controls + audio").nth(number)
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


@contextmanager
def serve(command, folder):
    """Run a server of notebooks until the block ends; give its address and the path of its log.

    `command` makes the command line from a port and has its settings in `folder`. The log has what
    kernels write to stderr, too, also from their threads.
    """
    home = folder / ".jupyter"
    kinds = ("CONFIG", "DATA", "RUNTIME")
    homes = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in kinds}
    homes["IPYTHONDIR"] = str(home / "ipython")
    environment = {**os.environ, **homes, "PYTHONPATH": str(PROJECT_FOLDER)}
    kernel = home / "ipython" / "profile_default" / "ipython_kernel_config.py"
    kernel.parent.mkdir(parents=True, exist_ok=True)
    kernel.write_text("get_config().IPKernelApp.quiet = False")
    log = folder / "log"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        command(port), env=environment, stdout=log.open("w"), stderr=subprocess.STDOUT
    )
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", log
    finally:
        server.terminate()
        server.wait(90)


@contextmanager
def serve_lab(folder):
    """Run JupyterLab; give the address of a notebook by its name, and the path of the log."""
    # The question whether to read Jupyter's news would stand in the way.
    settings = folder / ".jupyter" / "config" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    news = "@jupyterlab/apputils-extension:announcements"
    settings.write_text(json.dumps({"disabledExtensions": {news: True}}))

    def command(port):
        return [
            *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
            *("--ip=127.0.0.1", f"--port={port}", f"--ServerApp.root_dir={folder}"),
            "--expose-app-in-browser",  # lets the test give JupyterLab commands
            "--IdentityProvider.token=let-me-in",
        ]

    with serve(command, folder) as (address, log):
        yield lambda name: f"{address}/lab/tree/{name}?token=let-me-in&reset", log
