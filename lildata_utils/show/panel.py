"""The panel of style transfer: choose two sounds and a network, press Run, watch, listen, save.

Notebook 04 shows it, and `lildata demo` as a page. It computes nothing itself: the room `transfer`
does.

A run has two threads. One computes the steps and puts them into a queue; the other takes them out,
as fast as it can draw them. So a step of VGG-19, which takes seconds, keeps nobody from stopping,
and drawing costs the computing little. The callbacks of the buttons only start and stop them.
"""

import html
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from lildata_utils.files import DATA_FOLDER, shown
from lildata_utils.show import figures, learning_figures
from lildata_utils.show.chooser import BLACK, COLUMN, SILENCE, STYLE, WIDE, ClipChooser, crate_clips
from lildata_utils.show.panels import Panel
from lildata_utils.show.players import SpectrogramPlayer
from lildata_utils.sound.clip import Clip
from lildata_utils.sound.spectrogram import Floats, rounded
from lildata_utils.transfer import settings
from lildata_utils.transfer.settings import Transfer

# TensorFlow takes seconds to load: the threads load it, while the panel is looked at.
if TYPE_CHECKING:
    from lildata_utils.transfer.files import Result
    from lildata_utils.transfer.painting import PaintingStep
    from lildata_utils.transfer.style_network import StyleNetwork

RESULTS_FOLDER = DATA_FOLDER / "transfers"
PREVIEW_S = 0.7
KEPT_STEPS = 40  # of a run, to look back at; 1.6 MB each

NETWORKS = {preset.title: name for name, preset in settings.PRESETS.items()}
STARTS = {"noise" if name == "noise" else f"the {name}": name for name in settings.STARTS}
PHASES = dict(zip(("the content's phases", "the picture alone"), settings.PHASES, strict=True))
WEIGHTS = (0.0, *(float(f"{digit}e{power}") for power in range(-1, 5) for digit in (1, 2, 5)), 1e5)
ITERATIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

# What a button sets: the paper's numbers, one cost alone, or a pair of genres.
OF_LIL_DATA = settings.PRESETS[settings.LIL_DATA]
PRESETS: dict[str, dict[str, Any]] = {
    f"{paper.title}, {words}": {
        "network": name,
        "alpha": paper.alpha,
        "beta": paper.beta,
        "start": "content",
        "iterations": iterations,
    }
    for name, paper in settings.PRESETS.items()
    for words, iterations in (("early stop", paper.early_stop), ("full", paper.full))
}
PRESETS |= {
    "Style only": {"alpha": 0.0, "beta": OF_LIL_DATA.beta, "start": "noise"},
    "Content only": {"alpha": OF_LIL_DATA.alpha, "beta": 0.0, "start": "noise"},
    "Lo-fi as future bass": {"content": "lofi", "style": "future_bass"},
    "Yung gravy as lo-fi": {"content": "yung_gravy", "style": "lofi"},
}

INDENT = widgets.Layout(margin="0 0 0 8.3rem")
COLUMNS = widgets.Layout(  # two where there is room for them, never three
    grid_template_columns="repeat(auto-fit, minmax(min(100%, max(24rem, 40%)), 1fr))",
    grid_gap="16px 24px",
    margin="12px 0",
)
INDENTED = "margin-left: 8.3rem; min-height: 1.5em; line-height: 1.5; font-size: 90%"


@dataclass(frozen=True, eq=False)
class _Job:
    """A transfer on its way: what it is made of, and the queue between its two threads."""

    settings: Transfer
    content: Clip
    style: Clip
    steps: SimpleQueue["PaintingStep | Exception | None"] = field(default_factory=SimpleQueue)
    stopped: threading.Event = field(default_factory=threading.Event)
    kept: dict[int, "PaintingStep"] = field(default_factory=dict)

    def stop(self) -> None:
        self.stopped.set()
        self.steps.put(None)  # wakes the thread that draws

    def keep(self, step: "PaintingStep") -> None:
        """Keep a step to look back at; of too many, every second one goes."""
        if len(self.kept) >= KEPT_STEPS:
            for number in list(self.kept)[1::2]:
                del self.kept[number]
        self.kept[step.number] = step


class TransferPanel(Panel):
    """Genre transfer with sliders: Run computes what is chosen (notebook 04).

    Parameters
    ----------
    clips : mapping of str to Path, optional
        Audio files to choose from, by name (default: `crate_clips`); a preset finds those of a
        genre by the name of their folder.
    folder : Path
        Where Save writes to, and where uploaded files are kept.

    Attributes
    ----------
    result : Result or None
        Of the last run, at the iteration that `look_back` is set to.
    """

    def __init__(
        self, clips: Mapping[str, Path] | None = None, folder: Path = RESULTS_FOLDER
    ) -> None:
        super().__init__()
        files = crate_clips() if clips is None else clips
        self.result: Result | None = None
        self._folder = folder
        self._job: _Job | None = None
        self._wanted = 0  # the step to present; what a browser says of its slider may come late
        self._networks: dict[str, StyleNetwork] = {}
        self._seen = False
        self._played: dict[SpectrogramPlayer, tuple[Floats, float]] = {}
        self._computing = threading.Lock()  # networks are loaded and used by one thread at a time
        self._drawing = threading.RLock()

        parts = (files, folder / "uploads", self._play, self._say)
        self.content = ClipChooser("Content", *parts)
        self.style = ClipChooser("Style", *parts, shown=self._see)
        self.player = SpectrogramPlayer(SILENCE, "Result", BLACK)
        self.look_back = _slider("look back at", (0,), 0)

        self.network = _dropdown("network", NETWORKS)
        self.weights = widgets.HTML()
        self.alpha = _slider("alpha (content)", WEIGHTS, 50.0)
        self.beta = _slider("beta (style)", WEIGHTS, 500.0)
        self.iterations = _slider("iterations", ITERATIONS, 100)
        self.start = _dropdown("start from", STARTS)
        self.phase = _dropdown("sound from", PHASES)
        self.presets = [_button(name, self._set_preset) for name in PRESETS]
        self.run = _button("▶ Run", self._run, "success")
        self.stop = _button("■ Stop", self._stop, "danger")
        self.save = _button("Save", self._save)
        self.progress = widgets.IntProgress(bar_style="info", layout=WIDE)
        self.costs = widgets.Image(format="png", layout=widgets.Layout(width="100%"))

        self._set(PRESETS["Lil Data, early stop"] | PRESETS["Lo-fi as future bass"])
        self._draw_costs([], self.settings)
        self._enable(running=False)
        self._play()
        self._say("Press Run.")
        self._announce()
        self.iterations.observe(self._announce, "value")
        self.network.observe(self._prepare, "value")
        self.look_back.observe(self._look_back, "value")
        numbers = [self.network, self.weights, self.alpha, self.beta, self.iterations]
        buttons = widgets.HBox([self.run, self.stop, self.save], layout=INDENT)
        controls = [*numbers, self.start, self.phase, buttons, self.progress, self.message]
        self.children = [
            widgets.HBox(self.presets, layout=widgets.Layout(flex_flow="row wrap")),
            widgets.GridBox(
                [
                    *(self.content, self.style, widgets.VBox(controls, layout=COLUMN)),
                    widgets.VBox([self.player, self.look_back], layout=COLUMN),
                    self.costs,
                ],
                layout=COLUMNS,
            ),
        ]

    @property
    def settings(self) -> Transfer:
        """What would run now."""
        return Transfer(
            content=str(self.content.path),
            style=str(self.style.path),
            content_start_s=self.content.start_s,
            style_start_s=self.style.start_s,
            network=self.network.value,
            alpha=self.alpha.value,
            beta=self.beta.value,
            iterations=self.iterations.value,
            start=self.start.value,
            phase=self.phase.value,
        )

    def __repr__(self) -> str:
        return f"TransferPanel({self.settings})"

    # Callbacks: they set widgets, start threads and stop them.

    def _set_preset(self, button: Any) -> None:
        self._set(PRESETS[button.description])

    def _set(self, changes: Mapping[str, Any]) -> None:
        for name, value in changes.items():
            part = getattr(self, name)
            if isinstance(part, ClipChooser):
                part.choose(value)
            else:
                part.value = value

    def _see(self) -> None:
        """Somebody looks: from now on, what Run will need is made ready."""
        self._seen = True
        self._prepare()

    def _prepare(self, _change: Any = None) -> None:
        self._name_weights()
        if self._seen:
            self._in_background(self._warm_up, self.network.value)

    def _announce(self, _change: Any = None) -> None:
        """Say at the button what it would do: a browser may be ahead of what the kernel knows."""
        self.run.tooltip = f"Do {self.iterations.value} iterations"

    def _run(self, _button: Any) -> None:
        wanted, content, style = self.settings, self.content.clip, self.style.clip
        with self._drawing:
            self._job = job = _Job(wanted, content, style)
            self.result = None
            self._enable(running=True)
            starts = {"content": content.image, "style": style.image}
            self.player.show(SILENCE, starts.get(wanted.start, BLACK), "Result")
            self.progress.value = 0
            self._say("Starting…")
        self._in_background(self._follow, job)

    def _stop(self, _button: Any) -> None:
        assert self._job is not None  # or there is no button to press
        self._job.stop()
        self._enable(running=False)
        self._say("Stopped.")

    def _look_back(self, change: Any) -> None:
        assert self._job is not None
        self._wanted = change.new
        self._in_background(self._present, self._job, self._job.kept[change.new])

    def _save(self, _button: Any) -> None:
        assert self.result is not None
        self.save.disabled = True
        self._say("Saving…")
        self._in_background(self._write, self.result)

    # Threads

    def _warm_up(self, name: str) -> None:
        with self._computing:
            self._load(name)

    def _load(self, name: str) -> "StyleNetwork":
        if name not in self._networks:
            from lildata_utils.transfer.files import load_network

            network = load_network(name)
            network.warm_up()
            self._networks[name] = network
            self._name_weights()
        return self._networks[name]

    def _compute(self, job: _Job) -> None:
        try:
            from lildata_utils.transfer.painting import paint

            with self._computing:
                network = self._load(job.settings.network)
                for step in paint(job.content.image, job.style.image, network, job.settings):
                    if job.stopped.is_set():
                        break
                    job.steps.put(step)
            job.steps.put(None)
        except Exception as error:
            job.steps.put(error)  # the other thread raises it

    def _follow(self, job: _Job) -> None:
        self._in_background(self._compute, job)
        costs: list[tuple[float, float]] = []
        step = None
        began_s = drawn_s = -np.inf
        try:
            while (item := job.steps.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                if step is None:
                    began_s = time.monotonic()
                    job.keep(item)
                step = item
                costs.append((step.content_cost, step.style_cost))
                if job.steps.empty() and time.monotonic() - drawn_s > PREVIEW_S:
                    drawn_s = time.monotonic()
                    job.keep(step)
                    self._draw(job, step, costs, drawn_s - began_s)
            if step is not None:
                job.keep(step)
                self._draw(job, step, costs, time.monotonic() - began_s)
        finally:
            with self._drawing:
                if job is self._job:
                    self._enable(running=False)
        if step is not None:
            self._offer(job)
            self._present(job, step)

    def _draw(
        self, job: _Job, step: "PaintingStep", costs: list[tuple[float, float]], seconds: float
    ) -> None:
        with self._drawing:
            if job is not self._job:
                return
            words = f"Iteration {step.number} of {step.iterations}"
            self.player.show(image=rounded(step.image), title=f"Result, {words.lower()}")
            self.progress.max, self.progress.value = step.iterations, step.number
            self._draw_costs(costs, job.settings)
            if not job.stopped.is_set():
                left_s = seconds / max(step.number, 1) * (step.iterations - step.number)
                self._say(f"{words}, {left_s:.0f} s left." if step.number else f"{words}.")

    def _offer(self, job: _Job) -> None:
        """Let the slider go through the steps that were kept, and stand at the last one."""
        with self._drawing:
            if job is self._job:
                self.look_back.unobserve(self._look_back, "value")  # new options choose the first
                self.look_back.options = list(job.kept)
                self.look_back.value = self._wanted = max(job.kept)
                self.look_back.observe(self._look_back, "value")
                self.look_back.disabled = False

    def _present(self, job: _Job, step: "PaintingStep") -> None:
        """Make a step the result, with its sound, unless something else is wanted by now."""
        from lildata_utils.transfer.files import Result, painting_to_sound

        def is_wanted() -> bool:
            return job is self._job and step.number == self._wanted

        words = f"Iteration {step.number} of {step.iterations}"
        with self._drawing:
            if not is_wanted():
                return
            self.save.disabled = True
            self.player.show(image=rounded(step.image), title=f"Result, {words.lower()}")
            self._say(f"{words}. Making the sound…")
        waveform = painting_to_sound(step.image, job.content, job.settings.phase)
        done = replace(job.settings, iterations=step.number)
        network = self._networks[done.network]
        with self._drawing:
            if is_wanted():
                first = job.kept[0]
                self.result = Result(done, network, first, step, waveform, job.content, job.style)
                self._play()
                self._say(f"{words}, ready. {network.weights}.")
                self.save.disabled = False

    def _write(self, result: "Result") -> None:
        out = self._folder / time.strftime("%Y-%m-%d %H.%M.%S.wav")
        try:
            result.save(out)
        finally:
            self.save.disabled = self.result is None
        self._say(f"Saved {shown(out)}, with its picture (.png) and its settings (.json).")

    # What is shown

    def _name_weights(self) -> None:
        network = self._networks.get(self.network.value)
        words = "loading…" if network is None and self._seen else network and network.weights
        self.weights.value = f'<div style="{INDENTED}">{html.escape(words or "")}</div>'

    def _enable(self, running: bool) -> None:
        self.stop.disabled = not running
        self.run.disabled = running
        self.look_back.disabled = True
        self.save.disabled = running or self.result is None
        numbers = (self.network, self.alpha, self.beta, self.iterations, self.start, self.phase)
        for part in (*numbers, *self.presets):
            part.disabled = running
        for chooser in (self.content, self.style):
            chooser.disable(running)

    def _play(self) -> None:
        """Give the players their sounds, all turned down by the same factor if one is too loud."""
        with self._drawing:
            choosers = (self.content, self.style)
            clips = [(part.player, part.clip.waveform, part.clip.image) for part in choosers]
            if self.result is not None:
                clips.append((self.player, self.result.waveform, rounded(self.result.last.image)))
            gain = 1 / max(1.0, *(float(np.abs(waveform).max()) for _, waveform, _ in clips))
            for player, waveform, image in clips:
                before, gain_before = self._played.get(player, (None, 0.0))
                if waveform is not before or gain != gain_before:
                    player.show(gain * waveform, image)
                    self._played[player] = waveform, gain

    def _draw_costs(self, costs: list[tuple[float, float]], settings: Transfer) -> None:
        content, style = np.reshape(costs, (-1, 2)).T
        weighted = settings.alpha * content, settings.beta * style
        drawn = learning_figures.transfer_costs(*weighted, settings.iterations or 0)
        self.costs.value = figures.png(drawn)


def _dropdown(name: str, options: Mapping[str, str]) -> widgets.Dropdown:
    return widgets.Dropdown(options=options, description=name, style=STYLE, layout=WIDE)


def _slider(name: str, values: tuple[float, ...], value: float) -> widgets.SelectionSlider:
    """Make a slider over values whose steps are ratios."""
    return widgets.SelectionSlider(
        options=[(f"{number:g}", number) for number in values],
        value=value,
        description=name,
        style=STYLE,
        layout=WIDE,
    )


def _button(words: str, pressed: Callable[[Any], None], kind: str = "") -> widgets.Button:
    layout = widgets.Layout(width="auto")
    button = widgets.Button(description=words, button_style=kind, layout=layout)
    button.on_click(pressed)
    return button
