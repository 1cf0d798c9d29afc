# SPDX-License-Identifier: Apache-2.0
"""Fashion-MNIST as the Debian package dataset-fashion-mnist installs it (idx files, gzip)."""

import gzip
import os
import struct

import numpy as np

FOLDER = "/usr/share/datasets/fashion-mnist"
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]  # fmt: skip


def read_idx(path):
    """Array of bytes out of an idx file: magic 0, 0, 8 (bytes), dimensions; their sizes; data."""
    with gzip.open(path) as file:
        data = file.read()
    zero, kind, dimensions = struct.unpack(">HBB", data[:4])
    if zero or kind != 8:
        raise ValueError(f"{path}: not an idx file of bytes")
    start = 4 + 4 * dimensions
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    if len(data) - start != np.prod(shape, dtype=np.int64):
        raise ValueError(f"{path}: {len(data) - start} bytes of data, its header says {shape}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def load(part, folder=FOLDER):
    """(images [n, 784], labels [n]) of 'train' or 'test', bytes."""
    stem = os.path.join(folder, {"train": "train", "test": "t10k"}[part])
    images = read_idx(f"{stem}-images-idx3-ubyte.gz")
    return images.reshape(len(images), -1), read_idx(f"{stem}-labels-idx1-ubyte.gz")
