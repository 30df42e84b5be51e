"""The panel of style transfer in a real browser: in JupyterLab, and as `lildata demo`."""

import io
import re
import sys

import nbformat
import numpy as np
import soundfile
from browsing import RUN, Player, in_a_browser, serve, serve_lab
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from lildata_utils.course import run as course
from lildata_utils.show.chooser import LARGEST_UPLOAD

pytestmark = in_a_browser

SHOW = """\
from pathlib import Path
from lildata_utils.show.panel import TransferPanel
TransferPanel(folder=Path("results"))"""
KERNEL = r"api/kernels/[\w-]{36}"
LONG, SHORT = "1000", "10"


def flac(seconds):
    file = io.BytesIO()
    noise = 0.1 * np.random.default_rng(0).standard_normal(seconds * 22_050)
    soundfile.write(file, noise, 22_050, format="FLAC")
    return file.getvalue()


def slider(tab, name):
    """The handle of the slider of a name, and the value beside it."""
    whole = tab.locator(".widget-slider", has=tab.get_by_text(name, exact=True)).first
    return whole.locator(".noUi-handle"), whole.locator(".widget-readout")


def move(tab, name, to=None):
    """Move a slider with the keyboard: to a value, or by a step."""
    handle, readout = slider(tab, name)
    before = readout.inner_text()
    if to is None:
        handle.press("ArrowRight")
        expect(readout).not_to_have_text(before)
        return
    handle.press("Home")
    for _ in range(20):
        if readout.inner_text() == to:
            break
        handle.press("ArrowRight")
    expect(readout).to_have_text(to)


def set_iterations(tab, number):
    """Move the slider, and wait until the kernel knows: a test clicks faster than a hand."""
    move(tab, "iterations", number)
    run = tab.get_by_role("button", name="▶ Run")
    expect(run).to_have_attribute("title", f"Do {number} iterations")


def pixels(player):
    return player.canvas.evaluate("c => c.toDataURL()")


def wait_for_change(player, before):
    player.tab.wait_for_function(
        "([canvas, before]) => canvas.toDataURL() !== before",
        arg=[player.canvas.element_handle(), before],
    )


def upload(tab, name, data):
    files = {"name": name, "mimeType": "audio/flac", "buffer": data}
    tab.locator(".upload-button input").nth(1).set_input_files(files)


def check_panel(tab):
    """Do with it what a class would."""
    status = tab.get_by_role("status")
    run, stop = (tab.get_by_role("button", name=name) for name in ("▶ Run", "■ Stop"))
    expect(status).to_have_text("Press Run.")
    expect(tab.get_by_text("Lil Data, run data/pretrained/lil_data")).to_be_visible()
    content, result = Player(tab, 0), Player(tab, 2)

    before = pixels(content)
    move(tab, "from second")
    wait_for_change(content, before)
    for name in ("alpha (content)", "beta (style)"):
        move(tab, name)
    set_iterations(tab, LONG)
    run.click()
    expect(stop).to_be_enabled()
    expect(status).to_contain_text("left")
    wait_for_change(result, pixels(result))
    stop.click()
    # It takes 0.1 to 0.4 s; the rest is for machines that do other work, too.
    expect(run).to_be_enabled(timeout=3000)
    expect(status).to_contain_text(re.compile(r"Iteration \d+ of 1000, ready\. Lil Data"))
    stopped, sound = pixels(result), result.audio.get_attribute("src")
    move(tab, "look back at", "0")
    expect(status).to_contain_text("Iteration 0 of 1000, ready. Lil Data")
    expect(result.audio).not_to_have_attribute("src", sound)
    assert pixels(result) != stopped

    set_iterations(tab, SHORT)
    tab.get_by_role("button", name="Style only").click()
    expect(slider(tab, "alpha (content)")[1]).to_have_text("0")
    before, sound = pixels(result), result.audio.get_attribute("src")
    run.click()
    expect(status).to_contain_text(f"Iteration {SHORT} of {SHORT}, ready. Lil Data")
    expect(result.audio).not_to_have_attribute("src", sound)
    assert pixels(result) != before
    result.button.click()
    result.wait_until(0.3)
    assert result.playing()

    upload(tab, "broken.flac", b"fLaC and no more")
    expect(status).to_contain_text("broken.flac: corrupt")
    expect(tab.get_by_role("combobox", name="Style")).to_have_value(re.compile("future bass"))
    run.click()
    expect(status).to_contain_text(f"Iteration {SHORT} of {SHORT}, ready. Lil Data")


def check_log(log):
    text = log.read_text()
    assert not re.search(r"Traceback|\bERROR\b|Exception", text), text


def test_in_jupyterlab(tmp_path, tab):
    kernel = {"kernelspec": {"name": course.KERNEL, "display_name": "Python 3"}}
    notebook = new_notebook(cells=[new_code_cell(SHOW)], metadata=kernel)
    nbformat.write(notebook, tmp_path / "panel.ipynb")
    with serve_lab(tmp_path) as (address, log):
        tab.goto(address("panel.ipynb"))
        tab.wait_for_selector(".jp-Notebook .jp-CodeCell")
        tab.evaluate(RUN, "TransferPanel")
        check_panel(tab)

        upload(tab, "mine.flac", flac(seconds=120))
        expect(tab.get_by_role("combobox", name="Style")).to_have_value("mine.flac")
        tab.get_by_role("button", name="Save", exact=True).click()
        expect(tab.get_by_role("status")).to_contain_text("Saved")
        names = sorted(path.suffix for path in (tmp_path / "results").glob("20*"))
        assert names == [".json", ".png", ".wav"]
        expect(tab.locator("[data-mime-type='application/vnd.jupyter.stderr']")).to_have_text([])
        assert tab.errors == []
        check_log(log)


def test_as_a_page(tmp_path, tab):
    def command(port):
        return [
            *(sys.executable, "-m", "lildata_utils", "demo"),
            f"--port={port}",
            "--no-browser",
            "--prefix=/lildata/",
        ]

    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate(LARGEST_UPLOAD + 1)
    with serve(command, tmp_path) as (address, log):
        link = re.search(rf"{address}/lildata/\?token=\w+", log.read_text())[0]
        tab.goto(link)
        check_panel(tab)

        tab.locator(".upload-button input").nth(1).set_input_files(large)
        expect(tab.get_by_role("status")).to_contain_text("large.wav: 50 MB; at most 50 MB")
        outside = [url for url in tab.addresses if not url.startswith((address, "data:", "blob:"))]
        assert outside == []
        assert tab.errors == []
        # The cookie is enough from now on, and a page that is closed frees its kernel at once.
        [kernel] = {found[0] for url in tab.addresses if (found := re.search(KERNEL, url))}
        tab.goto(f"{address}/lildata/")
        expect(tab.get_by_role("status")).to_have_text("Press Run.")
        answer = tab.request.get(f"{address}/lildata/{kernel}")
        assert answer.status == 404
        check_log(log)
