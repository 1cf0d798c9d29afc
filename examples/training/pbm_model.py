# SPDX-License-Identifier: Apache-2.0
"""What a model is, in numpy arrays: layers, shapes, encodings, and the geometry that the
writer, the reader and the evaluator share (MODEL.md, order of the inputs)."""

from dataclasses import dataclass, field

import numpy as np

LINES = {1: 1, 2: 2, 4: 4, 8: 8, 32: 32}  # lines of 64 bytes per chunk of 32 inputs
OFFSET = {2: 2, 4: 8}  # weight = stored code - OFFSET
CODE_RANGE = {1: (-1, 1), 2: (-2, 1), 4: (-8, 7), 8: (-128, 127)}
MAX_FAN_IN = 65536
MAX_FILE = 2**31 - 1
MAX_LAYERS = 1024
MAX_SIDE = 65535


@dataclass
class Layer:
    """One layer. weights: dense [outputs, inputs] or [outputs, height, width, channels],
    conv2d [channels out, height, width, channels in]; whole numbers, or float32 at 32 bits."""

    type: str = "dense"
    weights: np.ndarray = None
    bits: int = 8
    scale: np.ndarray = None  # one value or one per output; None means 1
    bias: np.ndarray = None  # one per output; None means 0
    activation: str = "pbit"
    encoding: str = "bipolar"
    beta: float = 1.0
    kernel: tuple = None  # (height, width) of a maxpool; a conv2d has it in its weights
    stride: tuple = None
    padding: tuple = (0, 0)
    name: str = ""

    def __post_init__(self):
        if self.weights is not None:
            self.scale = np.ones(1, np.float32) if self.scale is None else self.scale
            self.bias = np.zeros(len(self.weights), np.float32) if self.bias is None else self.bias


@dataclass
class Model:
    """A network and what its input means."""

    name: str
    layers: list
    shape: tuple  # (channels, height, width), or (length,)
    input_bits: int = 8
    input_scale: float = 1.0
    input_zero: int = 0
    order: str = "hwc"
    classes: list = field(default_factory=list)
    description: str = ""
    provenance: dict = field(default_factory=dict)


@dataclass
class Map:
    """Shape and encoding of what flows between layers. stride is MODEL.md's Cs."""

    channels: int
    height: int
    width: int
    encoding: str  # "codes", "bipolar", "binary"

    @property
    def stride(self):
        bits = self.encoding != "codes" and self.height * self.width > 1
        return -(-self.channels // 32) * 32 if bits else self.channels


def input_map(model):
    channels, height, width = (*model.shape, 1, 1) if len(model.shape) == 1 else model.shape
    return Map(channels, height, width, "codes")


def sides(layer):
    """(kernel, stride) of a conv2d or maxpool with the defaults filled in."""
    kernel = layer.kernel if layer.type == "maxpool" else layer.weights.shape[1:3]
    return kernel, layer.stride or ((1, 1) if layer.type == "conv2d" else kernel)


def output_map(layer, before):
    if layer.type == "dense":
        return Map(layer.weights.shape[0], 1, 1, layer.encoding)
    kernel, stride = sides(layer)
    size = [
        (n + 2 * p - k) // s + 1
        for n, p, k, s in zip((before.height, before.width), layer.padding, kernel, stride)
    ]
    if layer.type == "maxpool":
        return Map(before.channels, *size, before.encoding)
    return Map(layer.weights.shape[0], *size, layer.encoding)
