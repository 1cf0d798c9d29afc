# SPDX-License-Identifier: Apache-2.0
"""The least time that a pass can take on this machine, from the rates that limit.c measured: for
each layer the larger of its products at the fastest rate there is and its weights at the bandwidth
of the memory they fit in. Drawing random numbers costs nothing here, so no run quite reaches it."""

AMX_ROWS = 16
CODE_BITS = 8


def _seconds(products, bits, first, rows, rates):
    bytes_rates = dict(rates["byte_products_per_second"])
    filled = -(-rows // AMX_ROWS) * AMX_ROWS
    if "amx" in bytes_rates:  # part of a tile takes as long as a whole one
        bytes_rates["amx"] *= rows / filled
    bit_products = bits * (CODE_BITS if first else 1)  # one for each pair of bits
    return min(
        products / max(bytes_rates.values()),
        products * bit_products / max(rates["bit_products_per_second"].values()),
    )


def _bandwidth(size, rates):
    """Bandwidth of the largest measured size that is no larger: never too low."""
    levels = rates["read_bytes_per_second"]
    fitting = [level for level in levels if level["bytes_per_thread"] <= size] or levels[:1]
    return max(level["rate"] for level in fitting[-1:])


def best(one, other):
    """The larger of two measurements of the same rates."""
    found = {"threads": one["threads"]}
    for kind in ("bit_products_per_second", "byte_products_per_second"):
        found[kind] = {name: max(rate, other[kind][name]) for name, rate in one[kind].items()}
    found["read_bytes_per_second"] = [
        max(pair, key=lambda level: level["rate"])
        for pair in zip(one["read_bytes_per_second"], other["read_bytes_per_second"])
    ]
    return found


def us_per_image(widths, bits, samples, batch, rates):
    """What comes before the first draw is computed once for all samples."""
    weights = [n_in * n_out * bits / 8 for n_in, n_out in zip(widths, widths[1:])]
    bandwidth = _bandwidth(sum(weights) / rates["threads"], rates)
    total = 0
    for i, size in enumerate(weights):
        rows = batch if i == 0 else batch * samples
        products = widths[i] * widths[i + 1] * rows
        total += max(_seconds(products, bits, i == 0, rows, rates), size / bandwidth)
    return total * 1e6 / batch
