"""More processes, machines and hours: how fast `prepare` gets, and what a killed worker costs.

First the same mixes are prepared by one process, by two, and by a Dask cluster of two worker
processes, then with one of the two killed in the middle: every data set must have the same bytes.
Then more and more hours, whose shards are deleted as they come, to see the memory of the process
that deals out the work. The music is two mixes under ever other tags, since equal files are left
out.
"""

import argparse
import hashlib
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import matplotlib.figure
import psutil
import report
from prepare import write_mix

from lildata_utils.clips.prepare import prepare
from lildata_utils.clips.shards import IMAGE_BYTES
from lildata_utils.machine import machine
from lildata_utils.parallel import map_unordered
from lildata_utils.sound.spectrogram import CLIP_S

MINUTES = 10  # of a mix
LILDATA = [sys.executable, "-m", "lildata_utils"]
GENRES = ("house", "lofi")
# What is worked out from all this.
FAR_HOURS, FAR_MACHINES = 10_000, 50
FAR_ROW = "Dask, two workers"


def write_originals(folder: Path) -> list[Path]:
    """Render a mix of each genre."""
    names = ["--tracks", "2", "--genres", ",".join(GENRES)]
    subprocess.run([*LILDATA, "crate", str(folder), *names], check=True, stdout=subprocess.DEVNULL)
    for genre in GENRES:
        write_mix(folder / f"{genre}.mp3", sorted((folder / genre).glob("*.flac")), MINUTES)
    return [folder / f"{genre}.mp3" for genre in GENRES]


def write_music(folder: Path, originals: list[Path], hours: float) -> None:
    """Write mixes with tags in front whose lengths differ, as those of other files do."""
    for number, original in zip(
        range(round(hours * 60 / MINUTES)), itertools.cycle(originals), strict=False
    ):
        path = folder / original.stem / f"{number:05}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        length = 10 + number
        tag = b"ID3\x03\x00\x00" + bytes(length >> bits & 127 for bits in (21, 14, 7, 0))
        path.write_bytes(tag + bytes(length) + original.read_bytes())


def digest(folder: Path) -> str:
    """Sum up all files of a data set."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


def shards(out: Path) -> list[Path]:
    """List the shards that are whole."""
    return [path for path in out.rglob("*.npy") if path.name[0] != "."]


def timed(source: Path, out: Path, how: list[str], kill: Any = None) -> float:
    """Prepare; call `kill` with the process when half of the shards are there. Give the seconds."""
    files = len(list(source.rglob("*.mp3")))
    started = time.perf_counter()
    command = [*LILDATA, "prepare", str(source), str(out), "--split", "clip", *how]
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        if kill is not None and len(shards(out)) >= files / 2:
            kill(process)
            kill = None
        time.sleep(0.02)
    if process.returncode != 0 or kill is not None:
        raise SystemExit(f"{' '.join(how)} failed, or was done before a worker was killed")
    return time.perf_counter() - started


def kill_local(process: psutil.Process) -> None:
    """Kill a worker of a run."""
    next(one for one in process.children() if "spawn_main" in " ".join(one.cmdline())).kill()


def compare(folder: Path, source: Path, clips: int, rounds: int) -> list[dict[str, Any]]:
    """Prepare in every way, by turns; the fastest time of each way counts."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        far = ["--dask", cluster.scheduler_address]

        def kill_far(_: psutil.Process) -> None:
            psutil.Process(next(iter(cluster.workers.values())).pid).kill()

        ways: dict[str, tuple[list[str], Any]] = {
            "one process": (["--workers", "1"], None),
            "two processes": (["--workers", "2"], None),
            "two processes, one killed": (["--workers", "2"], kill_local),
            FAR_ROW: (far, None),
            "Dask, two workers, one killed": (far, kill_far),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        digests = set()
        for _ in range(rounds):
            for name, (how, kill) in ways.items():
                seconds[name].append(timed(source, folder / "out", how, kill))
                digests.add(digest(folder / "out"))
                shutil.rmtree(folder / "out")
                print(f"{name}: {seconds[name][-1]:.1f} s", flush=True)
    if len(digests) != 1:
        raise SystemExit("the data sets differ")
    best = {name: min(all_of_it) for name, all_of_it in seconds.items()}
    return [
        {"name": name, "seconds": best[name], "clips_a_second": clips / best[name]} for name in ways
    ]


def deal_out_empty_jobs(jobs: int) -> float:
    """Give the seconds that a job of no work takes on a cluster."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        started = time.perf_counter()
        list(map_unordered(abs, range(jobs), cluster.scheduler_address))
        return (time.perf_counter() - started) / jobs


def prepare_and_forget(source: Path, out: Path) -> None:
    """Prepare, and delete the shards as they come; print clips and own memory as lines of JSON."""
    own = psutil.Process()
    for progress in prepare(source, out, split="clip", workers=2):
        memory_mb = own.memory_info().rss / 1e6
        print(json.dumps([progress.clips, memory_mb]), flush=True)
        for shard in shards(out):
            shard.unlink()
    # Not getrusage's: a process inherits it from the one that started it.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    print(json.dumps([progress.clips, int(peak[1]) / 1000 if peak else None]))


def follow(source: Path, out: Path) -> Iterator[tuple[float, int, float]]:
    """Watch `prepare_and_forget` in a process of its own: seconds, clips, memory in MB."""
    started = time.perf_counter()
    command = [sys.executable, __file__, "--forget", str(source), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            clips, memory_mb = json.loads(line)
            yield time.perf_counter() - started, clips, memory_mb
    if process.returncode != 0:
        raise SystemExit("prepare failed")


def measure_memory(
    folder: Path, originals: list[Path], all_hours: list[float]
) -> tuple[list[dict[str, Any]], dict[float, list[tuple[float, int, float]]]]:
    """Prepare more and more hours; a row for each, and the curves of memory."""
    rows, curves = [], {}
    for hours in all_hours:
        write_music(folder / "long", originals, hours)
        steps = list(follow(folder / "long", folder / "out"))
        # The last is the peak: that of the tables, which are made of what all clips are.
        *coming, (seconds, clips, peak_mb) = steps
        coming.pop()  # after the tables
        curves[hours] = coming
        rows.append(
            {
                "hours": hours,
                "files": round(hours * 60 / MINUTES),
                "clips": clips,
                "seconds": seconds,
                "first_s": coming[0][0],
                "memory_mb": max(memory_mb for _, _, memory_mb in coming),
                "peak_mb": peak_mb,
            }
        )
        print(rows[-1], flush=True)
        shutil.rmtree(folder / "long")
        shutil.rmtree(folder / "out")
    return rows, curves


def plot(path: Path, curves: dict[float, list[tuple[float, int, float]]]) -> None:
    """Draw the memory of the parent over the hours that are done."""
    figure = matplotlib.figure.Figure((7, 3.2), layout="constrained")
    axes = figure.subplots()
    for hours, steps in curves.items():
        done = [max(clips, 1) * CLIP_S / 3600 for _, clips, _ in steps]
        axes.plot(done, [memory_mb for *_, memory_mb in steps], label=f"of {hours:g} h")
    axes.set(xscale="log", xlabel="hours of music prepared", ylabel="memory of the parent (MB)")
    axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
    axes.legend()
    figure.savefig(path, dpi=110)


def work_out(rate: float, job_s: float, bytes_an_hour: float) -> dict[str, float]:
    """Say what many hours would need on many machines such as this one."""
    clips = FAR_HOURS * 3600 / CLIP_S
    return {
        "hours": FAR_HOURS,
        "machines": FAR_MACHINES,
        "clips": clips / 1e6,
        "rate": rate * FAR_MACHINES,
        "minutes": clips / (rate * FAR_MACHINES) / 60,
        "terabytes": clips * IMAGE_BYTES / 1e12,
        "write_gb_s": rate * FAR_MACHINES * IMAGE_BYTES / 1e9,
        "disk_minutes": clips * IMAGE_BYTES / 1e9 / 60,
        "read_gb": FAR_HOURS * bytes_an_hour / 1e9,
        "dealing_s": FAR_HOURS * 60 / MINUTES * job_s,
    }


def work_out_memory(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Say what the parent would need for many hours: what it needs more for every hour."""
    first, last = rows[0], rows[-1]
    hours = last["hours"] - first["hours"]
    return {
        # The start of Python, which hours share, is within the noise.
        "looking_s": FAR_HOURS * last["first_s"] / last["hours"],
        "coming_gb": FAR_HOURS * (last["memory_mb"] - first["memory_mb"]) / hours / 1000,
        "with_tables_gb": FAR_HOURS * (last["peak_mb"] - first["peak_mb"]) / hours / 1000,
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", help="measure the memory over these, such as 1,10,100")
    parser.add_argument("--compared", type=float, default=2, help="hours for the speed (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the fastest counts")
    parser.add_argument("--folder", help="where up to 10 GB may lie for a while")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the memory there")
    parser.add_argument("--forget", nargs=2, type=Path, help=argparse.SUPPRESS)
    report.add_option(parser)
    options = parser.parse_args()
    if options.forget:
        prepare_and_forget(*options.forget)
        return
    about: dict[str, Any]
    data = {"music": f"MP3 mixes of {MINUTES} minutes, rendered by the crate"}
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        originals = write_originals(folder / "originals")
        print(f"mixes of {MINUTES} minutes on {machine()}", flush=True)
        if options.hours:
            hours = [float(part) for part in options.hours.split(",")]
            rows, curves = measure_memory(folder, originals, hours)
            if options.plot:
                plot(options.plot, curves)
            settings, about = {"processes": 2}, {"worked_out": work_out_memory(rows)}
        else:
            write_music(folder / "music", originals, options.compared)
            clips = round(options.compared * 3600 / CLIP_S)
            rows = compare(folder, folder / "music", clips, options.rounds)
            job_s = deal_out_empty_jobs(2000)
            print(f"an empty job of a cluster: {1000 * job_s:.2f} ms")
            an_hour = originals[0].stat().st_size * 60 / MINUTES
            rate = next(row["clips_a_second"] for row in rows if row["name"] == FAR_ROW)
            data |= {"clips": f"{clips}"}
            settings = {"rounds": options.rounds}
            about = {"job_ms": 1000 * job_s, "worked_out": work_out(rate, job_s, an_hour)}
    report.write(options.report, rows, data=data, settings=settings, seeds=[], **about)


if __name__ == "__main__":
    main()
