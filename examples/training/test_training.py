#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the training example: p-bits and quantiser as PyTorch functions, fast products,
export of a network, and a short training with its control. The container's own
tests are in test_pbm.py. Less than a minute on one core."""

import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import torch
from torch.nn import functional

import fashion_mnist
import pbm
import train
from pbit_torch import CODE_RANGE, Dense, PbitMLP, Quantise, best_scale, codes, pbit, product

HERE = os.path.dirname(os.path.abspath(__file__))
HAS_DATA = os.path.isdir(fashion_mnist.FOLDER)


class Pbit(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(5)

    def test_law(self):
        """Frequencies within 5 sigma of the law, and outside it of the other encoding's."""
        draws = 100000
        pre = torch.tensor([-1.5, -0.4, 0.3, 2.0])
        for encoding, gain, low in (("bipolar", 2.0, -1.0), ("binary", 1.0, 0.0)):
            state = pbit(pre.expand(draws, 4), encoding)
            self.assertEqual(sorted(set(state.reshape(-1).tolist())), [low, 1.0])
            fired = (state > 0).double().mean(0)
            wanted = torch.sigmoid(gain * pre.double())
            other = torch.sigmoid((3 - gain) * pre.double())
            sigma = (wanted * (1 - wanted) / draws).sqrt()
            self.assertTrue(((fired - wanted).abs() < 5 * sigma).all())
            self.assertTrue(((fired - other).abs() > 5 * sigma).all())

    def test_gradient_is_that_of_the_mean(self):
        for encoding, mean in (("bipolar", torch.tanh), ("binary", torch.sigmoid)):
            one = torch.linspace(-3, 3, 25, dtype=torch.float64, requires_grad=True)
            two = one.detach().clone().requires_grad_()
            weight = torch.randn(25, dtype=torch.float64)
            (pbit(one, encoding) * weight).sum().backward()
            (mean(two) * weight).sum().backward()
            torch.testing.assert_close(one.grad, two.grad)

    def test_unknown_encoding(self):
        with self.assertRaises(ValueError):
            pbit(torch.zeros(1), "ternary")


class Quantiser(unittest.TestCase):
    def test_values_scales_and_gradient(self):
        torch.manual_seed(6)
        weight = torch.randn(7, 50)
        for bits, (low, high) in CODE_RANGE.items():
            for per_row in (True, False):
                scale = best_scale(weight, bits, per_row)
                self.assertEqual(tuple(scale.shape), (7, 1) if per_row else (1, 1))
                whole = codes(weight, scale, bits)
                allowed = {-1, 1} if bits == 1 else set(range(low, high + 1))
                self.assertLessEqual(set(whole.int().reshape(-1).tolist()), allowed)
                leaf = weight.clone().requires_grad_()
                rounded = Quantise.apply(leaf, scale, bits)
                torch.testing.assert_close(rounded, scale * whole, rtol=0, atol=0)
                rounded.sum().backward()
                clipped = (weight / scale < low - 0.5) | (weight / scale > high + 0.5)
                if bits == 1:
                    clipped = weight.abs() > scale
                torch.testing.assert_close(leaf.grad, (~clipped).float())
        errors = [(Quantise.apply(weight, best_scale(weight, b), b) - weight).square().mean()
                  for b in (1, 2, 4, 8)]  # fmt: skip
        self.assertEqual(errors, sorted(errors, reverse=True))
        self.assertLess(errors[-1], 1e-3)

    def test_row_of_zeros(self):
        for bits in CODE_RANGE:
            rounded = Quantise.apply(torch.zeros(2, 3), best_scale(torch.zeros(2, 3), bits), bits)
            self.assertLess(rounded.abs().max(), 1e-9)


class Network(unittest.TestCase):
    def test_fast_product(self):
        torch.manual_seed(7)
        a, b = torch.randn(33, 70), torch.randn(19, 70)
        torch.testing.assert_close(product(a, b), a @ b.t(), rtol=1e-4, atol=1e-4)
        whole = [torch.randint(-128, 128, (20, 512)).float(), torch.randint(0, 2, (9, 512)).float()]
        exact = (whole[0].long() @ whole[1].long().t()).float()
        self.assertTrue(torch.equal(product(*whole), exact))

    def test_dense_gradients(self):
        torch.manual_seed(8)
        shapes = [(3, 4, 20), (6, 20), (6,)]
        one = [torch.randn(s, requires_grad=True) for s in shapes]
        two = [t.detach().clone().requires_grad_() for t in one]
        weight = torch.randn(3, 4, 6)
        for call, leaves in ((Dense.apply, one), (functional.linear, two)):
            (call(*leaves) * weight).sum().backward()
        for a, b in zip(one, two):
            torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-4)

    def test_binary_start_is_the_bipolar_one(self):
        images = torch.rand(40, 30)
        mean = []
        for form in ("bipolar", "binary"):
            torch.manual_seed(9)
            net = PbitMLP([30, 20, 20, 4], form)
            with torch.no_grad():
                mean.append(net(images, 4000))
        self.assertLess((mean[0] - mean[1]).abs().max(), 0.15)
        self.assertGreater(mean[0].abs().max(), 0.4)

    def test_export_samples_as_the_network(self):
        """Torch's own samples and those of the file read back have the same mean."""
        images = np.random.default_rng(10).integers(0, 256, (30, 784))
        for form in ("bipolar", "binary"):
            for bits in (None, 1, 4):
                torch.manual_seed(10)
                net = PbitMLP([784, 40, 24, 10], form)
                if bits:
                    net.quantise_to(bits)
                model = pbm.parse_pbm(pbm.build_pbm(train.as_model(net, "net")))
                drawn = pbm.draw(model, images, 2000).mean(0)
                with torch.no_grad():
                    wanted = net(torch.from_numpy(images).float() / 255, 2000).numpy()
                self.assertLess(abs(drawn - wanted).max(), 0.25)
                self.assertGreater(abs(drawn).max(), 0.6)


@unittest.skipUnless(HAS_DATA, "package dataset-fashion-mnist is not installed")
class Training(unittest.TestCase):
    SHORT = ["--limit", "2000", "--epochs", "1", "--batch", "20", "--bits", ""]

    def accuracy(self, *more):
        """At T = 32, with binary32 weights."""
        return train.train(train.arguments([*self.SHORT, *more]))[0][1][-1]

    def test_learns(self):
        self.assertGreater(self.accuracy(), 70)

    def test_shuffled_labels_cannot_be_learned(self):
        self.assertLess(self.accuracy("--shuffle-labels"), 30)

    def test_same_seed_same_file(self):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for run in ("a", "b", "other"):
                out = os.path.join(folder, run)
                seed = "3" if run == "other" else "2"
                words = ["--limit", "500", "--epochs", "1", "--tune-epochs", "1", "--bits", "4",
                         "--holdout", "500", "--out", out, "--seed", seed]  # fmt: skip
                command = [sys.executable, os.path.join(HERE, "train.py"), *words]
                environment = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
                subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
                (name,) = os.listdir(out)
                with open(os.path.join(out, name), "rb") as file:
                    files.append(file.read())
                model = pbm.parse_pbm(files[-1])
                self.assertEqual(model.provenance["date"], "1970-01-01")
                self.assertEqual(model.provenance["seed"], seed)
            self.assertEqual(files[0], files[1])
            self.assertNotEqual(files[0], files[2])

    def test_bad_words(self):
        for words in (["--bits", "3"], ["--bits", "x"], ["--epochs", "0"]):
            with self.assertRaises(SystemExit), open(os.devnull, "w") as quiet:
                keep, sys.stderr = sys.stderr, quiet
                try:
                    train.arguments(words)
                finally:
                    sys.stderr = keep


if __name__ == "__main__":
    torch.set_num_threads(1)
    unittest.main()
