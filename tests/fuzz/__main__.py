"""Read mutated inputs of all kinds; count clean results, one-line errors and everything else."""

import argparse
import json
import random
import shlex
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from lildata_utils.files import write_json
from lildata_utils.machine import machine

from . import assets as good
from .inputs import KINDS, Input, make, numbered
from .targets import FAILURE, Outcome
from .workers import Worker

TRIALS = 60  # to make the smallest input of a failure
CASES = Path(__file__).with_name("cases")


class Round:
    """All inputs of one call, and what became of them."""

    def __init__(self, seed: int, folder: Path, keep: Path | None) -> None:
        self.seed, self.keep = seed, keep
        self.assets = good.build(folder / "assets")
        self.counts: dict[str, Counter[str]] = {}
        self.failures: dict[str, tuple[int, Input, Outcome, str]] = {}
        self.slowest: tuple[float, str] = (0.0, "")
        self._lock = threading.Lock()

    def do(self, names: list[tuple[str, int]], workers: int, minutes: float) -> None:
        """Share inputs out among threads that hold a worker process each."""
        self._until = time.monotonic() + 60 * minutes
        waiting = iter(names)
        threads = [threading.Thread(target=self._work, args=(waiting,)) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, waiting) -> None:
        worker = Worker(self.assets)
        try:
            while True:
                with self._lock:
                    name = next(waiting, None)
                if name is None or time.monotonic() > self._until:
                    return
                kind, number = name
                made = make(kind, self.seed, number, self.assets)
                started = time.monotonic()
                outcome = worker.run(made)
                seconds = time.monotonic() - started
                with self._lock:
                    new = self._note(kind, number, made, outcome, seconds)
                if new:
                    small = smallest(worker, made, outcome)
                    with self._lock:
                        self._put(outcome, small, f"{kind} {number}")
        finally:
            worker.end()

    def _note(self, kind: str, number: int, made: Input, outcome: Outcome, seconds: float) -> bool:
        """Count an outcome; tell whether it is a failure of a new sort."""
        self.counts.setdefault(kind, Counter())[outcome.status] += 1
        self.slowest = max(self.slowest, (seconds, f"{kind} {number}"))
        if outcome.status != FAILURE:
            return False
        times = self.failures[outcome.sort][0] if outcome.sort in self.failures else 0
        if times:
            self.failures[outcome.sort] = (times + 1, *self.failures[outcome.sort][1:])
            return False
        self.failures[outcome.sort] = (1, made, outcome, f"{kind} {number}")
        print(f"FAILURE {kind} {number}: {outcome.sort}\n  {outcome.words}", flush=True)
        return True

    def _put(self, outcome: Outcome, made: Input, name: str) -> None:
        times, _, first, _ = self.failures[outcome.sort]
        self.failures[outcome.sort] = (times, made, first, name)
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            safe = "".join(c if c.isalnum() else "_" for c in outcome.sort)[:80]
            (self.keep / f"{safe}.json").write_text(made.to_json())


def smallest(worker: Worker, made: Input, outcome: Outcome) -> Input:
    """Take stretches out of the damaged file, as long as it fails in the same way."""
    if made.must_be_named or not made.subject or outcome.sort.endswith((": a hang", ": memory")):
        return made
    data, step, trials = made.files[made.subject], 2, 0
    while step <= 64 and len(data) > 1 and trials < TRIALS:
        length, done = max(1, len(data) // step), False
        for at in range(0, len(data), length):
            trials += 1
            less = data[:at] + data[at + length :]
            if trials <= TRIALS and worker.run(made.with_subject(less)).sort == outcome.sort:
                data, done = less, True
                break
        step = max(2, step // 2) if done else step * 2
    return made.with_subject(data)


def report(done: Round, seconds: float) -> dict:
    """Say what was read, kind by kind, and every sort of failure."""
    rows = [
        {"name": kind, "inputs": sum(c.values())}
        | {status: c[status] for status in ("clean", "line", "failure")}
        for kind in KINDS
        if (c := done.counts.get(kind))
    ]
    failures = [
        {"sort": sort, "times": times, "first": name, "words": outcome.words}
        for sort, (times, _, outcome, name) in sorted(done.failures.items())
    ]
    return {
        "inputs": sum(row["inputs"] for row in rows),
        "seconds": round(seconds),
        "slowest_s": round(done.slowest[0], 1),
        "rows": rows,
        "failures": failures,
    }


def main() -> int:
    """Do a round; the exit status is 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--report", type=Path, help="puts the counts into this JSON file")
    parser.add_argument("--keep", type=Path, help="gets the smallest input of each failure")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=600, help="stop then")
    parser.add_argument("--number", type=int, help="this one input of --only, and what it says")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lildata-fuzz-") as folder:
        done = Round(options.seed, Path(folder), options.keep)
        if options.number is not None:
            made = make(options.only[0], options.seed, options.number, done.assets)
            worker = Worker(done.assets)
            print(made.command, made.note, worker.run(made), sep="\n")
            worker.end()
            return 0
        names = numbered(options.inputs, options.only)
        started = time.monotonic()
        random.Random(options.seed).shuffle(names)  # a round that is cut short has some of all
        done.do(names, options.workers, options.minutes)
        made_report = {"asked": len(names)} | report(done, time.monotonic() - started)
    for row in made_report["rows"]:
        told = (f"{row[status]:6} {status}" for status in ("clean", "line", "failure"))
        print(f"{row['name']:16}", *told)
    told = f"{made_report['inputs']} of {len(names)} inputs, {made_report['seconds']} s"
    print(f"{told}, {len(done.failures)} sorts of failures")
    if options.report is not None:
        update(options.report, "fuzz", made_report, options.seed)
    return 1 if done.failures else 0


def update(path: Path, part: str, content: dict, seed: int) -> None:
    """Put one program's part into the report that two programs write."""
    there = json.loads(path.read_text()) if path.is_file() else {}
    words = sys.argv[1:]
    for option in ("--report", "--keep"):  # where it is written says nothing of what was found
        if option in words:
            place = words.index(option)
            del words[place : place + 2]
    content["command"] = shlex.join(["python", "-m", f"tests.{part}", *words])
    there |= {"machine": machine(), "seeds": [seed], part: content}
    parts = [there[name] for name in ("fuzz", "faults") if name in there]
    about = {
        "command": "; ".join(one["command"] for one in parts),
        "data": "files made by tests/fuzz/assets.py, damaged by tests/fuzz/mutators.py",
        "settings": "as the programs have them",
    }
    write_json(path, about | there | {"command": about["command"]})


if __name__ == "__main__":
    sys.exit(main())
