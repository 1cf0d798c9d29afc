# SPDX-License-Identifier: Apache-2.0
"""Turns the rounds of compare.py into lines: medians, and the median of the ratios of each round
with the least and the largest; prints them as a table of 80 columns."""

from statistics import median

PEERS = ["onnxruntime-fp32", "onnxruntime-int8", "torch-naive", "limit"]


def count(n, noun):
    return f"{n} {noun}{'' if n == 1 else 's'}"


def spread(ours, theirs):
    """Median, least and largest of the ratios of rounds that have both."""
    ratios = [a / b for a, b in zip(ours, theirs) if a and b]
    return (median(ratios), min(ratios), max(ratios)) if ratios else None


def line(key, peer, ours, theirs):
    """One object of the output; None where the peer was not measured."""
    ratio = spread(ours, theirs)
    if not ratio:
        return None
    case, bits, samples, batch, threads = key
    return {
        "case": case, "bits": bits, "samples": samples, "batch": batch, "threads": threads,
        "us_per_image": median(ours), "peer": peer,
        "peer_us": median(value for value in theirs if value),
        "ratio": ratio[0], "ratio_min": ratio[1], "ratio_max": ratio[2],
        "rounds": len(ours),
    }  # fmt: skip


def _number(value):
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _cell(found):
    if not found:
        return "-"
    return f"{_number(found['ratio'])} {_number(found['ratio_min'])}-{_number(found['ratio_max'])}"


def _print_row(key, by_peer):
    ours = next(iter(by_peer.values()))["us_per_image"]
    naive, limit = by_peer.get("torch-naive"), by_peer.get("limit")
    print(
        f"{key[1]:>4} {key[2]:>3} {key[3]:>5} {ours:>9.2f}"
        f" {_cell(by_peer.get('onnxruntime-fp32')):>17}"
        f" {_cell(by_peer.get('onnxruntime-int8')):>17}"
        f" {_number(naive['ratio']) if naive else '-':>6}"
        f" {100 / limit['ratio'] if limit else 0:>5.0f}%"
    )


def print_table(lines, names):
    """Lines as rows, one for each way to run, its peers beside each other."""
    rows = {}
    for found in lines:
        key = tuple(found[name] for name in ("case", "bits", "samples", "batch", "threads"))
        rows.setdefault(key, {})[found["peer"]] = found
    group = None
    for key in sorted(rows, key=lambda key: (key[0], key[4], key[1:4])):
        if (key[0], key[4]) != group:
            group = (key[0], key[4])
            print(f"\n{names[key[0]]}, {count(key[4], 'thread')}")
            print(
                f"{'bits':>4} {'T':>3} {'batch':>5} {'us/image':>9} {'/ ORT fp32':>17}"
                f" {'/ ORT int8':>17} {'/torch':>6} {'limit':>6}"
            )
        _print_row(key, rows[key])
