#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains 784-512-512-10 p-bit networks on Fashion-MNIST, tunes them for few-bit weights,
writes them as `.pbm` models and prints their accuracy against the number of samples T.
README.md beside this file says what to expect."""

import argparse
import datetime
import math
import os
import sys
import time

import numpy as np
import torch
from torch.nn import functional

import fashion_mnist
import pbm
from pbit_torch import CODE_RANGE, PbitMLP, product

SIZES = [784, 512, 512, 10]
INPUT_SCALE = 1 / 255
SAMPLES = [1, 2, 4, 10, 32]  # the T of the table


def arguments(words=None):
    parser = argparse.ArgumentParser(description="Trains p-bit networks on Fashion-MNIST.")
    parser.add_argument("--samples-training", type=int, default=4, metavar="S",
                        help="samples averaged before the loss (default 4)")  # fmt: skip
    parser.add_argument("--epochs", type=int, default=20, help="of training in binary32")
    parser.add_argument("--tune-epochs", type=int, default=3, help="of tuning for each width")
    parser.add_argument("--bits", default="4,8", help="widths of weights to export (default 4,8)")
    parser.add_argument("--rate", type=float, default=1e-3, help="Adam's first learning rate")
    parser.add_argument("--tune-rate", type=float, default=2e-4, help="the same for tuning")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", metavar="DIR", help="folder to write the models to, if any")
    parser.add_argument("--data", metavar="DIR", default=fashion_mnist.FOLDER)
    parser.add_argument("--limit", type=int, help="use the first LIMIT training images only")
    parser.add_argument("--holdout", type=int, default=0, metavar="N",
                        help="judge on the last N training images, not on the test images: for "
                             "choosing settings")  # fmt: skip
    # Threads that wait for each other spin: on a busy machine two are far slower than one.
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--binary", action="store_true", help="0/1 (sigmoid) p-bits, not -1/+1")
    parser.add_argument("--deterministic", action="store_true",
                        help="train the deterministic tanh network as well")  # fmt: skip
    parser.add_argument("--shuffle-labels", action="store_true",
                        help="control: nothing can be learned (about 10 %%)")  # fmt: skip
    args = parser.parse_args(words)
    try:
        args.bits = [int(b) for b in args.bits.split(",") if b]
    except ValueError:
        parser.error(f"--bits {args.bits}: must be numbers separated by commas")
    if not set(args.bits) <= set(CODE_RANGE):
        parser.error(f"--bits: must be among {', '.join(map(str, CODE_RANGE))}")
    for key in ("samples_training", "epochs", "batch", "threads"):
        if getattr(args, key) < 1:
            parser.error(f"--{key.replace('_', '-')} must be at least 1")
    return args


def load(args):
    """((images, labels) of training, of judging), images in codes."""
    images, labels = fashion_mnist.load("train", args.data)
    if args.holdout:
        cut = len(images) - args.holdout
        judged = images[cut:], labels[cut:]
        images, labels = images[:cut], labels[:cut]
    else:
        judged = fashion_mnist.load("test", args.data)
    if args.limit:
        images, labels = images[: args.limit], labels[: args.limit]
    if args.shuffle_labels:
        labels = np.random.default_rng(args.seed).permutation(labels)
    return (images, labels), judged


def say(text, end="\n"):
    print(text, end=end, flush=True)


def fit(net, data, args, what, epochs, rate):
    """Adam on the cross-entropy of the mean of S samples; the rate falls to 0 along a cosine."""
    images = torch.from_numpy(data[0].astype(np.float32) * np.float32(INPUT_SCALE))
    labels = torch.from_numpy(data[1].astype(np.int64))
    optimiser = torch.optim.Adam(net.parameters(), rate)
    batches = -(-len(images) // args.batch)
    live = sys.stdout.isatty()
    for epoch in range(epochs):
        start, total, right = time.monotonic(), 0.0, 0
        order = torch.randperm(len(images))
        for i in range(batches):
            done = (epoch * batches + i) / (epochs * batches)
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 + math.cos(math.pi * done)) / 2
            pick = order[i * args.batch : (i + 1) * args.batch]
            output = net(images[pick], args.samples_training)
            loss = functional.cross_entropy(output, labels[pick])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(pick)
            right += (output.argmax(1) == labels[pick]).sum().item()
            if live and i % 20 == 0:
                say(f"\r{what}: epoch {epoch + 1}/{epochs}, {100 * i // batches:3} %", end="")
        say(("\r" if live else "") + f"{what}: epoch {epoch + 1}/{epochs}, "
            f"loss {total / len(images):.4f}, training images {100 * right / len(images):.2f} %, "
            f"{time.monotonic() - start:.1f} s")  # fmt: skip


def as_model(net, name="", description="", provenance=None):
    """The network as a Model; weights of 32 bits where it is not quantised."""
    layers = []
    for i, (weights, scale, bias) in enumerate(net.arrays()):
        last = i == len(net.layers) - 1
        layers.append(pbm.Layer("dense", weights, net.bits or 32, scale, bias,
                                "linear" if last else "pbit",
                                "binary" if net.activation == "binary" else "bipolar"))  # fmt: skip
    return pbm.Model(name, layers, (1, 28, 28), input_scale=INPUT_SCALE, description=description,
                     classes=fashion_mnist.CLASSES, provenance=provenance or {})  # fmt: skip


def fast_matmul(a, b):
    """product() for numpy's arrays: exact for sums of whole numbers below 2^24."""
    if a.dtype != np.float32:
        return a @ b
    return product(torch.from_numpy(a), torch.from_numpy(np.ascontiguousarray(b)).t()).numpy()


def judge(model, data, seed):
    """Accuracy in percent for each T, all from one set of samples."""
    outputs = pbm.draw(model, data[0], max(SAMPLES), seed, fast_matmul)
    return [100 * pbm.accuracy(outputs, data[1], t) for t in SAMPLES]


@torch.no_grad()
def judge_deterministic(net, data):
    images = torch.from_numpy(data[0].astype(np.float32) * np.float32(INPUT_SCALE))
    return 100 * float((net(images).argmax(1).numpy() == data[1]).mean())


def today():
    """Date for the provenance; SOURCE_DATE_EPOCH makes it repeatable."""
    stamp = os.environ.get("SOURCE_DATE_EPOCH")
    utc = datetime.timezone.utc
    when = datetime.datetime.fromtimestamp(int(stamp), utc) if stamp else datetime.datetime.now(utc)
    return when.date().isoformat()


def provenance(args, bits, result, trained_on):
    tried = "test images" if not args.holdout else "held-out training images"
    notes = {
        "dataset": "Fashion-MNIST (Zalando SE), Debian package dataset-fashion-mnist",
        "dataset-license": "MIT",
        "license": "Apache-2.0",
        "made-by": "examples/training/train.py",
        "tools": f"PyTorch {torch.__version__}, numpy {np.__version__}, "
                 f"Python {'.'.join(map(str, sys.version_info[:3]))}",
        "date": today(),
        "seed": args.seed,
        "samples-training": args.samples_training,
        "epochs": f"{args.epochs} in binary32, {args.tune_epochs} at {bits} bits",
        "optimiser": f"Adam, {args.rate:g} then {args.tune_rate:g}, cosine to 0, "
                     f"batch {args.batch}, Glorot normal",
        "training-images": trained_on,
    }  # fmt: skip
    for t in (1, 10):
        notes[f"accuracy-t{t}"] = f"{result[SAMPLES.index(t)]:.2f} % of the {tried}"
    return notes


def export(args, net, name, result, trained_on):
    """Writes a model and makes sure that the file holds what was judged."""
    kind = "0/1" if net.activation == "binary" else "-1/+1"
    text = (f"Fashion-MNIST, {'-'.join(map(str, SIZES))} network of {kind} p-bits "
            f"with {net.bits}-bit weights")  # fmt: skip
    model = as_model(net, name, text, provenance(args, net.bits, result, trained_on))
    path = os.path.join(args.out, f"{name}.pbm")
    os.makedirs(args.out, exist_ok=True)
    pbm.write_pbm(path, model)
    for one, two in zip(pbm.read_pbm(path).layers, model.layers):
        weights = one.weights.reshape(two.weights.shape)
        kept = [(weights, two.weights), (one.scale, two.scale), (one.bias, two.bias)]
        if not all(np.array_equal(a, b) for a, b in kept):
            raise RuntimeError(f"{path}: does not read back as written")
    say(f"wrote {path}, {os.path.getsize(path)} bytes")


def train(args):
    """Runs the whole job; returns [(row of the table, accuracy for each T)]."""
    torch.set_num_threads(args.threads)
    data, judged = load(args)
    activation = "binary" if args.binary else "bipolar"
    torch.manual_seed(args.seed)
    net = PbitMLP(SIZES, activation)
    fit(net, data, args, "p-bit", args.epochs, args.rate)
    start = {k: v.clone() for k, v in net.state_dict().items()}
    table = [("p-bit, binary32", judge(as_model(net), judged, args.seed))]
    for bits in sorted(args.bits, reverse=True):
        torch.manual_seed(args.seed + bits)
        tuned = PbitMLP(SIZES, activation)
        tuned.load_state_dict(start)
        tuned.quantise_to(bits)
        fit(tuned, data, args, f"p-bit, {bits} bits", args.tune_epochs, args.tune_rate)
        result = judge(as_model(tuned), judged, args.seed)
        table.append((f"p-bit, {bits}-bit weights", result))
        if args.out:
            form = "-binary" if args.binary else ""
            name = f"fashion-mnist-{'-'.join(map(str, SIZES))}{form}-w{bits}"
            export(args, tuned, name, result, len(data[0]))
    if args.deterministic:
        torch.manual_seed(args.seed)
        plain = PbitMLP(SIZES, "tanh")
        fit(plain, data, args, "tanh", args.epochs, args.rate)
        table.append(("deterministic tanh", [judge_deterministic(plain, judged)]))
    return table


def main():
    args = arguments()
    start = time.monotonic()
    try:
        table = train(args)
    except (OSError, ValueError) as error:
        sys.exit(f"train.py: {error}")
    judged = f"{args.holdout} held-out training images" if args.holdout else "test images"
    say(f"\nAccuracy in % on the {judged}, T samples averaged")
    say(f"{'':24}" + "".join(f"{f'T={t}':>8}" for t in SAMPLES))
    for name, result in table:
        # One value: the network does not sample.
        say(f"{name:24}" + "".join(f"{value:8.2f}" for value in result))
    say(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
