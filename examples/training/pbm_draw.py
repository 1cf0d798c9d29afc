# SPDX-License-Identifier: Apache-2.0
"""Evaluator of a model in numpy: T whole passes of true p-bit sampling. It knows the law of
CONTRACT.md, not its random stream: it agrees with the library in distribution
and not bit by bit."""

import numpy as np

from pbm_model import input_map, sides


def _sums(layer, values, matmul):
    """Sum of w * v for each output and position; values are [images, height, width, channels]."""
    weights = layer.weights.reshape(len(layer.weights), -1).astype(values.dtype)
    if layer.type == "dense":
        return matmul(values.reshape(len(values), -1), weights.T)[:, None, None, :]
    kernel, stride = sides(layer)
    (top, left) = layer.padding
    padded = np.pad(values, ((0, 0), (top, top), (left, left), (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    views = views[:, :: stride[0], :: stride[1]].transpose(0, 1, 2, 4, 5, 3)
    where = views.shape[:3]
    return matmul(views.reshape(-1, weights.shape[1]), weights.T).reshape(*where, -1)


def _pool(layer, values):
    kernel, stride = sides(layer)
    views = np.lib.stride_tricks.sliding_window_view(values, kernel, axis=(1, 2))
    return views[:, :: stride[0], :: stride[1]].max(axis=(-2, -1))


def _activate(layer, pre, rng):
    if layer.activation == "linear":
        return pre
    gain = layer.beta if layer.activation == "pbit" else 1.0
    half = gain * pre * (1.0 if (layer.activation, layer.encoding) == ("pbit", "bipolar") else 0.5)
    probability = 0.5 + 0.5 * np.tanh(half)
    if layer.activation == "sigmoid":
        return probability
    bits = (rng.random(pre.shape, np.float32) < probability).astype(np.float32)
    return 2 * bits - 1 if layer.encoding == "bipolar" else bits


def draw(model, images, samples, seed=0, matmul=np.matmul):
    """Outputs of `samples` whole passes, shape [samples, images, outputs]. images: codes in the
    caller's order, a row each. matmul may be a faster product of two float32 matrices."""
    rng = np.random.default_rng(seed)
    start = input_map(model)
    codes = np.asarray(images).reshape(len(images), -1).astype(np.float64) - model.input_zero
    if model.order == "chw":
        codes = codes.reshape(-1, start.channels, start.height, start.width).transpose(0, 2, 3, 1)
    codes = codes.reshape(-1, start.height, start.width, start.channels)
    # Binary64: codes of 8 bits overrun the 24 bits in which binary32 is exact.
    first = model.layers[0]
    fixed = _sums(first, codes, np.matmul) * (np.float64(first.scale) * model.input_scale)
    fixed = (fixed + first.bias).astype(np.float32)
    result = []
    for _ in range(samples):
        values = _activate(first, fixed, rng)
        for layer in model.layers[1:]:
            if layer.type == "maxpool":
                values = _pool(layer, values)
                continue
            pre = _sums(layer, values, matmul) * layer.scale + layer.bias
            values = _activate(layer, pre.astype(np.float32), rng)
        result.append(values.reshape(len(values), -1))
    return np.stack(result)


def accuracy(outputs, labels, samples):
    """Share of images whose greatest mean output is the label's. The drawn samples are
    split into as many groups of this size as there are; the result is their mean."""
    groups = len(outputs) // samples
    means = outputs[: groups * samples].reshape(groups, samples, *outputs.shape[1:]).mean(1)
    return float((means.argmax(-1) == labels).mean())
