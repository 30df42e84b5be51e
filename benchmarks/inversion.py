"""Turn spectrograms of recordings back into sound: our way, librosa's and pghipy's, side by side.

From each recording one clip of 5 s is taken, its magnitude is kept and its phase thrown away. All
methods get the same magnitudes; they take turns clip by clip, so that whatever else the machine
does hits all of them. What is compared is the spectral convergence (SC, lower is better) and the
seconds a clip. The first clip is inverted once before, so that nothing is compiled while the clock
runs, and measuring SC is not counted.

    python benchmarks/inversion.py [MUSIC] [--at 20] [--out FOLDER] [--report FILE]

MUSIC is a folder with recordings anywhere below it; without it, tracks of the crate are rendered.
`inversion.csv` (a row a clip, method and number of iterations) and `inversion.png` go to FOLDER.
The exit status is 0 if the three promises at the end hold.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pghipy
import report

from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.settings import Collection
from lildata_utils.files import DATA_FOLDER, written_beside
from lildata_utils.machine import machine
from lildata_utils.show import figures
from lildata_utils.sound import audio, phases
from lildata_utils.sound.inversion import invert, spectral_convergence_db
from lildata_utils.sound.spectrogram import CLIP_S, HOP_LENGTH, N_FFT, Floats, magnitude

PROMISED_RATIO = 2.0
PROMISED_DB = 3.0
OURS = "here, multiresolution (the default)"
OURS_RANDOM = "here, from random phases, accelerated"
OURS_PGHI = "here, from PGHI"
LIBROSA = "librosa.griffinlim"
PGHIPY = "pghipy.pghi"

# (seconds, iterations, sound) after each number of iterations that is looked at.
Curve = Iterator[tuple[float, int, Floats]]


def main() -> int:
    """Run the comparison; return the exit status."""
    parser = argparse.ArgumentParser(description="Inversion our way, librosa's and pghipy's.")
    parser.add_argument("music", type=Path, nargs="?", help="a folder of recordings")
    parser.add_argument("--at", type=float, default=20.0, help="where the clips start, in s")
    parser.add_argument("--out", type=Path, default=DATA_FOLDER / "benchmark")
    report.add_option(parser)
    options = parser.parse_args()
    clips = dict(read_clips(options.music or rendered_music(), options.at))
    print(f"{machine()}\n{len(clips)} clips of {CLIP_S:.0f} s, {options.at:.0f} s into each track")

    rows = []
    for number, (name, sound) in enumerate(clips.items()):
        target = magnitude(sound)
        if number == 0:
            for method in METHODS.values():
                for _ in method(target, (2,)):
                    pass
        for name_of_method, method in METHODS.items():
            for seconds, iterations, waveform in method(target, LOOKS[name_of_method]):
                level_db = float(spectral_convergence_db(waveform, target))
                rows.append((name, name_of_method, iterations, seconds, level_db))
        print(f"{name}: {rows[-1][-1]:.1f} dB", flush=True)
    table = pd.DataFrame(rows, columns=["clip", "method", "iterations", "seconds", "sc_db"])
    with written_beside(options.out / "inversion.csv") as beside:
        table.to_csv(beside, index=False)
    groups = table.groupby(["method", "iterations"], sort=False)
    means = groups[["seconds", "sc_db"]].mean()
    means["worst_sc_db"] = groups["sc_db"].max()
    print(means.round(2).to_string())
    report.write(
        options.report,
        [
            {"method": method, "iterations": int(iterations)}
            | dict(zip(("seconds", "mean_db", "worst_db"), map(report.rounded, row), strict=True))
            for (method, iterations), row in zip(means.index, means.to_numpy(), strict=True)
        ],
        data={
            "music": f"recordings of {options.music}" if options.music else "tracks of the crate",
            "clips": len(clips),
            "at_s": options.at,
        },
        settings={"clip_s": CLIP_S},
        seeds=[0],
    )
    curves = {
        method: (part["seconds"].to_numpy(), part["sc_db"].to_numpy())
        for method, part in means[::-1].reset_index().groupby("method", sort=False)
    }
    with written_beside(options.out / "inversion.png") as beside:
        figure = figures.lines(
            curves,
            "time for a clip of 5 s (s)",
            "spectral convergence (dB)",
            "further down and to the left is better",
            logarithmic="x",
        )
        beside.write_bytes(figures.png(figure))
    return judge(means)


def judge(means: pd.DataFrame) -> int:
    """Print whether the promises hold; return the exit status."""
    times, levels = means["seconds"], means["sc_db"]
    ratio = times[LIBROSA, 100] / times[OURS_RANDOM, 100]
    gain_db = levels[LIBROSA, 100] - levels[OURS_RANDOM, 100]
    print(f"100 iterations from random phases: {ratio:.2f} times as fast, {gain_db:+.2f} dB better")
    held = [ratio >= PROMISED_RATIO and gain_db >= 0]
    rivals = {100: [(LIBROSA, 100), (PGHIPY, 0)], 500: [(LIBROSA, 500)]}
    for iterations, others in rivals.items():
        in_time = means.loc[OURS][times[OURS] <= times[LIBROSA, iterations]]
        best = in_time["sc_db"].min()
        for other in others:
            gain_db = levels[other] - best
            print(
                f"in the time of librosa's {iterations} iterations "
                f"({times[LIBROSA, iterations]:.2f} s): {best:.1f} dB after "
                f"{in_time['seconds'].max():.2f} s, {gain_db:.1f} dB below {other[0]}"
            )
            held.append(gain_db >= PROMISED_DB)
    print("all promises hold" if all(held) else "a promise does NOT hold")
    return 0 if all(held) else 1


def read_clips(folder: Path, start_s: float) -> Iterator[tuple[str, Floats]]:
    """Yield one clip of each recording below a folder, with its name."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            sound = audio.read(path, start_s, CLIP_S)
        except audio.AudioError:
            continue
        if len(sound) == round(CLIP_S * 22_050):
            yield f"{path.parent.name}/{path.stem}", sound


def rendered_music() -> Path:
    """Render five tracks of each genre of the crate."""
    folder = DATA_FOLDER / "benchmark" / "inversion-music"
    for _ in write_collection(folder, Collection(tracks=5, duration_s=40.0)):
        pass
    return folder


def ours(start: str, method: str) -> Callable[[Floats, tuple[int, ...]], Curve]:
    """Make a curve of one of our starts and methods."""

    def curve(target: Floats, looks: tuple[int, ...]) -> Curve:
        spent, began = 0.0, time.perf_counter()
        for step in invert(target, method, max(looks), start):
            spent += time.perf_counter() - began
            if step.number in looks:
                yield spent, step.number, step.waveform
            began = time.perf_counter()

    return curve


def librosas(target: Floats, looks: tuple[int, ...]) -> Curve:
    """Make a curve of librosa's: it shows no steps, so that each number is a run of its own."""
    for iterations in looks:
        began = time.perf_counter()
        sound = librosa.griffinlim(
            target, n_iter=iterations, hop_length=HOP_LENGTH, n_fft=N_FFT, random_state=0
        )
        yield time.perf_counter() - began, iterations, sound


def pghipys(target: Floats, looks: tuple[int, ...]) -> Curve:
    """Make the one point of pghipy's heap integration, for our window."""
    began = time.perf_counter()
    phase = pghipy.pghi(target.T, N_FFT, HOP_LENGTH, phases.GAMMA).T
    sound = librosa.istft(target * np.exp(1j * phase), hop_length=HOP_LENGTH, n_fft=N_FFT)
    yield time.perf_counter() - began, 0, sound


METHODS: dict[str, Callable[[Floats, tuple[int, ...]], Curve]] = {
    LIBROSA: librosas,
    PGHIPY: pghipys,
    "here, from random phases, Griffin-Lim": ours("random", "griffin_lim"),
    "here, from random phases, fast": ours("random", "fast_griffin_lim"),
    OURS_RANDOM: ours("random", "accelerated_griffin_lim"),
    OURS_PGHI: ours("pghi", "fast_griffin_lim"),
    OURS: ours("multiresolution", "fast_griffin_lim"),
}
STEPS = (32, 100, 200)
LOOKS = {
    LIBROSA: (32, 100, 500),
    PGHIPY: (0,),
    "here, from random phases, Griffin-Lim": STEPS,
    "here, from random phases, fast": STEPS,
    OURS_RANDOM: STEPS,
    OURS_PGHI: (0, *STEPS),
    OURS: (0, 10, *STEPS, 500, 1000),
}


if __name__ == "__main__":
    sys.exit(main())
