"""Prepare MP3 mixes: `lildata prepare` against the usual way, in one run, with peak memory.

The usual way: for each clip ``librosa.load(offset=, duration=5)``, ``librosa.stft``,
``amplitude_to_db``, and a PNG. Both work on the same mixes of the crate; each is a process of its
own, and the usual way gets a share of the clips, since it takes so long. A third run prepares one
mix of three hours, to show that its length costs time but no memory.
"""

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import report
import soundfile

from lildata_utils.machine import machine
from lildata_utils.sound.audio import info, read

USUAL_WAY = """
import sys
from pathlib import Path
import librosa
import matplotlib.image
import numpy as np

out, clips = Path(sys.argv[1]), int(sys.argv[2])
mixes = [Path(name) for name in sys.argv[3:]]
for mix in mixes:
    for number in range(clips):
        y, rate = librosa.load(mix, sr=22_050, offset=5 * number, duration=5)
        magnitude = np.abs(librosa.stft(y, n_fft=1260, hop_length=175))
        db = librosa.amplitude_to_db(magnitude, ref=np.max)
        matplotlib.image.imsave(out / f"{mix.stem}-{number}.png", db, cmap="gray", origin="lower")
"""


def peak_memory(command: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds and the peak of its and its workers' memory in GB."""
    started = time.perf_counter()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        used = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                used += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak = max(peak, used)
        time.sleep(0.05)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command[:4])} … failed")
    return time.perf_counter() - started, peak / 1e9


def write_mix(path: Path, tracks: list[Path], minutes: float) -> None:
    """Write tracks one after another, again and again, as a stereo MP3 at 44.1 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", 44_100, channels=2) as sound:
        left = round(minutes * 60 * 44_100)
        for track in itertools.cycle(tracks):
            waveform = np.repeat(read(track), 2)[:left]
            sound.write(np.stack([waveform, np.roll(waveform, 9)], axis=1))
            left -= len(waveform)
            if left == 0:
                return


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20, help="of each mix (default 20)")
    parser.add_argument("--long", type=float, default=180, help="minutes of the long mix")
    report.add_option(parser)
    options = parser.parse_args()
    lildata = [sys.executable, "-m", "lildata_utils"]

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        crate = [
            *lildata,
            "crate",
            str(folder / "crate"),
            "--tracks",
            "2",
            "--genres",
            "house,lofi",
        ]
        subprocess.run(crate, check=True, stdout=subprocess.DEVNULL)
        mixes = []
        for genre in ("house", "lofi"):
            tracks = sorted((folder / "crate" / genre).glob("*.flac"))
            for number in range(2):
                mixes.append(folder / "mixes" / genre / f"{genre} {number}.mp3")
                # The second mix is not the first: duplicates would be left out.
                write_mix(mixes[-1], tracks[:: 1 - 2 * number], options.minutes)
        seconds = sum(info(mix).duration_s for mix in mixes)

        ours_s, ours_gb = peak_memory(
            [*lildata, "prepare", str(folder / "mixes"), str(folder / "out"), "--workers", "2"]
        )
        ours = seconds / 5 / ours_s
        (folder / "png").mkdir()
        names = [str(mix) for mix in mixes]
        usual = [sys.executable, "-c", USUAL_WAY, str(folder / "png")]
        # Once for nothing: librosa's first calls compile.
        peak_memory([*usual, "1", *names[:1]])
        clips = int(options.minutes * 60 / 5 / 4)
        start_s, _ = peak_memory([*usual, "0", *names])
        usual_s, usual_gb = peak_memory([*usual, str(clips), *names])
        theirs = clips * len(mixes) / (usual_s - start_s)

        print(f"{len(mixes)} MP3 mixes of {options.minutes:g} minutes on {machine()}")
        print(f"{'':34}{'clips/s':>9}{'peak GB':>9}")
        print(f"{'the usual way (start not counted)':34}{theirs:9.1f}{usual_gb:9.2f}")
        print(f"{'lildata prepare (start counted)':34}{ours:9.1f}{ours_gb:9.2f}")
        print(f"ratio {ours / theirs:.1f}")

        shutil.rmtree(folder / "out")
        write_mix(folder / "long/house/long.mp3", tracks, options.long)
        long_s, long_gb = peak_memory(
            [*lildata, "prepare", str(folder / "long"), str(folder / "out")]
        )
        print(f"one mix of {options.long:g} minutes: {long_s:.0f} s, peak {long_gb:.2f} GB")
    music = f"{len(mixes)} MP3 mixes of {options.minutes:g} minutes, rendered by the crate"
    report.write(
        options.report,
        [report.compared("preparing, clips a second", theirs, ours, ours / theirs)],
        data={"music": music, "mixes": len(mixes), "minutes": options.minutes},
        settings={"processes": 2},
        seeds=[],
        long_mix={"minutes": options.long, "seconds": long_s, "memory_gb": long_gb},
    )


if __name__ == "__main__":
    main()
