# SPDX-License-Identifier: Apache-2.0
"""Measures T samples of a p-DNN written in PyTorch without thought for speed: tanh, a comparison
with random numbers, a matrix product, over the whole batch of images and samples at once. One
JSON request a line on standard input, {"widths": [784, 1024, 1024, 10], "batch": 1, "samples": 10,
"threads": 1, "seconds": 0.3}; one JSON answer a line on standard output, microseconds per image."""

import functools
import json
import statistics
import sys
import time

import torch

CALLS_LEAST = 2
WARM_UP_PART = 0.15


@functools.lru_cache(maxsize=None)
def network(widths):
    random = torch.Generator().manual_seed(1)
    layers = []
    for n_in, n_out in zip(widths, widths[1:]):
        weights = (2 * torch.rand(n_in, n_out, generator=random) - 1) * (3 / n_in) ** 0.5
        layers.append((weights, torch.rand(n_out, generator=random) - 0.5))
    return layers


def forward(layers, images, samples):
    """Mean outputs of `samples` samples. What comes before the first draw is computed once."""
    inputs = images
    for i, (weights, bias) in enumerate(layers):
        sums = inputs @ weights + bias
        if i == len(layers) - 1:
            return sums.view(samples, len(images), -1).mean(0)
        means = torch.tanh(sums)
        if i == 0:
            means = means.repeat(samples, 1)
        inputs = torch.where(2 * torch.rand(means.shape) - 1 < means, 1.0, -1.0)


def measure(request):
    torch.set_num_threads(request["threads"])
    layers = network(tuple(request["widths"]))
    batch, samples, seconds = request["batch"], request["samples"], request["seconds"]
    images = torch.rand(batch, request["widths"][0])
    times = []
    end = time.perf_counter() + seconds * WARM_UP_PART
    with torch.no_grad():
        while True:
            forward(layers, images, samples)
            if time.perf_counter() >= end:
                break
        end = time.perf_counter() + seconds
        while len(times) < CALLS_LEAST or time.perf_counter() < end:
            start = time.perf_counter()
            forward(layers, images, samples)
            times.append(time.perf_counter() - start)
    return {"us": statistics.median(times) * 1e6 / batch, "calls": len(times)}


def main():
    for line in sys.stdin:
        print(json.dumps(measure(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
