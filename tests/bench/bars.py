# SPDX-License-Identifier: Apache-2.0
"""The project's bars, and whether they hold in this run. A bar that is not reached is said, and is
no failure of the benchmark."""

import os
import struct
import sys
import tempfile

from programs import output_of
from report import spread

CASE = "mlp-1024"
MEMORY_WIDTHS = (4096, 4096, 4096, 10)
MEMORY_IMAGES = 256
MEMORY_SAMPLES = 10
MODEL = "examples/models/fashion-mnist-784-512-512-10-w4.pbm"
MEBIBYTE = 1 << 20


class Bars:
    def __init__(self, out):
        self.out = out

    def show(self, name, value, bar, text):
        """text holds `value` and `bar` as a person reads them."""
        verdict = "not measured" if value is None else "holds" if value <= bar else "NOT HELD"
        print(f"  {name:<43} {text if value is not None else '':<22} {verdict}", file=self.out)

    def ratio(self, name, found, bar):
        value = found[0] if found else None
        self.show(name, value, bar, f"{value:.3f} (bar {bar:g})" if found else "")


def _speed(bars, measured):
    def ratio(ours, theirs):
        return spread(measured.get(ours, []), measured.get(theirs, []))

    fp32 = {batch: ("onnxruntime-fp32", CASE, batch, 1) for batch in (1, 256)}
    for bits, bar in ((4, 1 / 5), (1, 1 / 10)):
        bars.ratio(f"batch 1, {bits} bit, T=10 / ORT fp32",
                   ratio(("pbit", CASE, bits, 10, 1, 1), fp32[1]), bar)  # fmt: skip
    for bits in (1, 4, 8):
        ours = [("pbit", CASE, bits, samples, 1, 1) for samples in (10, 1)]
        bars.ratio(f"batch 1, {bits} bit, T=10 / T=1", ratio(*ours), 2.5)
    bars.ratio("batch 256, 1 bit, T=10 / ORT fp32",
               ratio(("pbit", CASE, 1, 10, 256, 1), fp32[256]), 1)  # fmt: skip
    for bits in (1, 4, 8):
        for batch in (1, 256):
            found = ratio(("limit", CASE, bits, 10, batch, 1), ("pbit", CASE, bits, 10, batch, 1))
            if found:
                print(f"  batch {batch}, {bits} bit, T=10: {100 * found[0]:.0f} % of the limit",
                      file=bars.out)  # fmt: skip


def _write_images(path, n, width):
    """A .npy file of n images of pseudo-random bytes."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({n}, {width}), }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        file.write(bytes((i * 2654435761 >> 24) & 255 for i in range(n * width)))


def _peak_of(command):
    """Peak resident bytes of a program that runs to its end; None where it fails."""
    output = os.open(os.devnull, os.O_WRONLY)
    child = os.posix_spawn(command[0], command, os.environ,
                           file_actions=[(os.POSIX_SPAWN_DUP2, output, 1)])  # fmt: skip
    os.close(output)
    _, status, usage = os.wait4(child, 0)
    return usage.ru_maxrss * 1024 if status == 0 else None


def _memory(bars, pbit, tool):
    layers = zip(MEMORY_WIDTHS, MEMORY_WIDTHS[1:])
    weights = sum(-(-n_out // 16) * 16 * n_in for n_in, n_out in layers)
    activations = MEMORY_IMAGES * MEMORY_WIDTHS[0]  # codes; then bits; then 64-bit sums
    activations += sum(MEMORY_IMAGES * MEMORY_SAMPLES * n // 8 for n in MEMORY_WIDTHS[1:-1])
    activations += MEMORY_IMAGES * MEMORY_SAMPLES * MEMORY_WIDTHS[-1] * 8
    bar = 1.3 * (weights + activations) + 16 * MEBIBYTE
    with tempfile.TemporaryDirectory() as folder:
        model, images = os.path.join(folder, "model.pbm"), os.path.join(folder, "images.npy")
        written = os.spawnv(os.P_WAIT, tool, [tool, "write", model])
        if written:
            sys.exit("bench: cannot write the model for the memory bar")
        _write_images(images, MEMORY_IMAGES, MEMORY_WIDTHS[0])
        peak = _peak_of([pbit, "run", model, "--data", images, "--samples", str(MEMORY_SAMPLES),
                         "--device", "software:threads=1", "--json"])  # fmt: skip
    text = f"{peak / MEBIBYTE:.1f} MiB (bar {bar / MEBIBYTE:.1f})" if peak else ""
    bars.show("memory of pbit run, mlp-4096, 8 bits", peak, bar, text)


def _library(bars, tool):
    if os.path.exists(MODEL):
        cost = output_of([tool, "open", MODEL])["open_ms"]
        bars.show("open device, load Fashion-MNIST model", cost, 20, f"{cost:.2f} ms (bar 20)")
    for call in output_of([tool, "call"]):
        overhead = 100 * call["overhead"]
        bars.show(f"call overhead, batch {call['batch']}, 1 bit, T={call['samples']}", overhead, 2,
                  f"{overhead:.2f} % (bar 2)")  # fmt: skip


def print_bars(measured, build, out):
    bars = Bars(out)
    tool = os.path.join(build, "tests/bench/hal_cost")
    print(f"\nBars ({CASE}, 1 thread, where nothing else is said):", file=out)
    _speed(bars, measured)
    _memory(bars, os.path.join(build, "pbit"), tool)
    _library(bars, tool)
