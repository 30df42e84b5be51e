"""The page that listens in a real browser, as a tab of `lildata demo`."""

import base64
import re
import sys

import numpy as np
import pytest
from browsing import in_a_browser, serve
from playwright.sync_api import expect
from uploads import flac

pytestmark = in_a_browser

SECONDS = 42
NOISE = 0.1 * np.random.default_rng(0).standard_normal(SECONDS * 22_050)
# What a hand does: a file that lies on the field, and is let go.
DROP = """async (field, data) => {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt());
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "dropped.flac", { type: "audio/flac" }));
  for (const kind of ["dragover", "drop"])
    field.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}"""


def check_listening(tab):
    """Do with it what a visitor would."""
    status = tab.get_by_role("status")
    field = tab.locator(".upload-button", has_text="Drop a song")
    picture, cursor, words, audio = (
        tab.locator(f".timeline {part}") for part in (".figure", ".now", ".words", "audio")
    )

    def upload(name, data):
        files = {"name": name, "mimeType": "audio/flac", "buffer": data}
        field.locator("input").set_input_files(files)

    def now_s():
        return audio.evaluate("a => a.currentTime")

    def cursor_share():
        return float(cursor.evaluate("c => c.style.left").removesuffix("%")) / 100

    # Somebody looks, and hears an example.
    expect(status).to_have_text("Heard 6 clips of 5 s.")
    expect(words).to_have_text(re.compile(r"0:00 [\w ]+ \d+%, then [\w ]+ \d+%"))
    expect(audio).to_have_js_property("duration", 32)
    start = cursor_share()

    upload("mine.flac", flac(NOISE))
    expect(status).to_have_text("Heard 8 clips of 5 s.")
    expect(tab.get_by_text("mine.flac")).to_be_visible()
    expect(tab.get_by_text("It learned trap, future bass")).to_be_visible()
    expect(audio).to_have_js_property("duration", SECONDS)
    assert audio.evaluate("a => a.src").startswith("blob:")
    audio.evaluate("a => a.play()")
    tab.wait_for_function("() => document.querySelector('.timeline audio').currentTime > 0.5")
    assert cursor_share() > start

    # A click goes there, and the words are those of that place.
    box = picture.bounding_box()
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    audio.evaluate("a => a.pause()")
    at_s = now_s()
    expect(words).to_have_text(re.compile(rf"0:{at_s // 5 * 5:02.0f} "))
    assert cursor_share() == pytest.approx(0.5, abs=0.05)
    tab.mouse.move(0, 0)

    upload("broken.flac", b"fLaC and no more")
    expect(status).to_contain_text("broken.flac: corrupt")
    expect(tab.get_by_text("mine.flac")).to_be_visible()
    field.evaluate(DROP, base64.b64encode(flac(NOISE[: 11 * 22_050])).decode())
    expect(status).to_have_text("Heard 2 clips of 5 s.")
    expect(tab.get_by_text("dropped.flac")).to_be_visible()


def test_beside_the_panel(tmp_path, tab):
    def command(port):
        return [sys.executable, "-m", "lildata_utils", "demo", f"--port={port}", "--no-browser"]

    with serve(command, tmp_path) as (address, log):
        tab.goto(re.search(rf"{address}/\?token=\w+", log.read_text())[0])
        expect(tab.get_by_role("status")).to_have_text("Press Run.")
        tab.get_by_role("tab", name="Listen").click()
        check_listening(tab)
        # Beside the field, a file is not opened instead of the page.
        drop = "new DragEvent('drop', { bubbles: true, cancelable: true })"
        assert tab.evaluate(f"() => !document.body.dispatchEvent({drop})")
        outside = [url for url in tab.addresses if not url.startswith((address, "data:", "blob:"))]
        assert outside == []
        assert tab.errors == []
        assert not re.search(r"Traceback|\bERROR\b|Exception", log.read_text())
