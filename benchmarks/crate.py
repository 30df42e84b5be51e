"""How fast is the crate? Seconds of music per second and core, and memory, for every genre.

Each genre is rendered in a process of its own, so that its peak memory is its own; processor
time is counted, not the clock, so that other programs disturb little. The last lines render an
hour-long mix block by block and say how long 13.5 hours (the paper's 9750 clips) would take.
"""

import argparse
import multiprocessing
import resource
import time

from lildata_utils.crate.composing import compose
from lildata_utils.crate.mixes import plan_mix, render_mix
from lildata_utils.crate.rendering import render
from lildata_utils.genres import GENRES
from lildata_utils.machine import machine

PAPER_S = 9750 * 5.0


def measure(job: tuple[str, int]) -> tuple[float, float, float]:
    """Render some tracks of a genre: (seconds of music, processor seconds, peak memory in MB)."""
    genre, tracks = job
    started = time.process_time()
    music_s = 0.0
    for number in range(tracks):
        track = compose(genre, number)
        render(track)
        music_s += track.duration_s
    return music_s, time.process_time() - started, peak_memory_mb()


def measure_mix(minutes: float) -> tuple[float, float, float]:
    """Render a long mix of liquid drum and bass without keeping it."""
    started = time.process_time()
    mix = plan_mix("liquid_dnb", range(round(minutes / 2.3)))
    for _ in render_mix(mix):
        pass
    return mix.duration_s, time.process_time() - started, peak_memory_mb()


def peak_memory_mb() -> float:
    """Peak of this process's memory (Linux counts it in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=8, help="of each genre (default 8)")
    parser.add_argument("--minutes", type=float, default=60.0, help="of the mix (default 60)")
    options = parser.parse_args()
    print(machine())
    print("| genre | seconds of music | per second and core | peak memory |\n|---|---|---|---|")
    speeds = []
    context = multiprocessing.get_context("spawn")
    for genre in GENRES:
        with context.Pool(1) as pool:
            music_s, took_s, memory_mb = pool.apply(measure, ((genre, options.tracks),))
        speeds.append(music_s / took_s)
        print(f"| {genre} | {music_s:.0f} | {speeds[-1]:.0f} | {memory_mb:.0f} MB |", flush=True)
    with context.Pool(1) as pool:
        music_s, took_s, memory_mb = pool.apply(measure_mix, (options.minutes,))
    print(f"| a mix | {music_s:.0f} | {music_s / took_s:.0f} | {memory_mb:.0f} MB |")
    paper_s = sum(PAPER_S / len(GENRES) / speed for speed in speeds) / 2
    print(f"13.5 hours of music, equally of all genres, on two cores: {paper_s:.0f} s")


if __name__ == "__main__":
    main()
