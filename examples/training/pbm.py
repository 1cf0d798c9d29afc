#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Model container `.pbm` (MODEL.md) for numpy.

    write_pbm("net.pbm", Model(...))    from plain arrays, weights row-major
    read_pbm("net.pbm")                 the same arrays back
    draw(model, images, T)              T whole passes with numpy's random numbers
    accuracy(outputs, labels, T)        what they are worth

    pbm.py FILE          prints what is in a model
    pbm.py --self-test   writes, reads and compares models of every kind"""

import argparse
import sys
import unittest

from pbm_draw import accuracy, draw
from pbm_model import Layer, Map, Model
from pbm_read import parse_pbm, read_pbm, unpack
from pbm_write import build_pbm, pack, write_pbm

__all__ = [
    "Layer",
    "Map",
    "Model",
    "accuracy",
    "build_pbm",
    "draw",
    "pack",
    "parse_pbm",
    "read_pbm",
    "unpack",
    "write_pbm",
]


def describe(model):
    print(f"{model.name}: {model.description}")
    print(f"input {model.shape}, {model.input_bits} bits, scale {model.input_scale:g}")
    for i, layer in enumerate(model.layers):
        if layer.type == "maxpool":
            print(f"layer {i}: maxpool {layer.kernel}")
            continue
        kind = f"{layer.encoding} p-bits" if layer.activation == "pbit" else layer.activation
        shape = list(layer.weights.shape)
        print(f"layer {i}: {layer.type} {shape}, {layer.bits}-bit weights, {kind}")
    for key, value in model.provenance.items():
        print(f"{key}: {value}")


def main():
    parser = argparse.ArgumentParser(description="Prints or checks p-bit model files.")
    parser.add_argument("file", nargs="?", help="model to print")
    parser.add_argument("--self-test", action="store_true", help="round trips of generated models")
    args = parser.parse_args()
    if args.self_test:
        suite = unittest.defaultTestLoader.loadTestsFromName("test_pbm")
        sys.exit(not unittest.TextTestRunner().run(suite).wasSuccessful())
    if not args.file:
        parser.error("give a FILE or --self-test")
    try:
        describe(read_pbm(args.file))
    except (OSError, ValueError) as error:
        sys.exit(f"pbm.py: {error}")


if __name__ == "__main__":
    main()
