# SPDX-License-Identifier: Apache-2.0
"""p-bits for PyTorch: the stochastic activation, the quantiser of weights,
and the multilayer perceptron made of both. Gradients are straight-through: the
backward pass differentiates the mean of what the forward pass drew or
rounded. The law of a p-bit is that of CONTRACT.md, the value sets of quantised
weights those of MODEL.md."""

import torch
from torch import nn
from torch.nn import functional

# Least and greatest code of a weight by its width in bits. 1 bit has no 0.
CODE_RANGE = {1: (-1, 1), 2: (-2, 1), 4: (-8, 7), 8: (-128, 127)}


class BipolarPbit(torch.autograd.Function):
    """m = sign(tanh(I) - r), r uniform on (-1, 1): +1 with probability sigmoid(2I).
    Backward: the gradient of the mean, tanh(I)."""

    @staticmethod
    def forward(ctx, pre):
        mean = torch.tanh(pre)
        ctx.save_for_backward(mean)
        return (torch.rand_like(mean) * 2 - 1 < mean).to(mean.dtype) * 2 - 1

    @staticmethod
    def backward(ctx, grad):
        (mean,) = ctx.saved_tensors
        return grad * (1 - mean * mean)


class BinaryPbit(torch.autograd.Function):
    """x = 1 with probability sigmoid(z), else 0. Backward: the gradient of sigmoid(z)."""

    @staticmethod
    def forward(ctx, pre):
        mean = torch.sigmoid(pre)
        ctx.save_for_backward(mean)
        return (torch.rand_like(mean) < mean).to(mean.dtype)

    @staticmethod
    def backward(ctx, grad):
        (mean,) = ctx.saved_tensors
        return grad * mean * (1 - mean)


def pbit(pre, encoding="bipolar"):
    """Draws one p-bit for each pre-activation."""
    if encoding == "bipolar":
        return BipolarPbit.apply(pre)
    if encoding == "binary":
        return BinaryPbit.apply(pre)
    raise ValueError(f"encoding is {encoding!r}, must be 'bipolar' or 'binary'")


def codes(weight, scale, bits):
    """Whole-number codes of the weights, as floats. scale broadcasts against weight."""
    low, high = CODE_RANGE[bits]
    if bits == 1:
        return torch.where(weight < 0, -1.0, 1.0).to(weight.dtype)
    return torch.clamp(torch.round(weight / scale), low, high)


class Quantise(torch.autograd.Function):
    """Weight to the nearest of scale * code. Backward: the identity for weights
    within the range of codes, 0 for those that are clipped (at 1 bit: beyond the scale)."""

    @staticmethod
    def forward(ctx, weight, scale, bits):
        low, high = CODE_RANGE[bits]
        half = 0.0 if bits == 1 else 0.5
        ctx.save_for_backward((weight >= (low - half) * scale) & (weight <= (high + half) * scale))
        return scale * codes(weight, scale, bits)

    @staticmethod
    def backward(ctx, grad):
        (inside,) = ctx.saved_tensors
        return grad * inside, None, None


@torch.no_grad()
def best_scale(weight, bits, per_row=True):
    """Scale of least squared error, one per row of a matrix (shape [rows, 1]) or one for
    the whole tensor (shape [1, 1]). At 1 bit it is the mean magnitude; else the best clip
    out of a grid between 30 % and 100 % of the largest magnitude."""
    rows = weight.reshape(weight.shape[0], -1) if per_row else weight.reshape(1, -1)
    if bits == 1:
        return rows.abs().mean(1, keepdim=True).clamp_min(1e-12)
    low, high = CODE_RANGE[bits]
    # The full range just fits: neither end may have to be clipped at 100 %.
    full = torch.maximum(rows.amax(1, keepdim=True) / high, rows.amin(1, keepdim=True) / low)
    full = full.clamp_min(1e-12)
    best = full.clone()
    least = torch.full_like(full, float("inf"))
    for percent in range(30, 101, 2):
        scale = full * (percent / 100)
        error = (scale * codes(rows, scale, bits) - rows).square().sum(1, keepdim=True)
        best = torch.where(error < least, scale, best)
        least = torch.minimum(error, least)
    return best


def product(a, b):
    """a @ b.T in binary32 through oneDNN, which is many times faster than a PyTorch built
    for the reference BLAS (Debian's), and as fast as one with a tuned BLAS."""
    if not torch.backends.mkldnn.is_available():
        return functional.linear(a, b)
    return functional.linear(a.contiguous().to_mkldnn(), b.contiguous()).to_dense()


class Dense(torch.autograd.Function):
    """functional.linear() by product()."""

    @staticmethod
    def forward(ctx, inputs, weight, bias):
        ctx.save_for_backward(inputs, weight)
        flat = inputs.reshape(-1, inputs.shape[-1])
        return (product(flat, weight) + bias).reshape(*inputs.shape[:-1], -1)

    @staticmethod
    def backward(ctx, grad):
        inputs, weight = ctx.saved_tensors
        flat = grad.reshape(-1, grad.shape[-1])
        grad_inputs = None
        if ctx.needs_input_grad[0]:
            grad_inputs = product(flat, weight.t()).reshape(inputs.shape)
        grad_weight = product(flat.t(), inputs.reshape(-1, inputs.shape[-1]).t())
        return grad_inputs, grad_weight, flat.sum(0)


class PbitMLP(nn.Module):
    """Dense layers with p-bits between them and a linear read-out.

    activation: 'bipolar' or 'binary' p-bits, or 'tanh', the deterministic network
    of the same shape. After quantise_to() the weights are rounded in the
    forward pass, and training tunes them for it."""

    def __init__(self, sizes, activation="bipolar"):
        super().__init__()
        self.activation = activation
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))
        self.bits = None
        for layer in self.layers:
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        if activation == "binary":
            self._start_as_bipolar()

    @torch.no_grad()
    def _start_as_bipolar(self):
        """Rewrites the Glorot start, which is meant for tanh, in the 0/1 form: m = 2x - 1
        in the inputs, z = 2I in the outputs."""
        for i, layer in enumerate(self.layers):
            gain = 1.0 if i == len(self.layers) - 1 else 2.0
            if i:
                layer.bias -= gain * layer.weight.sum(1)
                gain *= 2
            layer.weight *= gain

    def quantise_to(self, bits, per_row=True):
        """From now on the weights of every layer have this many bits. The scales are those
        of the present weights and stay."""
        self.bits = bits
        for layer in self.layers:
            layer.register_buffer("scale", best_scale(layer.weight, bits, per_row))

    def weight(self, layer):
        if self.bits is None:
            return layer.weight
        return Quantise.apply(layer.weight, layer.scale, self.bits)

    def forward(self, images, samples=1):
        """Mean of the network's output over `samples` whole passes, shape [images, outputs].
        The first layer's product is the same in all of them and done once; the last
        layer is linear, so the mean is taken before it."""
        first, *middle, last = self.layers
        pre = Dense.apply(images, self.weight(first), first.bias)
        if self.activation == "tanh":
            state = torch.tanh(pre)
            for layer in middle:
                state = torch.tanh(Dense.apply(state, self.weight(layer), layer.bias))
            return Dense.apply(state, self.weight(last), last.bias)
        state = pbit(pre.unsqueeze(0).expand(samples, *pre.shape), self.activation)
        for layer in middle:
            pre = Dense.apply(state, self.weight(layer), layer.bias)
            state = pbit(pre, self.activation)
        return Dense.apply(state.mean(0), self.weight(last), last.bias)

    @torch.no_grad()
    def arrays(self):
        """(codes or weights, scale, bias) of each layer as numpy arrays, for the writer."""
        result = []
        for layer in self.layers:
            bias = layer.bias.detach().numpy().copy()
            if self.bits is None:
                result.append((layer.weight.detach().numpy().copy(), None, bias))
            else:
                whole = codes(layer.weight, layer.scale, self.bits).to(torch.int8)
                result.append((whole.numpy(), layer.scale.reshape(-1).numpy().copy(), bias))
        return result
