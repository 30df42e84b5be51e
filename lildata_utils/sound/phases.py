"""Guesses of the phases that a picture has lost: where an inversion starts.

Spectra are frame after frame here, shape (frames, bins), except in `start_phase` and
`phase_derivatives`. Notebook 06 compares the guesses.
"""

from itertools import islice
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from lildata_utils.errors import LilDataError
from lildata_utils.sound.iteration import SMALLEST, impose, iterate
from lildata_utils.sound.settings import STARTS
from lildata_utils.sound.spectrogram import GRID, HOP_LENGTH, N_FFT, Floats
from lildata_utils.sound.stft import Grid, Spectrum

# The Gaussian that resembles a Hann window best: exp(-pi t^2 / GAMMA), t in samples.
# Prusa, Balazs & Sondergaard (2017), table 1.
GAMMA = 0.25645 * N_FFT**2
# Below this level the logarithm is noise and its derivatives mean nothing.
AUDIBLE_DB = -120.0

# Each factor divides both window and hop, so that the coarse grid has the same frames and the same
# bins, only fewer of them. Its highest bins also hold what the lower sample rate folds back: only
# the lower ones (second number) are kept.
COARSE_GRIDS = ((35, 15), (7, 80))
RELAXATION = 0.9
RELAXED_ITERATIONS = 100
SETTLING_ITERATIONS = 30
SIGN_MEMORY = 5


def start_phase(magnitude: ArrayLike, start: str, seed: int = 0) -> Floats:
    """Guess the phases of a magnitude spectrogram (notebook 06).

    Parameters
    ----------
    magnitude : array_like, shape (..., 631, frames)
        Linear, at least 0.
    start : {"zero", "random", "pghi", "multiresolution"}
        All zero; uniformly random; integrated from the slopes of the magnitude (`pghi`); the same,
        then solved for the low frequencies at a lower sample rate (`multiresolution`).
    seed : int
        For random phases; each clip of a stack gets the same ones.

    Returns
    -------
    ndarray of float32, shape (..., 631, frames)
        In radians.
    """
    if start not in STARTS:
        raise LilDataError(f"start {start!r} is unknown: choose one of {', '.join(STARTS)}")
    target = np.asarray(magnitude, dtype=np.float32)
    guesses = dict(zip(STARTS, (_zero, _random, _pghi, _multiresolution), strict=True))
    phases = [guesses[start](rows, seed) for rows in frame_rows(target)]
    return np.stack(phases).swapaxes(1, 2).reshape(target.shape)


def frame_rows(target: Floats) -> Floats:
    """Lay a stack (..., bins, frames) out as (clips, frames, bins), in one piece (notebook 06)."""
    stack = target.reshape(-1, *target.shape[-2:])
    return np.ascontiguousarray(stack.swapaxes(1, 2))


def phase_derivatives(magnitude: ArrayLike) -> tuple[Floats, Floats]:
    """Tell from a magnitude's slopes how its phase goes on in time and frequency (notebook 06).

    For a Gaussian window of width gamma, with the phase counted from the middle of the window, the
    phase advances by ``hop (2 pi f + N / gamma dM/dm)`` a frame and by ``-gamma / (hop N) dM/dn`` a
    bin, where M is the natural logarithm of the magnitude, m the bin, n the frame and f = m / N
    (Prusa, Balazs & Sondergaard 2017; Portnoff 1979). Frames of an FFT count from their first
    sample instead, which adds pi a bin.

    Parameters
    ----------
    magnitude : array_like, shape (631, frames)
        Linear, at least 0; at least two frames.

    Returns
    -------
    per_frame, per_bin : ndarray of float32, shape (631, frames)
        In radians.

    Examples
    --------
    >>> click = np.zeros(17500)
    >>> click[10 * HOP_LENGTH + 20] = 1.0  # 20 samples behind the middle of frame 10
    >>> from lildata_utils.sound import spectrogram
    >>> _, per_bin = phase_derivatives(spectrogram.magnitude(click))
    >>> late = (np.pi - per_bin[100, 10]) * N_FFT / (2 * np.pi)
    >>> round(float(late))  # a Hann window is only nearly a Gaussian
    17
    """
    log_magnitude = _log(np.asarray(magnitude, dtype=np.float32))
    bins = np.arange(len(log_magnitude), dtype=np.float32)[:, None]
    slope_up = np.gradient(log_magnitude, axis=0)
    slope_on = np.gradient(log_magnitude, axis=1)
    per_frame = HOP_LENGTH * (2 * np.pi * bins / N_FFT + N_FFT / GAMMA * slope_up)
    per_bin = np.pi - GAMMA / (HOP_LENGTH * N_FFT) * slope_on
    return per_frame.astype(np.float32), per_bin.astype(np.float32)


def _zero(target: Floats, seed: int) -> Floats:
    return np.zeros_like(target)


def _random(target: Floats, seed: int) -> Floats:
    turns = np.random.default_rng(seed).random(target.shape, dtype=np.float32)
    return turns * np.float32(2 * np.pi)


def _log(target: Floats) -> Floats:
    top = max(float(target.max()), float(SMALLEST))
    return np.log(np.maximum(target, np.float32(top * 10 ** (AUDIBLE_DB / 20))))


def _pghi(target: Floats, seed: int) -> Floats:
    """Phase gradient heap integration: follow the derivatives from the loudest bins outwards.

    Prusa, Balazs & Sondergaard (2017). What is too soft to have a slope keeps random phases.
    """
    phase = _random(target, seed)
    per_frame, per_bin = phase_derivatives(target.T)
    log_magnitude = _log(target)
    _integrate(
        phase.reshape(-1),
        log_magnitude.reshape(-1),
        np.ascontiguousarray(per_frame.T).reshape(-1),
        np.ascontiguousarray(per_bin.T).reshape(-1),
        target.shape[1],
        np.argsort(-log_magnitude, axis=None),
        log_magnitude.max() + np.log(10) / 20 * (AUDIBLE_DB + 1),
    )
    return phase


def _compiled(function: Any) -> Any:
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder can be written that would keep what is compiled
        return numba.njit(nogil=True)(function)


@_compiled
def _integrate(
    phase: Any, level: Any, per_frame: Any, per_bin: Any, bins: int, order: Any, softest: float
) -> None:
    """Integrate the derivatives from neighbour to neighbour, always from the loudest known bin on.

    The known bins whose neighbours are still to come stand in a heap, the loudest at its root.
    """
    last = len(level)
    done = np.zeros(last, np.bool_)
    heap = np.empty(last, np.int64)
    for seed in order:
        if level[seed] < softest:
            break
        if done[seed]:
            continue
        # An island of sound: its phase against the other islands is free.
        done[seed] = True
        heap[0] = seed
        size = 1
        while size > 0:
            here = heap[0]
            size -= 1
            # Take the root out: the last one sinks from there to its place.
            moved = heap[size]
            place = 0
            while True:
                child = 2 * place + 1
                if child >= size:
                    break
                if child + 1 < size and level[heap[child + 1]] > level[heap[child]]:
                    child += 1
                if level[heap[child]] <= level[moved]:
                    break
                heap[place] = heap[child]
                place = child
            heap[place] = moved
            column = here % bins
            for way in range(4):
                if way == 0:
                    there, inside, slope = here + bins, here + bins < last, per_frame
                elif way == 1:
                    there, inside, slope = here - bins, here >= bins, per_frame
                elif way == 2:
                    there, inside, slope = here + 1, column + 1 < bins, per_bin
                else:
                    there, inside, slope = here - 1, column > 0, per_bin
                if not inside or done[there] or level[there] < softest:
                    continue
                done[there] = True
                mean = np.float32(0.5) * (slope[here] + slope[there])
                phase[there] = phase[here] + (mean if there > here else -mean)
                # Put it in: it climbs from the end to its place.
                place = size
                size += 1
                while place > 0:
                    parent = (place - 1) // 2
                    if level[heap[parent]] >= level[there]:
                        break
                    heap[place] = heap[parent]
                    place = parent
                heap[place] = there


def _multiresolution(target: Floats, seed: int) -> Floats:
    """Start from `_pghi`, then solve the low frequencies on coarser grids.

    The slopes of the magnitude mislead where a bin and its mirror image at negative frequencies
    overlap, in the lowest bins, and wrong phases there are a trap that Griffin & Lim's iteration
    does not leave: bass-heavy clips stick at -10 to -20 dB. At a 35th of the sample rate the same
    frames and bins are a problem of 3150 unknowns, small enough for a slower method that does leave
    such traps: relaxed averaged alternating reflections (Luke 2005).
    """
    phase = _pghi(target, seed)
    phase[:, 0] = np.where(_signs(target[:, 0]) > 0, 0, np.pi)
    for factor, kept in COARSE_GRIDS:
        grid = Grid(N_FFT // factor, HOP_LENGTH // factor)
        lower = np.ascontiguousarray(target[:, : grid.bins])
        spectrum = lower * np.exp(1j * phase[:, : grid.bins])
        for _ in range(RELAXED_ITERATIONS):
            spectrum = _reflect(grid, spectrum, lower)
        settling = iterate(grid, lower, grid.synthesise(spectrum), "fast_griffin_lim")
        sound = next(islice(settling, SETTLING_ITERATIONS - 1, None))
        phase[:, :kept] = np.angle(grid.analyse(sound))[:, :kept]
    return phase


def _reflect(grid: Grid, spectrum: Spectrum, target: Floats) -> Spectrum:
    """Do one step of relaxed averaged alternating reflections (Luke 2005, equation 5)."""
    consistent = grid.analyse(grid.synthesise(spectrum))
    fitting = impose(2 * consistent - spectrum, target)
    return RELAXATION * (spectrum + fitting) + (1 - 2 * RELAXATION) * consistent


def _signs(level: Floats) -> NDArray[np.float64]:
    """Find where the bin at 0 Hz changes its sign: it is real, so that its phase is 0 or pi.

    Over the frames it is a signal through the window's low-pass, and so it is smooth. Of all
    sequences of signs we take the one that is easiest to predict from its past, by the best
    predictor of white noise through that window, with a Viterbi search.
    """
    return _search_signs(level.astype(np.float64), _prediction_error(SIGN_MEMORY))


def _prediction_error(order: int) -> NDArray[np.float64]:
    """Design the filter that leaves the least of white noise seen through the window."""
    window = GRID.window.astype(np.float64)
    lags = [
        window[: N_FFT - lag] @ window[lag:]
        for lag in range(0, (order + 1) * HOP_LENGTH, HOP_LENGTH)
    ]
    correlation = np.array([[lags[abs(i - j)] for j in range(order)] for i in range(order)])
    # A trace of noise keeps the equations solvable.
    correlation += 1e-5 * lags[0] * np.eye(order)
    return np.concatenate([[1.0], -np.linalg.solve(correlation, lags[1:])])


@_compiled
def _search_signs(level: Any, error_filter: Any) -> Any:
    """Choose signs so that the filtered sequence has the least energy.

    A state holds the signs of the last frames as bits, the newest one as bit 0.
    """
    order = len(error_filter) - 1
    states = 1 << order
    oldest = 1 << (order - 1)
    cost = np.zeros(states)
    came_from_minus = np.zeros((len(level), states), np.bool_)
    for frame in range(len(level)):
        new_cost = np.empty(states)
        for state in range(states):
            known = 0.0
            for lag in range(min(order, frame + 1)):
                sign = 1.0 if (state >> lag) & 1 else -1.0
                known += error_filter[lag] * sign * level[frame - lag]
            last = error_filter[order] * level[frame - order] if frame >= order else 0.0
            minus = cost[state >> 1] + (known - last) ** 2
            plus = cost[(state >> 1) | oldest] + (known + last) ** 2
            came_from_minus[frame, state] = minus <= plus
            new_cost[state] = min(minus, plus)
        cost = new_cost
    signs = np.empty(len(level))
    state = int(np.argmin(cost))
    for frame in range(len(level) - 1, -1, -1):
        signs[frame] = 1.0 if state & 1 else -1.0
        state = (state >> 1) | (0 if came_from_minus[frame, state] else oldest)
    return signs
