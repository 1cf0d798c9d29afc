# SPDX-License-Identifier: Apache-2.0
"""Measures the software device beside its peers and this machine's limits. Short slices of each
take turns, in rounds whose order rotates, so that what else the machine does falls on all alike;
what counts is the median over rounds, of times and of the ratios within a round."""

import argparse
import json
import os
import sys
import time

import bars
import limits
import programs
import report

WIDTHS = {"mlp-1024": (784, 1024, 1024, 10), "mlp-4096": (4096, 4096, 4096, 10)}
LIMIT_PART = 0.1  # of a slice, for each of limit.c's rates
BUSY = 0.1  # share of the processors that others may take


class Rounds:
    """All slices of one benchmark, and what they measured.

    results: (program, case, ...) to a list with one value for each round, None where there is none.
    """

    def __init__(self, options):
        self.options = options
        self.pbit = programs.Pbit(options.build)
        self.onnxruntime = programs.onnxruntime(options.peers) if options.use_onnxruntime else None
        self.torch = programs.torch(options.peers) if options.use_torch else None
        self.results = {}
        self.rates = {}  # of limit.c by number of threads, the best so far
        self.round = 0

    def keep(self, key, value):
        values = self.results.setdefault(key, [])
        values.extend([None] * (self.round - len(values)))
        values.append(value)

    def run_pbit(self, case, bits, threads):
        options = self.options
        found = self.pbit.measure(
            case, bits, threads, options.samples, options.batch, options.seconds
        )
        for (samples, batch), us in found.items():
            self.keep(("pbit", case, bits, samples, batch, threads), us)

    def run_onnxruntime(self, case, kind, name, threads):
        for batch in self.options.batch:
            answer = self.onnxruntime.ask({
                "kind": kind, "widths": WIDTHS[case], "batch": batch, "threads": threads,
                "seconds": self.options.seconds,
            })  # fmt: skip
            if answer:
                self.keep((name, case, batch, threads), answer["us"])
                self.keep((f"{name}-raw", case, batch, threads), answer["raw_us"])

    def run_torch(self, case, threads):
        for batch in self.options.batch:
            for samples in self.options.samples:
                answer = self.torch.ask({
                    "widths": WIDTHS[case], "batch": batch, "samples": samples, "threads": threads,
                    "seconds": self.options.seconds,
                })  # fmt: skip
                if answer:
                    self.keep(("torch-naive", case, samples, batch, threads), answer["us"])

    def run_limit(self, threads):
        rates = programs.output_of([
            os.path.join(self.options.build, "tests/bench/limit"), "--threads", str(threads),
            "--seconds", str(self.options.seconds * LIMIT_PART),
        ])  # fmt: skip
        known = self.rates.setdefault(threads, rates)
        self.rates[threads] = limits.best(known, rates)

    def slices(self, case, threads):
        found = [lambda: self.run_limit(threads)]
        for bits in self.options.bits:
            found.append(lambda bits=bits: self.run_pbit(case, bits, threads))
        if self.onnxruntime:
            for kind, name in (
                ("fp32", "onnxruntime-fp32"),
                (programs.ONNX_INT8, "onnxruntime-int8"),
            ):
                found.insert(
                    2, lambda kind=kind, name=name: self.run_onnxruntime(case, kind, name, threads)
                )
        if self.torch:
            found.append(lambda: self.run_torch(case, threads))
        return found

    def run(self):
        for self.round in range(self.options.rounds):
            for case in self.options.cases:
                for threads in self.options.threads:
                    slices = self.slices(case, threads)
                    turn = self.round % len(slices)
                    for run in slices[turn:] + slices[:turn]:
                        run()
            programs.note(f"round {self.round + 1} of {self.options.rounds}")

    def add_limits(self):
        """A limit is what was reached once: the same for all rounds."""
        for key in [key for key in self.results if key[0] == "pbit"]:
            case, bits, samples, batch, threads = key[1:]
            us = limits.us_per_image(WIDTHS[case], bits, samples, batch, self.rates[threads])
            self.results[("limit", *key[1:])] = [us] * self.options.rounds

    def close(self):
        for peer in (self.onnxruntime, self.torch):
            if peer:
                peer.close()

    def lines(self):
        """The output's objects, in order."""
        lines = []
        for key, ours in self.results.items():
            if key[0] != "pbit":
                continue
            case, _, samples, batch, threads = key[1:]
            peers = {
                "onnxruntime-fp32": ("onnxruntime-fp32", case, batch, threads),
                "onnxruntime-int8": ("onnxruntime-int8", case, batch, threads),
                "torch-naive": ("torch-naive", case, samples, batch, threads),
                "limit": ("limit", *key[1:]),
            }
            for peer, where in peers.items():
                lines.append(report.line(key[1:], peer, ours, self.results.get(where, [])))
        return [found for found in lines if found]


def processor():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for text in file:
            if text.startswith("model name"):
                return text.split(":", 1)[1].strip()
    return "unknown processor"


class Machine:
    """How busy others kept the processors, from here until it is asked."""

    def __init__(self):
        self.start = self.seconds()

    @staticmethod
    def seconds():
        """Processor seconds: there were, all used, this program and its ended children used."""
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(part) for part in file.readline().split()[1:9]]
        idle = ticks[3] + ticks[4]
        own = os.times()
        tick = os.sysconf("SC_CLK_TCK")
        return sum(ticks) / tick, (sum(ticks) - idle) / tick, sum(own[:4])

    def share_of_others(self):
        """Call it once the children have ended."""
        whole, busy, own = (b - a for a, b in zip(self.start, self.seconds()))
        return max(0.0, busy - own) / whole if whole else 0.0


def load():
    return f"{os.getloadavg()[0]:.2f}"


def print_peers(rounds, out):
    """What each peer is, its own times, and the cost of a call that was taken off."""
    print("\nPeers, us an image (in brackets with node's call, which does not count).", file=out)
    print("ONNX Runtime's 8 bits are its fastest: static, tanh as a table.", file=out)
    for key, values in rounds.results.items():
        if not key[0].startswith(("onnxruntime", "torch")) or key[0].endswith("-raw"):
            continue
        raw = rounds.results.get((f"{key[0]}-raw", *key[1:]))
        batch, threads = key[-2:]
        samples = f", T={key[2]}" if key[0] == "torch-naive" else ""
        median = report.median([value for value in values if value])
        text = f" ({report.median([value for value in raw if value]):.2f})" if raw else ""
        print(
            f"  {key[0]:<17} {key[1]}, batch {batch}, {report.count(threads, 'thread')}{samples}: "
            f"{median:.2f}{text}", file=out,
        )  # fmt: skip


def size_text(size):
    return f"{size >> 20}M" if size >= 1 << 20 else f"{size >> 10}K"


def print_rates(rounds, out):
    """The machine's limits, the best of all rounds."""
    print("\nThis machine at most, in 10^9/s, threads together:", file=out)
    for threads, rates in rounds.rates.items():
        print(f"  {report.count(threads, 'thread')}", file=out)
        for kind, what in (("bit", "products of bits"), ("byte", "products of bytes")):
            found = rates[f"{kind}_products_per_second"].items()
            texts = [f"{name} {rate / 1e9:.0f}" for name, rate in found]
            print(f"    {what}: {', '.join(texts)}", file=out)
        texts = [
            f"{size_text(level['bytes_per_thread'])} {level['rate'] / 1e9:.0f}"
            for level in rates["read_bytes_per_second"]
        ]
        print(f"    bytes read: {', '.join(texts)}", file=out)


def parse():
    parser = argparse.ArgumentParser(prog="compare.py", description=__doc__)
    n_processors = len(os.sched_getaffinity(0))

    def numbers(text):
        return [int(part) for part in text.split(",")]

    def threads(text):
        found = [n_processors if part == "all" else int(part) for part in text.split(",")]
        return list(dict.fromkeys(found))

    def cases(text):
        found = text.split(",")
        for name in found:
            if name not in WIDTHS:
                raise argparse.ArgumentTypeError(f"no case {name}; there are {', '.join(WIDTHS)}")
        return found

    add = parser.add_argument
    add("--build", default="build/release", help="folder of the build (default %(default)s)")
    add("--peers", default="build/bench", help="folder of the peers (default %(default)s)")
    add("--cases", type=cases, default=list(WIDTHS), metavar="NAME,...", help="default: all")
    add("--bits", type=numbers, default=[1, 4, 8], metavar="B,...", help="default 1,4,8")
    add("--samples", type=numbers, default=[1, 10], metavar="T,...", help="default 1,10")
    add("--batch", type=numbers, default=[1, 256], metavar="N,...", help="default 1,256")
    add("--threads", type=threads, default=threads("1,all"), metavar="N,...",
        help="default 1,all")  # fmt: skip
    add("--rounds", type=int, default=5, help="default %(default)s")
    add("--seconds", type=float, default=0.25, help="of a measurement (default %(default)s)")
    add("--no-onnxruntime", dest="use_onnxruntime", action="store_false")
    add("--no-torch", dest="use_torch", action="store_false")
    add("--no-bars", dest="want_bars", action="store_false")
    add("--json", action="store_true", help="print JSON; bars go to standard error")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds must be above 0")
    return options


def main():
    options = parse()
    out = sys.stderr if options.json else sys.stdout
    before, start, machine = load(), time.monotonic(), Machine()
    rounds = Rounds(options)
    try:
        rounds.run()
    finally:
        rounds.close()
    others = machine.share_of_others()
    rounds.add_limits()
    lines = rounds.lines()
    if options.json:
        print(json.dumps(lines, indent=2))
    else:
        print(f"{processor()}, {len(os.sched_getaffinity(0))} processors")
        print("Ours / peer, median of rounds and least-largest; below 1 we are faster. ORT: ONNX")
        print("Runtime, one pass of tanh, all T. limit: share of this machine's limit reached.")
        names = {case: f"{case} ({'-'.join(map(str, WIDTHS[case]))})" for case in WIDTHS}
        report.print_table(lines, names)
        print_peers(rounds, out)
        print_rates(rounds, out)
    if options.want_bars:
        bars.print_bars(rounds.results, options.build, out)
    print(
        f"\nload average {before} at the start, {load()} at the end; other programs took "
        f"{100 * others:.0f} %\nof the processors; {time.monotonic() - start:.0f} s, "
        f"{report.count(options.rounds, 'round')}", file=out,
    )  # fmt: skip
    if others > BUSY:
        print("The machine was not idle: figures of several threads are doubtful.", file=out)


if __name__ == "__main__":
    main()
