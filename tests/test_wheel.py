"""The package works without a checkout: a wheel, in an environment and a folder of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

import lildata_utils
from lildata_utils.files import NOTEBOOKS_FOLDER, PRETRAINED, PROJECT_FOLDER

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("wheel"),  # one build at a time: it is made in the checkout
    # The environments of Windows have other folders; nothing in the package differs there.
    pytest.mark.skipif(sys.platform == "win32", reason="written for bin/ and lib/"),
]

# The packages that the wheel needs are those of the environment that runs the tests.
HERE = Path(sys.prefix)
SITE_PACKAGES = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
LSTM = "depth_2_600_clips_25_epochs"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from setuptools.build_meta import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT_FOLDER, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run a program of a fresh environment, in a folder that was empty at first."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [venv / "bin" / "python", "-I", "-m", "pip", "--quiet", "install"]
    subprocess.run([*pip, "--no-index", "--no-deps", wheel], check=True)
    # A path in a .pth file brings packages, but not the .pth files among them, one of which would
    # bring the editable install.
    (venv / SITE_PACKAGES / "here.pth").write_text(f"{HERE / SITE_PACKAGES}\n")
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "JUPYTER_PATH": str(HERE / "share" / "jupyter"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def start(program, *arguments):
        return subprocess.Popen(
            [venv / "bin" / program, *map(str, arguments)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(program, *arguments):
        process = start(program, *arguments)
        out, error = process.communicate()
        assert process.returncode == 0, f"{program} {arguments}: {out}{error}"
        return out

    run.start, run.folder, run.package = start, folder, venv / SITE_PACKAGES / "lildata_utils"
    return run


def tree(folder):
    kept = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in kept if path.is_file()}


def test_a_wheel_holds_the_package_the_notebooks_and_the_networks(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name.removeprefix("lildata_utils/") for name in names if ".dist-info/" not in name}
    shipped = {name for name in inside if name.startswith("shipped/")}
    assert inside - shipped == tree(Path(lildata_utils.__file__).parent)
    brought = {name.removeprefix("shipped/data/pretrained/") for name in shipped}
    assert {name for name in tree(PRETRAINED) if "checkpoint" not in name} <= brought
    notebooks = {f"shipped/notebooks/{path.name}" for path in NOTEBOOKS_FOLDER.glob("*.ipynb")}
    assert notebooks <= shipped
    assert "shipped/docs/results/reports/resnet.json" in shipped  # notebook 03 reads it


def test_the_commands_work_in_an_empty_folder(installed):
    package = tree(installed.package)
    where = installed("python", "-c", "from lildata_utils.files import *; print(PRETRAINED)")
    pretrained = Path(where.strip())
    assert pretrained == installed.package / "shipped" / "data" / "pretrained"
    assert installed("lildata", "--version") == f"lildata {lildata_utils.__version__}\n"
    checks = installed("lildata", "check")
    assert "[fail]" not in checks
    assert str(PROJECT_FOLDER) not in checks

    installed("lildata", "crate", "music", "--tracks", "1", "--seconds", "10", "--genres", "lofi")
    (track,) = (installed.folder / "music" / "lofi").glob("*.flac")
    assert "lofi" in installed("lildata", "classify", track)
    installed("lildata", "generate", pretrained / "lstm" / LSTM, "drawn.wav")
    installed("lildata", "transfer", track, "drawn.wav", "painted.wav", "--iterations", "1")
    assert {"drawn.wav", "drawn.png", "painted.wav", "painted.png"} <= tree(installed.folder)

    installed("lildata", "course", "--profile", "smoke", "--only", "00")
    page = (installed.folder / "course" / "00_start_here.html").read_text(encoding="utf-8")
    assert "Loaded the network that comes with the course (data/pretrained/lil_data:" in page
    assert tree(installed.package) == package


def test_the_demo_finds_its_page(installed):
    pytest.importorskip("voila")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    demo = installed.start("lildata", "demo", "--no-browser", "--port", port)
    try:
        link, *words = demo.stdout.readline().split()
        assert link.startswith(f"http://127.0.0.1:{port}/?token=")
        assert " ".join(words).startswith("is the page")
        for _ in range(100):
            try:
                page = urllib.request.urlopen(link, timeout=120).read()
                break
            except urllib.error.URLError:
                assert demo.poll() is None, demo.stderr.read()
                time.sleep(0.2)
    finally:
        demo.terminate()
        demo.communicate()
    assert b"Lil Data" in page
