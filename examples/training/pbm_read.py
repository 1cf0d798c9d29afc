# SPDX-License-Identifier: Apache-2.0
"""Reader of the model container `.pbm` (MODEL.md). It parses with libfdt and unpacks weights by
another rule than the writer packs them, so that each checks the other."""

import struct

import libfdt
import numpy as np

from pbm_model import LINES, Layer, Model, input_map, output_map


def unpack(data, outputs, inputs, bits):
    """Matrix [outputs, inputs] out of packed weights, by MODEL.md's rule in words."""
    tiles, chunks = -(-outputs // 16), -(-inputs // 32)
    size = tiles * chunks * LINES[bits] * 64
    if len(data) != size:
        raise ValueError(f"weights: {len(data)} bytes, must be {size}")
    if bits == 32:
        words = np.frombuffer(data, "<f4").reshape(tiles, chunks * 32, 16)
        return words.transpose(0, 2, 1).reshape(tiles * 16, -1)[:outputs, :inputs].copy()
    word = np.frombuffer(data, "<u4").reshape(tiles, chunks, LINES[bits], 16)
    result = np.empty((tiles, 16, chunks, 32), np.int16)
    for j in range(8):
        if bits == 1:
            four = word[:, :, 0] >> j & 0x01010101
        elif bits == 2:
            four = (word[:, :, 0] >> j & 0x01010101) | (word[:, :, 1] >> j & 0x01010101) << 1
        elif bits == 4:
            four = word[:, :, j // 2] >> 4 * (j % 2) & 0x0F0F0F0F
        else:
            four = word[:, :, j]
        for b in range(4):
            code = (four >> 8 * b & 0xFF).astype(np.uint8).transpose(0, 2, 1)
            if bits == 1:
                result[..., 8 * b + j] = 2 * code.astype(np.int16) - 1
            elif bits == 8:
                result[..., 8 * b + j] = code.view(np.int8)
            else:
                result[..., 8 * b + j] = code.astype(np.int16) - (1 << bits - 1)
    return result.reshape(tiles * 16, -1)[:outputs, :inputs].astype(np.int8)


class _Node:
    """Typed look-up of the properties of one node."""

    def __init__(self, fdt, offset, where):
        self.fdt, self.offset, self.where = fdt, offset, where

    def raw(self, name, default=None):
        value = self.fdt.getprop(self.offset, name, quiet=(libfdt.NOTFOUND,))
        if not isinstance(value, int):
            return bytes(value)
        if default is None:
            raise ValueError(f"{self.where}: property {name} is missing")
        return default

    def cells(self, name, default=None):
        if default is not None:
            default = struct.pack(f">{len(default)}I", *default)
        raw = self.raw(name, default)
        return tuple(int(v) for v in np.frombuffer(raw, ">u4"))

    def floats(self, name):
        values = np.frombuffer(self.raw(name), ">f4").astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError(f"{self.where}: {name} must be finite")
        return values

    def texts(self, name, default=None):
        raw = self.raw(name, default)
        if raw and raw[-1]:
            raise ValueError(f"{self.where}: {name} is not a string")
        return raw[:-1].decode().split("\0") if raw else []

    def text(self, name, default=None):
        return (self.texts(name, default) or [""])[0]

    def child(self, name):
        offset = self.fdt.subnode_offset(self.offset, name, quiet=(libfdt.NOTFOUND,))
        return None if offset < 0 else _Node(self.fdt, offset, f"{self.where}/{name}")

    def items(self):
        offset = self.fdt.first_property_offset(self.offset, quiet=(libfdt.NOTFOUND,))
        while offset >= 0:
            prop = self.fdt.get_property_by_offset(offset)
            yield prop.name, bytes(prop).rstrip(b"\0").decode()
            offset = self.fdt.next_property_offset(offset, quiet=(libfdt.NOTFOUND,))


def _read_layer(node, before):
    layer = Layer(type=node.text("type"), name=node.text("label", b"\0"))
    if layer.type not in ("dense", "conv2d", "maxpool"):
        raise ValueError(f"{node.where}: unknown type {layer.type!r}")
    if layer.type != "dense":
        layer.kernel = node.cells("kernel")
        layer.stride = node.cells("stride", (1, 1) if layer.type == "conv2d" else layer.kernel)
    if layer.type == "maxpool":
        return layer
    layer.padding = node.cells("padding", (0, 0))
    layer.activation = node.text("activation")
    layer.encoding = "real"
    if layer.activation == "pbit":
        layer.encoding = node.text("encoding")
        layer.beta = float(node.floats("beta")[0]) if node.raw("beta", b"") else 1.0
    (layer.bits,) = node.cells("weight-bits")
    layer.scale, layer.bias = node.floats("scale"), node.floats("bias")
    (outputs,) = node.cells("outputs" if layer.type == "dense" else "channels")
    here = (before.height, before.width) if layer.type == "dense" else layer.kernel
    positions = here[0] * here[1]
    rows = unpack(node.raw("weights"), outputs, positions * before.stride, layer.bits)
    split = rows.reshape(outputs, positions, before.stride)[:, :, : before.channels]
    flat = layer.type == "dense" and positions == 1
    layer.weights = split.reshape((outputs, -1) if flat else (outputs, *here, before.channels))
    return layer


def parse_pbm(data):
    """A Model out of the bytes of a `.pbm` file. Raises ValueError."""
    # Without this check libfdt would read past the end of a file cut short.
    code = libfdt.fdt_check_full(bytearray(data), len(data)) if len(data) >= 40 else -8
    if code:
        raise ValueError(f"no whole flattened device tree ({libfdt.strerror(code)})")
    try:
        root = _Node(libfdt.FdtRo(data), 0, "")
        if root.text("compatible") != "pbit,model":
            raise ValueError("compatible is not pbit,model")
        if root.cells("version")[0] != 1:
            raise ValueError(f"version {root.cells('version')} is not known")
        entry = root.child("input")
        notes = root.child("provenance")
        model = Model(
            name=root.text("model"),
            description=root.text("description", b"\0"),
            classes=root.texts("classes", b""),
            provenance=dict(notes.items()) if notes else {},
            shape=entry.cells("shape"),
            input_bits=entry.cells("bits")[0],
            input_scale=float(entry.floats("scale")[0]),
            input_zero=entry.cells("zero")[0],
            order=entry.text("order", b"hwc\0"),
            layers=[],
        )
        now, layers = input_map(model), root.child("layers")
        while node := layers.child(f"layer@{len(model.layers):x}"):
            model.layers.append(_read_layer(node, now))
            now = output_map(model.layers[-1], now)
        return model
    except libfdt.FdtException as error:
        raise ValueError(f"no flattened device tree: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, SystemError, TypeError) as error:
        raise ValueError(f"a node or property is missing or damaged ({error})") from error


def read_pbm(path):
    with open(path, "rb") as file:
        data = file.read()
    try:
        return parse_pbm(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
