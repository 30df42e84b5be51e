"""Listen to a library: one `lildata classify` against a process for each file; and a long mix.

The library is a hundred files of three minutes by default. A process a file is what a loop in the
shell would do; a few of its files are enough to tell what all would take. The mix is heard by a
process of its own, which tells how long it took once TensorFlow had started, and its peak memory.
One of ten hours, if it is wanted, must not need more.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from prepare import write_mix

from lildata_utils.machine import machine

LILDATA = [sys.executable, "-m", "lildata_utils"]
LISTEN = """
import json, re, sys, time
from pathlib import Path
import lildata_utils
started = time.perf_counter()
run = lildata_utils.load_listener()
import lildata_utils.backend
ready = time.perf_counter()
verdict = lildata_utils.classify_file(sys.argv[1], run)
done = time.perf_counter()
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps([ready - started, done - ready, len(verdict.probabilities), int(peak[1]) / 1e6]))
"""


def write_library(folder: Path, tracks: list[Path], files: int, minutes: float) -> None:
    """Write four files, and copies of them: nothing here looks for equal ones."""
    folder.mkdir()
    for number in range(files):
        path = folder / f"{number:03}.mp3"
        if number < 4:
            write_mix(path, tracks[number:] + tracks[:number], minutes)
        else:
            shutil.copy(folder / f"{number % 4:03}.mp3", path)


def timed(paths: list[Path]) -> float:
    """Classify what is named in a process of its own; give the seconds."""
    started = time.perf_counter()
    subprocess.run([*LILDATA, "classify", *map(str, paths)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def hear(mix: Path) -> tuple[float, float, int, float]:
    """Let a process hear a mix: seconds to start, seconds to hear, clips, peak memory in GB."""
    done = subprocess.run(
        [sys.executable, "-c", LISTEN, str(mix)], check=True, stdout=subprocess.PIPE, text=True
    )
    start_s, seconds, clips, memory_gb = json.loads(done.stdout)
    return start_s, seconds, clips, memory_gb


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100, help="of the library (default 100)")
    parser.add_argument("--minutes", type=float, default=3, help="of each of them (default 3)")
    parser.add_argument("--alone", type=int, default=8, help="heard by a process each (default 8)")
    parser.add_argument("--mix", type=float, default=25, help="minutes of the mix (default 25)")
    parser.add_argument("--long", type=float, default=0, help="hours of a long mix, such as 10")
    parser.add_argument("--rounds", type=int, default=3, help="of which the fastest counts")
    report.add_option(parser)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        crate = ["crate", str(folder / "crate"), "--tracks", "2", "--genres", "house,lofi"]
        subprocess.run([*LILDATA, *crate], check=True, stdout=subprocess.DEVNULL)
        tracks = sorted((folder / "crate").rglob("*.flac"))
        library = folder / "library"
        write_library(library, tracks, options.files, options.minutes)
        write_mix(folder / "mix.mp3", tracks, options.mix)
        print(
            f"{options.files} MP3 files of {options.minutes:g} minutes on {machine()}", flush=True
        )

        at_once, alone, mixes = [], [], []
        for _ in range(options.rounds):  # by turns
            at_once.append(timed([library]))
            alone.append(sum(timed([path]) for path in sorted(library.iterdir())[: options.alone]))
            mixes.append(hear(folder / "mix.mp3"))
        here_s = min(at_once)
        usual_s = min(alone) * options.files / options.alone
        start_s, mix_s, clips, memory_gb = min(mixes, key=lambda one: one[1])
        print(f"{'a process a file':34}{usual_s:9.1f} s (from {options.alone} files)")
        print(f"{'lildata classify':34}{here_s:9.1f} s")
        print(f"ratio {usual_s / here_s:.1f}")
        print(
            f"a mix of {options.mix:g} minutes: {mix_s:.1f} s after the start of TensorFlow "
            f"({start_s:.1f} s), {clips / mix_s:.0f} clips/s, peak {memory_gb:.2f} GB"
        )
        about = {"mix": {"minutes": options.mix, "start_s": start_s, "seconds": mix_s}}
        about["mix"] |= {"clips": clips, "memory_gb": memory_gb}
        if options.long:
            write_mix(folder / "long.mp3", tracks, options.long * 60)
            _, long_s, _, long_gb = hear(folder / "long.mp3")
            print(f"one of {options.long:g} hours: {long_s:.0f} s, peak {long_gb:.2f} GB")
            about["long_mix"] = {"hours": options.long, "seconds": long_s, "memory_gb": long_gb}
    music = f"{options.files} MP3 files of {options.minutes:g} minutes, rendered by the crate"
    name = f"listening to {options.files} files of {options.minutes:g} minutes, seconds"
    report.write(
        options.report,
        [report.compared(name, usual_s, here_s, usual_s / here_s)],
        data={"music": music, "files": options.files},
        settings={"rounds": options.rounds, "alone": options.alone},
        seeds=[],
        **about,
    )


if __name__ == "__main__":
    main()
