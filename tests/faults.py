"""Kills, full disks, stops and other faults: nothing is lost, nothing half, the next run is equal.

`python -m tests.faults --kills 60` tries all commands that write; `test_faults.py` some of it.
"""

import argparse
import contextlib
import csv
import hashlib
import io
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

# As pytest does: it finds the tests' helpers beside the tests.
sys.path.insert(0, str(Path(__file__).parent))
from fuzz import assets as good
from fuzz.__main__ import update

from lildata_utils.genres import GENRES
from lildata_utils.machine import crowd

SHIM = Path(__file__).with_name("full_disk.c")
DEADLINE_S = 240
ORPHAN_S = 15
HUNG = -99  # in place of an exit status
# What may differ between two runs of the same.
TIMES = {"seconds", "machine", "time_ns", "source"}

# Slow imports are done once; every run is a fork of this, before TensorFlow starts its threads.
SERVER = """
import faulthandler, importlib, json, os, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
started = os.fdopen(os.dup(1), "w")
for line in iter(sys.stdin.readline, ""):
    job = json.loads(line)
    process = os.fork()
    if process == 0:
        os.setsid()
        for number, path in ((1, job["out"]), (2, job["err"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        faulthandler.enable()  # what hangs is aborted, and says where it was
        os.environ.update(job["environment"])
        if job["nobody"]:
            os.environ["HOME"] = os.path.dirname(job["out"])  # numba keeps what it compiles there
            os.setgid(65534)
            os.setuid(65534)
        from lildata_utils.cli.main import main
        print(os.getpid(), file=started, flush=True)
        sys.exit(main(job["words"]))
    _, status = os.waitpid(process, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


IMPORTED = ("numba", "pandas", "scipy.signal", "soundfile", "keras")


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    status: int
    out: str
    err: str
    seconds: float


class Server:
    """Runs `lildata` in forks of a process that has imported what is slow."""

    def __init__(self, shim: Path | None = None, imported: Sequence[str] = IMPORTED) -> None:
        environment = os.environ | ({"LD_PRELOAD": str(shim)} if shim else {})
        self._logs = Path(tempfile.mkdtemp(prefix="lildata-faults-"))
        self._logs.chmod(0o777)
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, *imported],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )

    def start(self, words: list[str], nobody: bool = False, **environment: str) -> int:
        """Start a run; return its process."""
        out, err = (self._logs / name for name in ("out", "err"))
        out.unlink(missing_ok=True), err.unlink(missing_ok=True)
        job = {"words": words, "out": str(out), "err": str(err), "nobody": nobody}
        line = json.dumps(job | {"environment": environment}) + "\n"
        assert self._process.stdin is not None
        self._started = time.monotonic()
        self._process.stdin.write(line.encode())
        self.process = int(self._line())
        return self.process

    def wait(self) -> Ended:
        """Wait for the end of the run; what takes minutes hangs, and is killed."""
        try:
            status = int(self._line(DEADLINE_S * crowd()))
        except TimeoutError:
            os.kill(self.process, signal.SIGABRT)
            self._line()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process, signal.SIGKILL)
            status = HUNG
        out, err = (
            (self._logs / name).read_text(errors="replace") if (self._logs / name).exists() else ""
            for name in ("out", "err")
        )
        return Ended(status, out, err, time.monotonic() - self._started)

    def running(self) -> bool:
        """Tell whether the run goes on."""
        assert self._process.stdout is not None
        return not select.select([self._process.stdout], [], [], 0)[0]

    def do(self, words: list[str], **about: Any) -> Ended:
        """Run to the end."""
        self.start(words, **about)
        return self.wait()

    def end(self) -> None:
        """End the server and remove its logs."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._logs, ignore_errors=True)

    def _line(self, seconds: float = 400) -> bytes:
        assert self._process.stdout is not None
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([self._process.stdout], [], [], seconds)[0]:
                raise TimeoutError
            line += self._process.stdout.read(1) or b"-98\n"
        return line


# --- what is run ---------------------------------------------------------------------------------


@dataclass
class Command:
    """A command that writes, on small inputs; ``{out}`` is where, ``{in}`` what it reads."""

    name: str
    words: list[str]
    alone: list[str] = field(default_factory=list)  # so that it writes in one process
    whole: dict[str, str] = field(default_factory=dict)  # what an undisturbed run leaves
    seconds: float = 0.0

    def at(self, inputs: Path, out: Path, alone: bool = False) -> list[str]:
        """Fill in the folders."""
        words = self.words + (self.alone if alone else [])
        return [word.replace("{out}", str(out)).replace("{in}", str(inputs)) for word in words]


def commands() -> list[Command]:
    """List all commands that write."""
    train = ["train", "cnn", "{in}/dataset", "--out", "{out}/run", "--epochs", "3"]
    train += ["--batch-size", "2", "--filters", "2,2", "--side", "32"]
    crate = ["crate", "{out}/crate", "--tracks", "2", "--seconds", "6", "--genres", "lofi,noise"]
    classify, one = ["classify", "{in}/music.wav"], ["--workers", "1"]
    return [
        Command("prepare", ["prepare", "{in}/songs", "{out}/data", "--workers", "2"], one),
        Command("crate", [*crate, "--workers", "2"], one),
        Command("train", train),
        Command(
            "transfer", ["transfer", "--pairs", "{in}/pairs.csv", "{out}/t", "--iterations", "2"]
        ),
        Command("invert", ["invert", "{in}/picture.npy", "{out}/o.flac", "--iterations", "30"]),
        Command("generate", ["generate", "{in}/lstm", "{out}/o.wav"]),
        Command("sweep", ["sweep", "{in}/plan.toml", "{out}/sweep"]),
        Command("test", ["test", "{in}/run", "{in}/eight", "--out", "{out}/report"]),
        Command("classify", [*classify, "--run", "{in}/run", "--out", "{out}/drawn"]),
    ]


PLAN = """
[music]
tracks = 3
seconds = 10.0
[[row]]
name = "Small"
network = "cnn"
seeds = [0, 1]
epochs = 2
options = { side = 32, filters = [2, 2] }
"""


def build(folder: Path) -> Path:
    """Make what the commands read."""
    import soundfile

    good.build(folder)
    for genre in ("house", "lofi"):
        (folder / "songs" / genre).mkdir(parents=True)
        for number in range(3):
            sound = good.music(20, number + 3 * (genre == "lofi"))
            soundfile.write(folder / "songs" / genre / f"{number}.wav", sound, 22_050)
    (folder / "pairs.csv").write_text(
        "content,style,name\nmusic.wav,music.flac,a\nmusic.flac,music.wav,b\n"
    )
    (folder / "plan.toml").write_text(PLAN)
    good.make_dataset(folder / "eight", GENRES)
    return folder


# --- what is compared ----------------------------------------------------------------------------


def fingerprint(folder: Path) -> dict[str, str]:
    """Name what every file below a folder holds, times and the machine left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): content(path) for path in files}


def content(path: Path) -> str:
    """Name what a file holds."""
    data, suffix = path.read_bytes(), path.suffix
    try:
        if suffix == ".keras":
            data = weights(data)
        elif suffix == ".npz":
            with np.load(io.BytesIO(data)) as arrays:
                parts = {n: digest(arrays[n].tobytes()) for n in arrays.files if n != "history"}
            data = json.dumps(parts, sort_keys=True).encode()
        elif suffix == ".csv":
            rows = list(csv.DictReader(io.StringIO(data.decode())))
            kept = [{n: v for n, v in row.items() if n not in TIMES} for row in rows]
            data = json.dumps(kept).encode()
        elif suffix == ".json":
            data = json.dumps(timeless(json.loads(data))).encode()
    except (ValueError, KeyError, OSError, zipfile.BadZipFile):
        pass  # half a file: it differs from every whole one
    return digest(data)


def weights(data: bytes) -> bytes:
    """Give a Keras file's configuration and weights, without times and addresses."""
    import h5py

    found: dict[str, str] = {}

    def note(name: str, part: Any) -> None:
        if isinstance(part, h5py.Dataset):
            found[name] = digest(part[()].tobytes())

    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        with h5py.File(io.BytesIO(opened.read("model.weights.h5"))) as file:
            file.visititems(note)
        config = re.sub(rb'"shared_object_id": \d+', b"", opened.read("config.json"))
        return config + json.dumps(found, sort_keys=True).encode()


def timeless(value: Any) -> Any:
    """Drop what may differ from a JSON value."""
    if isinstance(value, dict):
        return {name: timeless(part) for name, part in value.items() if name not in TIMES}
    return [timeless(part) for part in value] if isinstance(value, list) else value


def digest(data: bytes) -> str:
    """Hash bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def leftovers(folder: Path) -> list[str]:
    """List what is half written."""
    return [str(path.relative_to(folder)) for path in folder.rglob(".*.partial*")]


def lines_of(err: str) -> list[str]:
    """Give the lines on stderr."""
    return [line for line in err.splitlines() if line.strip()]


class FaultError(Exception):
    """What went wrong after a fault."""


class Faults:
    """A server, inputs, a folder to work in, and what each command leaves when nothing disturbs."""

    def __init__(
        self,
        folder: Path,
        inputs: Path,
        shim: Path | None = None,
        imported: Sequence[str] = IMPORTED,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.folder, self.inputs, self.shim = folder, inputs, shim
        self.server = Server(shim, imported)
        self._count = 0

    def new(self) -> Path:
        """Make a folder for one trial."""
        self._count += 1
        out = self.folder / f"{self._count}"
        out.mkdir()
        return out

    def undisturbed(self, command: Command) -> None:
        """Note what the command leaves, and how long it takes (the second time)."""
        before: dict[str, str] = {}
        for _ in range(2):
            out = self.new()
            ended = self.server.do(command.at(self.inputs, out))
            if ended.status:
                raise FaultError(f"undisturbed: {ended.status} {ended.err[-500:]}")
            found = fingerprint(out)
            if before and found != before:
                raise FaultError(f"two undisturbed runs differ: {differing(found, before)}")
            command.seconds = ended.seconds
            shutil.rmtree(out)
            before = found
        command.whole = found

    def complete(self, command: Command, out: Path) -> None:
        """Run the same command again: it must end with what an undisturbed run leaves."""
        again = self.server.do(command.at(self.inputs, out))
        if again.status:
            raise FaultError(f"the next run: status {again.status}: {again.err.strip()[:800]}")
        self.equal(command, out)
        shutil.rmtree(out)

    def equal(self, command: Command, out: Path) -> None:
        """Compare with the undisturbed run; a half-written file is a difference."""
        if found := differing(fingerprint(out), command.whole):
            raise FaultError(f"differs from an undisturbed run: {found}")

    def nothing_half(self, command: Command, out: Path) -> None:
        """Make sure that what lies at a final place is whole."""
        for name, found in fingerprint(out).items():
            path = out / name
            if ".partial" in name:
                raise FaultError(f"leaves {name}")
            if command.whole.get(name) != found and not self._whole(command, path):
                raise FaultError(f"half a file: {name}")

    def _whole(self, command: Command, path: Path) -> bool:
        """Judge files that grow with every epoch or pair, or tell of what was left out.

        A transfer's record says whose the files beside it are before they are there.
        """
        if path.suffix in (".json", ".csv") and command.name in ("train", "sweep", "transfer"):
            text = path.read_text()
            return text.endswith("\n") and (path.suffix == ".csv" or bool(json.loads(text)))
        if path.suffix in (".npz", ".keras"):
            with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as opened:
                return opened.testzip() is None
        return False

    # --- a fault each ---

    def kill(self, command: Command, rng: np.random.Generator) -> str:
        """Kill the command, or one of its processes, at a random moment; then run it again."""
        out = self.new()
        worker = command.name in ("prepare", "crate", "sweep") and rng.random() < 0.4
        self.server.start(command.at(self.inputs, out))
        parent = psutil.Process(self.server.process)
        time.sleep(rng.uniform(0.02, command.seconds))
        children = []
        with contextlib.suppress(psutil.NoSuchProcess):
            children = parent.children(recursive=True)
        what = "the parent" if not (worker and children) else "a worker"
        with contextlib.suppress(psutil.NoSuchProcess):
            (parent if what == "the parent" else children[int(rng.integers(len(children)))]).kill()
        ended = self.server.wait()
        if what == "the parent":
            _, alive = psutil.wait_procs(children, ORPHAN_S * crowd())
            if alive:
                named = " ".join(alive[0].cmdline())[-80:]
                for one in alive:
                    one.kill()
                raise FaultError(f"{len(alive)} processes outlive their parent: {named}")
        elif ended.status == 0:
            self.equal(command, out)
        elif len(lines_of(ended.err)) != 1:
            raise FaultError(f"a killed worker: status {ended.status}, {ended.err[-600:]}")
        self.complete(command, out)
        return what

    def writes(self, command: Command) -> int:
        """Count the writes of an undisturbed run in one process."""
        out, log = self.new(), self.folder / "writes"
        log.unlink(missing_ok=True)
        words = command.at(self.inputs, out, alone=True)
        self.server.do(words, FAULT_AT="0", FAULT_UNDER=str(out), FAULT_LOG=str(log))
        shutil.rmtree(out)
        return log.stat().st_size if log.exists() else 0

    def full_disk(self, command: Command, number: int) -> None:
        """Let the number-th write and all after it fail."""
        out = self.new()
        words = command.at(self.inputs, out, alone=True)
        ended = self.server.do(words, FAULT_AT=str(number), FAULT_UNDER=str(out), FAULT_LOG="")
        self.refused(command, out, ended, f"at write {number}")
        self.complete(command, out)

    def refused(self, command: Command, out: Path, ended: Ended, where: str) -> None:
        """Make sure that a fault is one line that names a path, and left nothing half."""
        lines = lines_of(ended.err)
        if ended.status == 0:
            raise FaultError(f"{where}: exit status 0, {ended.out[-200:]}{ended.err[-200:]}")
        # Each pair of a batch has a line of its own.
        if len(lines) != 1 and not (command.name == "transfer" and lines and len(lines) <= 2):
            raise FaultError(f"{where}: {len(lines)} lines: {ended.err[-700:]}")
        if "a bug" in lines[0] or str(out) not in lines[0]:
            raise FaultError(f"{where}: names no path: {lines[0][:300]}")
        self.nothing_half(command, out)

    def small_disk(self, command: Command, kilobytes: int) -> None:
        """Let the command write to a real file system that is too small."""
        out = self.new()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(out)], check=True
        )
        try:
            ended = self.server.do(command.at(self.inputs, out))
            if ended.status:
                self.refused(command, out, ended, f"{kilobytes} kB")
            else:
                self.equal(command, out)
            subprocess.run(["mount", "-o", "remount,size=500m", str(out)], check=True)
            again = self.server.do(command.at(self.inputs, out))
            if again.status:
                raise FaultError(f"the next run: {again.err[-400:]}")
            self.equal(command, out)
        finally:
            subprocess.run(["umount", str(out)], check=True)
        shutil.rmtree(out)

    def stop(self, command: Command, sign: int, rng: np.random.Generator) -> None:
        """Send Ctrl-C (to all its processes) or SIGTERM (to it alone) at a random moment."""
        out = self.new()
        self.server.start(command.at(self.inputs, out))
        time.sleep(rng.uniform(0.02, command.seconds))
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if sign == signal.SIGINT else os.kill)(self.server.process, sign)
        ended = self.server.wait()
        if ended.status == 0:
            self.equal(command, out)
        elif len(lines_of(ended.err)) != 1:
            raise FaultError(
                f"status {ended.status}, {len(lines_of(ended.err))} lines: {ended.err[-900:]}"
            )
        elif left := leftovers(out):
            raise FaultError(f"leaves {left}")
        self.complete(command, out)

    def read_only(self, command: Command) -> None:
        """Let somebody run it who may not write there."""
        out = self.new()
        ended = self.server.do(command.at(self.inputs, out), nobody=True)
        self.refused(command, out, ended, "read-only")
        self.complete(command, out)

    def two_at_once(self, command: Command) -> None:
        """Run the command twice at the same time into one folder."""
        out = self.new()
        words, other = command.at(self.inputs, out), Server(self.shim)
        self.server.start(words)
        time.sleep(0.3)
        second, first = other.do(words), self.server.wait()
        other.end()
        for ended in (first, second):
            if ended.status and len(lines_of(ended.err)) != 1:
                raise FaultError(f"two at once: {ended.err[-700:]}")
        if first.status and second.status:
            raise FaultError(f"neither of two ends well: {first.err[-300:]} {second.err[-300:]}")
        self.complete(command, out)

    def changing(self, change: Callable[[Path], None], rng: np.random.Generator) -> None:
        """Let files vanish, grow or be put into the future while `prepare` reads them."""
        out = self.new()
        shutil.copytree(self.inputs / "songs", out / "songs")
        words = ["prepare", str(out / "songs"), str(out / "data"), "--workers", "2"]
        self.server.start(words)
        time.sleep(rng.uniform(0, 2))
        change(out / "songs/house/1.wav")
        ended = self.server.wait()
        if ended.status and len(lines_of(ended.err)) != 1:
            raise FaultError(f"{ended.status}: {ended.err[-700:]}")
        if again := self.server.do(words).err:
            raise FaultError(f"the next run: {again[-400:]}")
        found = fingerprint(out / "data")
        fresh = self.server.do([*words[:2], str(out / "fresh"), *words[3:]])
        if fresh.status or differing(found, fingerprint(out / "fresh")):
            raise FaultError(
                f"differs from a fresh run: {differing(found, fingerprint(out / 'fresh'))}"
            )
        shutil.rmtree(out)


def differing(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """List the files that differ, are missing, or are too many."""
    names = sorted(found.keys() | wanted.keys())
    return [name for name in names if found.get(name) != wanted.get(name)][:6]


def vanish(path: Path) -> None:
    """Delete it."""
    path.unlink(missing_ok=True)


def grow(path: Path) -> None:
    """Put ten seconds of noise behind it."""
    with path.open("ab") as file:
        file.write(np.random.default_rng(0).bytes(441_000))


def tomorrow(path: Path) -> None:
    """Let it be from tomorrow."""
    later = time.time() + 86_400
    os.utime(path, (later, later))


def build_shim(folder: Path) -> Path | None:
    """Compile the full disk, where there is a compiler for it."""
    compiler, shim = shutil.which("cc"), folder / "full_disk.so"
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    command = [compiler, "-shared", "-fPIC", "-O1", str(SHIM), "-o", str(shim), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return shim


# --- the program ---------------------------------------------------------------------------------

Trial = tuple[str, str, Callable[["Faults"], Any]]


def trials(chosen: list[Command], kills: int, seed: int, mount: bool, most: int) -> Iterator[Trial]:
    """Lay out what is tried: a sort, a command's name, and what does it."""
    rng = np.random.default_rng(seed)
    draws = [np.random.default_rng([seed, number]) for number in range(2000)]
    for number in range(kills):
        command = chosen[number % len(chosen)]
        yield "kills", command.name, lambda on, c=command, d=draws[number]: on.kill(c, d)
    for command in chosen:
        if command.name != "sweep":  # it is trainings, and hundreds of writes
            yield "writes", command.name, lambda on, c=command: on.writes(c)
    for command in chosen:
        yield "twice", command.name, lambda on, c=command: on.two_at_once(c)
    for number in range(3 * len(chosen)):
        command, draw = chosen[number % len(chosen)], draws[1000 + number]
        for sign in (signal.SIGINT, signal.SIGTERM):
            yield "stops", command.name, lambda on, c=command, s=sign, d=draw: on.stop(c, s, d)
    for command in chosen:
        yield "read-only", command.name, lambda on, c=command: on.read_only(c)
    if any(command.name == "prepare" for command in chosen):
        for change in (vanish, grow, tomorrow):
            for draw in draws[1100:1103]:
                yield "changing", "prepare", lambda on, f=change, d=draw: on.changing(f, d)
    if mount:
        for command in chosen:
            if command.name == "prepare":
                for size in rng.integers(40, 12_000, 6):
                    yield "tmpfs", command.name, lambda on, c=command, k=size: on.small_disk(c, k)
            else:
                for size in (8, 60, 200):
                    yield "tmpfs", command.name, lambda on, c=command, k=size: on.small_disk(c, k)


class Work:
    """All trials of one call, shared out among servers."""

    def __init__(self, most: int, minutes: float) -> None:
        self.until = time.monotonic() + 60 * minutes
        self.counts: dict[str, dict[str, list[int]]] = {}
        self.failures: list[dict[str, str]] = []
        self.lock = threading.Lock()
        self.most = most

    def share(self, waiting: Iterator[Trial], servers: list[Faults]) -> None:
        """Let all servers try what is waiting."""
        threads = [threading.Thread(target=self._do, args=(waiting, on)) for on in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _do(self, waiting: Iterator[Trial], on: Faults) -> None:
        while True:
            with self.lock:
                trial = next(waiting, None)
            if trial is None or time.monotonic() > self.until:
                return
            sort, name, call = trial
            if sort == "writes":
                self._at_every_write(name, call(on), on, call)
            else:
                self._try(sort, name, call, on)

    def _at_every_write(self, name: str, count: int, on: Faults, call: Any) -> None:
        command = call.__defaults__[0]
        numbers = np.unique(np.linspace(1, count, min(count, self.most)).astype(int))
        print(f"{name}: {count} writes, {len(numbers)} tried", flush=True)
        for number in numbers:
            if time.monotonic() > self.until:
                return
            self._try("writes", name, lambda on, n=number: on.full_disk(command, int(n)), on)

    def _try(self, sort: str, name: str, call: Callable[[Faults], Any], on: Faults) -> None:
        said = ""
        try:
            call(on)
        except FaultError as error:
            said = str(error)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        with self.lock:
            print(f"{sort}, {name}: {f'FAILURE {said}' if said else 'well'}", flush=True)
            count = self.counts.setdefault(sort, {}).setdefault(name, [0, 0])
            count[0] += 1
            if said:
                count[1] += 1
                self.failures.append({"fault": sort, "command": name, "words": said})


def main() -> int:
    """Try everything; the exit status is 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=lambda text: text.split(","), help="commands")
    parser.add_argument("--sorts", type=lambda text: text.split(","), help="sorts of faults")
    parser.add_argument("--most", type=int, default=10_000, help="writes tried of a command")
    parser.add_argument("--minutes", type=float, default=600, help="stop then")
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--report", type=Path, help="puts the counts into this JSON file")
    options = parser.parse_args()
    # Started in the background, we may be deaf to Ctrl-C, and so would be all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started, work = time.monotonic(), Work(options.most, options.minutes)
    chosen = [one for one in commands() if not options.only or one.name in options.only]
    with tempfile.TemporaryDirectory(prefix="lildata-faults-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        inputs, shim = build(folder / "in"), build_shim(folder)
        servers = [Faults(folder / f"{n}", inputs, shim) for n in range(options.servers)]
        starts = iter(
            [("undisturbed", one.name, lambda on, c=one: on.undisturbed(c)) for one in chosen]
        )
        work.share(starts, servers)
        chosen = [one for one in chosen if one.whole]
        mount = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount") is not None
        waiting = trials(chosen, options.kills, options.seed, mount, options.most)
        waiting = (t for t in waiting if not options.sorts or t[0] in options.sorts)
        if shim is None:
            waiting = (trial for trial in waiting if trial[0] != "writes")
        work.share(waiting, servers)
        for on in servers:
            on.server.end()
    for sort, names in work.counts.items():
        print(
            f"{sort:10}",
            ", ".join(f"{n} {tried} ({bad} failed)" for n, (tried, bad) in names.items()),
        )
    if options.report is not None:
        rows = [
            {"fault": sort, "command": name, "tried": tried, "failed": bad}
            for sort, names in work.counts.items()
            for name, (tried, bad) in names.items()
        ]
        about = {"seconds": round(time.monotonic() - started), "rows": rows}
        kills = sum(work.counts.get("kills", {}).get(one.name, [0])[0] for one in commands())
        about |= {
            "asked": options.kills,
            "kills": kills,
            "most": options.most,
            "failures": work.failures,
        }
        update(options.report, "faults", about, options.seed)
    return 1 if work.failures else 0


if __name__ == "__main__":
    sys.exit(main())
