#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the `.pbm` writer, reader and evaluator: round trips at every width of weights
and odd sizes, the packing rule of MODEL.md bit by bit, alignment, refusals, sampling."""

import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import libfdt
import numpy as np

import pbm

RANGE = {1: (-1, 1), 2: (-2, 1), 4: (-8, 7), 8: (-128, 127)}


def some_weights(rng, shape, bits):
    if bits == 32:
        return rng.normal(size=shape).astype(np.float32)
    if bits == 1:
        return (rng.integers(0, 2, shape) * 2 - 1).astype(np.int8)
    return rng.integers(*RANGE[bits], shape, endpoint=True).astype(np.int8)


def dense(rng, outputs, inputs, bits, **more):
    shape = (outputs, inputs) if isinstance(inputs, int) else (outputs, *inputs)
    return pbm.Layer("dense", some_weights(rng, shape, bits), bits,
                     scale=rng.random(outputs, np.float32) + 0.1,
                     bias=rng.normal(size=outputs).astype(np.float32), **more)  # fmt: skip


def weight_at(data, tile_chunks, o, k, bits):
    """One weight by the table of MODEL.md, bit by bit."""
    lines = {1: 1, 2: 2, 4: 4, 8: 8, 32: 32}[bits]
    chunk, k = divmod(k, 32)
    b, j = divmod(k, 8)
    tile, lane = divmod(o, 16)

    def word(line):
        at = ((tile * tile_chunks + chunk) * lines + line) * 64 + 4 * lane
        return data[at : at + 4]

    def bit(line):
        return struct.unpack("<I", word(line))[0] >> (8 * b + j) & 1

    if bits == 32:
        return struct.unpack("<f", word(k))[0]
    if bits == 1:
        return 2 * bit(0) - 1
    if bits == 2:
        return bit(0) + 2 * bit(1) - 2
    if bits == 4:
        return (word(j // 2)[b] >> 4 * (j % 2) & 15) - 8
    return struct.unpack("<b", word(j)[b : b + 1])[0]


def weights_offset(blob):
    """Offsets in the file of the data of every `weights` property, by walking the tree."""
    _, _, at, strings = struct.unpack(">4I", blob[:16])
    found = []
    while True:
        (token,) = struct.unpack(">I", blob[at : at + 4])
        at += 4
        if token == 1:
            at += (blob.index(b"\0", at) - at + 4) // 4 * 4
        elif token == 3:
            length, name = struct.unpack(">II", blob[at : at + 8])
            at += 8
            if blob[strings + name :].startswith(b"weights\0"):
                found.append(at)
            at += (length + 3) // 4 * 4
        elif token == 9:
            return found


class Packing(unittest.TestCase):
    def test_every_width_and_odd_sizes(self):
        rng = np.random.default_rng(1)
        for bits in (1, 2, 4, 8, 32):
            for outputs, inputs in ((1, 1), (16, 32), (17, 33), (10, 100), (33, 65), (48, 784)):
                with self.subTest(bits=bits, outputs=outputs, inputs=inputs):
                    weights = some_weights(rng, (outputs, inputs), bits)
                    data = pbm.pack(weights, bits)
                    lines = -(-outputs // 16) * -(-inputs // 32) * {32: 32}.get(bits, bits)
                    self.assertEqual(len(data), 64 * lines)
                    back = pbm.unpack(data, outputs, inputs, bits)
                    np.testing.assert_array_equal(back, weights)
                    for o, k in zip(rng.integers(outputs, size=40), rng.integers(inputs, size=40)):
                        single = weight_at(data, -(-inputs // 32), int(o), int(k), bits)
                        self.assertEqual(single, weights[o, k])

    def test_added_positions_hold_zero_bits(self):
        for bits in (1, 2, 4, 8, 32):
            ones = pbm.pack(np.ones((1, 1)), bits)
            code = {1: 1, 2: 3, 4: 9, 8: 1, 32: 1.0}[bits]
            where = {2: [(0, 1), (64, 1)], 32: [(2, 0x80), (3, 0x3F)]}.get(bits, [(0, code)])
            wanted = bytearray(len(ones))
            for at, value in where:
                wanted[at] = value
            self.assertEqual(ones, bytes(wanted))


class Container(unittest.TestCase):
    def models(self):
        rng = np.random.default_rng(2)
        for bits in (1, 2, 4, 8, 32):
            yield pbm.Model(
                f"vector-w{bits}",
                [dense(rng, 37, 70, bits, encoding="binary", beta=0.5, name="first"),
                 dense(rng, 5, 37, bits, activation="linear")],
                (70,), input_scale=1 / 255, input_zero=3, classes=list("abcde"),
                description="é", provenance={"seed": "7", "note": ""})  # fmt: skip
            yield pbm.Model(
                f"map-w{bits}",
                [pbm.Layer("conv2d", some_weights(rng, (20, 3, 2, 3), bits), bits,
                           stride=(1, 2), padding=(1, 0)),
                 pbm.Layer("maxpool", kernel=(2, 2)),
                 dense(rng, 9, (3, 2, 20), bits, activation="sigmoid")],
                (3, 6, 8), order="chw", input_bits=16)  # fmt: skip

    def test_round_trip(self):
        for model in self.models():
            with self.subTest(model.name):
                blob = pbm.build_pbm(model)
                back = pbm.parse_pbm(blob)
                for key in ("name", "classes", "description", "provenance", "shape",
                            "input_bits", "input_zero", "order"):  # fmt: skip
                    self.assertEqual(getattr(back, key), getattr(model, key))
                self.assertEqual(np.float32(back.input_scale), np.float32(model.input_scale))
                self.assertEqual(len(back.layers), len(model.layers))
                for one, two in zip(back.layers, model.layers):
                    self.assertEqual((one.type, one.name), (two.type, two.name))
                    if two.type == "maxpool":
                        self.assertEqual(one.kernel, two.kernel)
                        continue
                    self.assertEqual((one.activation, one.beta, one.padding),
                                     (two.activation, two.beta, two.padding))  # fmt: skip
                    np.testing.assert_array_equal(one.weights, two.weights)
                    np.testing.assert_array_equal(one.scale, two.scale)
                    np.testing.assert_array_equal(one.bias, two.bias)
                self.assertEqual(pbm.build_pbm(back), blob)

    def test_tree_is_whole_and_weights_aligned(self):
        for model in self.models():
            blob = pbm.build_pbm(model)
            self.assertEqual(libfdt.fdt_check_full(bytearray(blob), len(blob)), 0)
            offsets = weights_offset(blob)
            self.assertEqual(len(offsets), sum(x.weights is not None for x in model.layers))
            self.assertEqual([at % 64 for at in offsets], [0] * len(offsets))
            with self.assertRaises(ValueError):
                pbm.parse_pbm(blob[: len(blob) // 2])

    def test_damaged_files_are_refused_or_read(self):
        """Whatever a few changed bytes do, the reader gives a model or a ValueError."""
        rng = np.random.default_rng(5)
        blob = pbm.build_pbm(next(self.models()))
        refused = 0
        for _ in range(300):
            damaged = bytearray(blob)
            for at in rng.integers(0, len(blob), 8):
                damaged[at] = rng.integers(256)
            try:
                pbm.parse_pbm(bytes(damaged))
            except ValueError:
                refused += 1
        self.assertGreater(refused, 50)

    @unittest.skipUnless(shutil.which("dtc"), "dtc is not installed")
    def test_dtc_reads_and_rewrites_it(self):
        with tempfile.TemporaryDirectory() as folder:
            for model in self.models():
                path = f"{folder}/{model.name}.pbm"
                pbm.write_pbm(path, model)
                run = ["dtc", "-q", "-I", "dtb", "-O"]
                text = subprocess.run([*run, "dts", path], check=True, capture_output=True).stdout
                self.assertIn(b'compatible = "pbit,model"', text)
                again = subprocess.run([*run, "dtb", path], check=True, capture_output=True).stdout
                for one, two in zip(pbm.parse_pbm(again).layers, model.layers):
                    np.testing.assert_array_equal(one.weights, two.weights)

    def test_refusals(self):
        rng = np.random.default_rng(3)

        def model(**change):
            layer = dense(rng, 4, 8, 4, activation="linear")
            for key, value in change.items():
                setattr(layer, key, value)
            return pbm.Model("m", [layer], (8,))

        pbm.build_pbm(model())
        for key, value in {"shape": (2, 4), "input_zero": 256, "input_scale": 0, "order": "whc",
                           "layers": [], "classes": ["a"], "input_bits": 4}.items():  # fmt: skip
            whole = model()
            setattr(whole, key, value)
            with self.subTest(key), self.assertRaises(ValueError):
                pbm.build_pbm(whole)
        for change in (
            {"weights": np.full((4, 8), 8)},
            {"weights": np.full((4, 8), 0.5)},
            {"weights": np.zeros((4, 8)), "bits": 1},
            {"weights": np.zeros((4, 9))},
            {"bits": 3},
            {"bias": np.full(4, np.nan)},
            {"scale": np.ones(3)},
            {"activation": "relu"},
            {"type": "pool"},
            {"type": "maxpool", "kernel": (1, 1)},
        ):
            with self.subTest(change), self.assertRaises(ValueError):
                pbm.build_pbm(model(**change))


class Sampling(unittest.TestCase):
    def test_probability_of_an_output(self):
        """A p-bit's frequency against its exact law, in both encodings, at 5 sigma; and the
        law of the other encoding must be rejected."""
        samples = 40000
        for encoding, gain in (("bipolar", 2.0), ("binary", 1.0)):
            layer = pbm.Layer("dense", np.array([[3, -2], [0, 1]]), 4, np.float32([0.1]),
                              np.float32([0.2, -0.9]), encoding=encoding, beta=1.5)  # fmt: skip
            model = pbm.Model("m", [layer], (2,), input_scale=0.5, input_zero=4)
            out = pbm.draw(model, [[10, 6]], samples)[:, 0]
            pre = 0.1 * np.array([3 * 3 - 2 * 1, 1]) + [0.2, -0.9]
            wanted = 1 / (1 + np.exp(-gain * 1.5 * pre))
            other = 1 / (1 + np.exp(-(3 - gain) * 1.5 * pre))
            sigma = np.sqrt(wanted * (1 - wanted) / samples)
            self.assertTrue((abs((out > 0).mean(0) - wanted) < 5 * sigma).all())
            self.assertTrue((abs((out > 0).mean(0) - other) > 5 * sigma).all())
            self.assertEqual(set(out.reshape(-1)), {-1, 1} if encoding == "bipolar" else {0, 1})

    def test_convolution_against_loops(self):
        rng = np.random.default_rng(4)
        conv = pbm.Layer("conv2d", some_weights(rng, (5, 3, 2, 3), 4), 4, np.float32([0.05]),
                         rng.normal(size=5).astype(np.float32), "linear",
                         stride=(2, 1), padding=(1, 1))  # fmt: skip
        model = pbm.Model("m", [conv], (3, 5, 6), order="chw")
        image = rng.integers(0, 256, (3, 5, 6))
        out = pbm.draw(model, image[None], 1)[0, 0].reshape(3, 7, 5)
        around = np.pad(image, ((0, 0), (1, 1), (1, 1)))
        for y in range(3):
            for x in range(7):
                part = around[:, 2 * y : 2 * y + 3, x : x + 2].transpose(1, 2, 0)
                pre = 0.05 * (conv.weights.astype(int) * part).sum((1, 2, 3)) + conv.bias
                np.testing.assert_allclose(out[y, x], pre, rtol=1e-5, atol=1e-4)

    def test_accuracy_of_groups(self):
        outputs = np.zeros((4, 1, 2))
        outputs[:, 0, 1] = [3, -1, -1, 2]  # class 1 leads in samples 0 and 3
        self.assertEqual([pbm.accuracy(outputs, np.array([1]), t) for t in (1, 2, 4)], [0.5, 1, 1])


if __name__ == "__main__":
    sys.exit(unittest.main())
