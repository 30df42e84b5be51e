"""What the tests of panels share: what a browser's button sends, and waiting for threads."""

import io
import time

import soundfile


def wait(condition, timeout_s=60):
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def upload(chooser, name, data, piece=1000, **more):
    """What the browser's side sends."""
    for at in range(0, max(len(data), 1), piece):
        send(chooser.upload, name, len(data), at, data[at : at + piece], **more)


def send(button, name, size, at, part, **more):
    button._take(None, {"name": name, "size": size, "at": at, **more}, [memoryview(part)])


def flac(sound):
    file = io.BytesIO()
    soundfile.write(file, sound, 22_050, format="FLAC")
    return file.getvalue()
