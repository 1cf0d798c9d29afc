# SPDX-License-Identifier: Apache-2.0
"""Writer of the model container `.pbm` (MODEL.md): checks a model, packs its weights into
tiles, chunks and lines, and writes the flattened device tree with weights at multiples
of 64 bytes."""

import os
import struct

import numpy as np

from pbm_model import (
    CODE_RANGE,
    LINES,
    MAX_FAN_IN,
    MAX_FILE,
    MAX_LAYERS,
    MAX_SIDE,
    OFFSET,
    input_map,
    output_map,
    sides,
)


def pack(rows, bits):
    """Packs a matrix [outputs, inputs] into the tiles, chunks and lines of MODEL.md."""
    outputs, inputs = rows.shape
    tiles, chunks = -(-outputs // 16), -(-inputs // 32)
    if bits == 32:
        full = np.zeros((tiles * 16, chunks * 32), "<f4")
        full[:outputs, :inputs] = rows
        lanes = full.reshape(tiles, 16, chunks, 32)
        return np.ascontiguousarray(lanes.transpose(0, 2, 3, 1)).tobytes()
    full = np.zeros((tiles * 16, chunks * 32), np.uint8)
    whole = np.asarray(rows).astype(np.int16)
    stored = (whole > 0) if bits == 1 else (whole + OFFSET.get(bits, 0))
    full[:outputs, :inputs] = stored.astype(np.uint8)
    code = full.reshape(tiles, 16, chunks, 4, 8)  # tile, lane, chunk, byte b, step j
    if bits == 1:
        lines = np.packbits(code, axis=-1, bitorder="little")
    elif bits == 2:
        planes = [np.packbits(code >> i & 1, axis=-1, bitorder="little") for i in (0, 1)]
        lines = np.concatenate(planes, axis=-1)
    elif bits == 4:
        lines = code[..., 0::2] | code[..., 1::2] << 4
    else:
        lines = code
    lines = lines.reshape(tiles, 16, chunks, 4, LINES[bits])
    return np.ascontiguousarray(lines.transpose(0, 2, 4, 1, 3)).tobytes()


class _Tree:
    """Writes a flattened device tree, version 17, front to back."""

    STRUCT_AT = 40 + 16  # behind the header and the empty memory reservation map

    def __init__(self):
        self.body = bytearray()
        self.strings = bytearray()
        self.names = {}

    def begin(self, name):
        self.body += struct.pack(">I", 1) + self._padded(name.encode() + b"\0")

    def end(self):
        self.body += struct.pack(">I", 2)

    def raw(self, name, data):
        if not 0 < len(name) <= 31:
            raise ValueError(f"property name {name!r}: a device tree allows 1 to 31 characters")
        if name not in self.names:
            self.names[name] = len(self.strings)
            self.strings += name.encode("ascii") + b"\0"
        self.body += struct.pack(">III", 3, len(data), self.names[name]) + self._padded(data)

    def cells(self, name, *values):
        self.raw(name, struct.pack(f">{len(values)}I", *values))

    def floats(self, name, values):
        self.raw(name, np.asarray(values, ">f4").tobytes())

    def text(self, name, *values):
        if any("\0" in value for value in values):
            raise ValueError(f"{name}: a string cannot hold a NUL")
        self.raw(name, b"".join(value.encode() + b"\0" for value in values))

    def aligned(self, name, data):
        """A property whose data starts at a multiple of 64 bytes of the file: two headers of
        12 bytes and the filling stand before it."""
        self.raw("align", bytes(-(self.STRUCT_AT + len(self.body) + 24) % 64))
        self.raw(name, data)

    def blob(self):
        body = bytes(self.body) + struct.pack(">I", 9)
        strings_at = self.STRUCT_AT + len(body)
        total = strings_at + len(self.strings)
        head = struct.pack(">10I", 0xD00DFEED, total, self.STRUCT_AT, strings_at, 40, 17, 16, 0,
                           len(self.strings), len(body))  # fmt: skip
        return head + bytes(16) + body + bytes(self.strings)

    @staticmethod
    def _padded(data):
        return data + bytes(-len(data) % 4)


def _finite(what, values):
    values = np.asarray(values, np.float32).reshape(-1)
    if not np.isfinite(values).all():
        raise ValueError(f"{what}: must be finite in binary32")
    return values


def _rows(layer, before, where):
    """Weights of a layer as a matrix in MODEL.md's order of k, checked."""
    weights = np.asarray(layer.weights)
    if layer.type == "conv2d":
        if weights.ndim != 4 or weights.shape[3] != before.channels:
            raise ValueError(f"{where}: weights must be [outputs, height, width, {before.channels}]"
                             f", not {list(weights.shape)}")  # fmt: skip
        positions = weights.shape[1] * weights.shape[2]
    else:
        positions = before.height * before.width
    wanted = positions * before.channels
    if weights.ndim < 2 or weights[0].size != wanted:
        raise ValueError(f"{where}: {list(weights.shape)} weights do not fit {wanted} inputs")
    split = weights.reshape(len(weights), positions, before.channels)
    split = np.pad(split, ((0, 0), (0, 0), (0, before.stride - before.channels)))
    rows = split.reshape(len(weights), -1)
    if layer.bits == 32:
        _finite(f"{where}: weights", weights)
        return rows
    if layer.bits not in CODE_RANGE:
        raise ValueError(f"{where}: {layer.bits}-bit weights; must be 1, 2, 4, 8 or 32")
    low, high = CODE_RANGE[layer.bits]
    wrong = (weights < low) | (weights > high) | (weights != np.rint(weights))
    if layer.bits == 1:
        wrong |= weights == 0
    if wrong.any():
        raise ValueError(f"{where}: weight {weights[wrong].flat[0]} is no {layer.bits}-bit code")
    if rows.shape[1] > MAX_FAN_IN:
        raise ValueError(f"{where}: fan-in of {rows.shape[1]}, at most {MAX_FAN_IN}")
    return rows


def _write_layer(tree, layer, before, last, where):
    tree.text("type", layer.type)
    if layer.name:
        tree.text("label", layer.name)
    if layer.type not in ("dense", "conv2d", "maxpool"):
        raise ValueError(f"{where}: type {layer.type!r} is none of dense, conv2d, maxpool")
    if layer.type != "dense":
        kernel, stride = sides(layer)
        tree.cells("kernel", *kernel)
        tree.cells("stride", *stride)
    if layer.type == "maxpool":
        if before.encoding == "codes":
            raise ValueError(f"{where}: a maxpool cannot be the first layer")
        return
    if layer.type == "conv2d":
        tree.cells("padding", *layer.padding)
    rows = _rows(layer, before, where)
    outputs = len(rows)
    tree.cells("channels" if layer.type == "conv2d" else "outputs", outputs)
    if layer.activation not in (("pbit", "linear", "sigmoid") if last else ("pbit",)):
        raise ValueError(f"{where}: activation {layer.activation!r} is not possible here")
    tree.text("activation", layer.activation)
    if layer.activation == "pbit":
        if layer.encoding not in ("bipolar", "binary"):
            raise ValueError(f"{where}: encoding {layer.encoding!r} is not bipolar or binary")
        tree.text("encoding", layer.encoding)
        tree.floats("beta", _finite(f"{where}: beta", layer.beta))
    scale = _finite(f"{where}: scale", layer.scale)
    bias = _finite(f"{where}: bias", layer.bias)
    if len(scale) not in (1, outputs) or len(bias) != outputs:
        raise ValueError(f"{where}: {len(scale)} scales, {len(bias)} biases, {outputs} outputs")
    tree.floats("scale", scale)
    tree.floats("bias", bias)
    tree.cells("weight-bits", layer.bits)
    tree.aligned("weights", pack(rows, layer.bits))


def build_pbm(model):
    """The bytes of a `.pbm` file. Raises ValueError for what MODEL.md does not allow."""
    if not (np.isfinite(np.float32(model.input_scale)) and np.float32(model.input_scale) > 0):
        raise ValueError("input: scale must be positive and finite")
    if model.input_bits not in (8, 16):
        raise ValueError("input: bits must be 8 or 16")
    if len(model.shape) not in (1, 3) or not all(0 < n <= MAX_SIDE for n in model.shape):
        raise ValueError(f"input: shape {model.shape} is not (length,) or (channels, height, width)"
                         f" of 1 to {MAX_SIDE}")  # fmt: skip
    if not 0 <= model.input_zero < 1 << model.input_bits:
        raise ValueError(f"input: zero {model.input_zero} is not a code of {model.input_bits} bits")
    if model.order not in ("hwc", "chw"):
        raise ValueError(f"input: order {model.order!r} is not hwc or chw")
    if not 0 < len(model.layers) <= MAX_LAYERS:
        raise ValueError(f"{model.name}: {len(model.layers)} layers, must be 1 to {MAX_LAYERS}")
    tree = _Tree()
    tree.begin("")
    tree.text("compatible", "pbit,model")
    tree.cells("version", 1, 0)
    tree.text("model", model.name)
    if model.description:
        tree.text("description", model.description)
    if model.classes:
        tree.text("classes", *model.classes)
    if model.provenance:
        tree.begin("provenance")
        for key, value in model.provenance.items():
            tree.text(key, str(value))
        tree.end()
    tree.begin("input")
    tree.cells("shape", *model.shape)
    tree.cells("bits", model.input_bits)
    tree.floats("scale", [model.input_scale])
    tree.cells("zero", model.input_zero)
    tree.text("order", model.order)
    tree.end()
    tree.begin("layers")
    now = input_map(model)
    for i, layer in enumerate(model.layers):
        tree.begin(f"layer@{i:x}")
        last = i == len(model.layers) - 1
        _write_layer(tree, layer, now, last, f"{model.name}: layer@{i:x}")
        tree.end()
        now = output_map(layer, now)
        if min(now.height, now.width) < 1:
            raise ValueError(f"{model.name}: layer@{i:x}: its kernel is larger than its input")
    if model.classes and len(model.classes) != now.channels * now.height * now.width:
        raise ValueError(f"{model.name}: {len(model.classes)} classes do not fit the outputs")
    tree.end()
    tree.end()
    blob = tree.blob()
    if len(blob) > MAX_FILE:
        raise ValueError(f"{model.name}: {len(blob)} bytes, at most {MAX_FILE}")
    return blob


def write_pbm(path, model):
    """Writes a model, whole or not at all."""
    blob = build_pbm(model)
    part = f"{path}.part"
    with open(part, "wb") as file:
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
