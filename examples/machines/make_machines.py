#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the machines of this folder: small ones whose best state is known or can be enumerated."""
import base64
import json
import os
import random
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, text):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write(text)


def torus(rows, columns, weight):
    def vertex(y, x):
        return y % rows * columns + x % columns + 1
    return [(vertex(y, x), v, weight()) for y in range(rows) for x in range(columns)
            for v in (vertex(y, x + 1), vertex(y + 1, x))]


def gset(name, n, edges):
    write(name, f"{n} {len(edges)}\n" + "".join(f"{i} {j} {w}\n" for i, j, w in edges))


def main():
    draw = random.Random(20261124)
    # Bipartite: every edge can be cut.
    gset("torus-20x20.gset", 400, torus(20, 20, lambda: 1))
    gset("torus-pm1-10x10.gset", 100, torus(10, 10, lambda: draw.choice((-1, 1))))
    pairs = [(i, j) for i in range(1, 201) for j in range(i + 1, 201) if draw.random() < 0.06]
    gset("random-200.gset", 200, [(i, j, 1) for i, j in pairs])
    # A planted state: each triangle of couplings is lowest at it.
    plant = [draw.choice((-1, 1)) for _ in range(64)]
    couplings = {}
    for _ in range(120):
        i, j, k = draw.sample(range(64), 3)
        ends = [(i, j, 1), (j, k, 1), (i, k, -1)]
        draw.shuffle(ends)
        signs = [1, 1, -1]
        for (a, b, _), s in zip(ends, signs):
            key = (min(a, b), max(a, b))
            couplings[key] = couplings.get(key, 0) + s * plant[a] * plant[b]
    energy = -sum(J * plant[i] * plant[j] for (i, j), J in couplings.items())
    lines = "".join(f"{i} {j} {J}\n" for (i, j), J in sorted(couplings.items()))
    state = "".join("+" if m > 0 else "-" for m in plant)
    write("planted-64.ising", f"# frustrated triangles around a planted ground state, E = {energy}\n"
          f"# {state}\n64 {len(couplings)} 0\n{lines}")
    # The AND gate: rows of its truth table are the ground states, E = -3.
    write("and-gate.ising", "# C = A and B: ground states are the truth table, E = -3\n"
          "3 6 0\n0 1 -1\n0 2 2\n1 2 2\n0 0 1\n1 1 1\n2 2 -2\n")
    # Number partitioning as QUBO: (sum a_i (2 x_i - 1))^2, 0 where the numbers can be halved.
    numbers = [7, 11, 5, 13, 4, 8]
    total = sum(numbers)
    terms = [4 * a * a - 4 * a * total for a in numbers]
    nodes = "".join(f"{i} {i} {q}\n" for i, q in enumerate(terms))
    couplers = "".join(f"{i} {j} {8 * numbers[i] * numbers[j]}\n"
                       for i in range(6) for j in range(i + 1, 6))
    write("partition-6.qubo", f"c halves of {numbers}: the best energy is -{total}^2 = {-total * total}\n"
          f"p qubo 0 6 6 15\n{nodes}{couplers}")
    # Exactly one of a, b, c in both layouts of dimod: (x_a + x_b + x_c - 1)^2.
    labels = ["a", "b", "c"]
    head, tail = [0, 0, 1], [1, 2, 2]
    document = {"type": "BinaryQuadraticModel", "version": {"bqm_schema": "3.0.0"},
                "use_bytes": False, "index_type": "int32", "bias_type": "float64",
                "num_variables": 3, "num_interactions": 3, "variable_labels": labels,
                "variable_type": "BINARY", "offset": 1.0, "info": {},
                "linear_biases": [-1.0, -1.0, -1.0], "quadratic_biases": [2.0, 2.0, 2.0],
                "quadratic_head": head, "quadratic_tail": tail}
    write("one-of-three.json", json.dumps(document, indent=1) + "\n")
    for member, code in (("linear_biases", "d"), ("quadratic_biases", "d"),
                         ("quadratic_head", "i"), ("quadratic_tail", "i")):
        data = struct.pack(f"<{len(document[member])}{code}", *document[member])
        document[member] = base64.b64encode(data).decode()
    document["use_bytes"] = True
    write("one-of-three-bytes.json", json.dumps(document, indent=1) + "\n")
    write("one-of-three-plain.json", json.dumps(
        {"vartype": "BINARY", "offset": 1, "linear": {v: -1 for v in labels},
         "quadratic": [["a", "b", 2], ["a", "c", 2], ["b", "c", 2]]}, indent=1) + "\n")
    # An odd antiferromagnetic ring with a schedule of its own; E = -5.
    ring = "".join(f"factor -1 {i} {(i + 1) % 7}\n" for i in range(7))
    write("odd-ring.ftp", "ftp 1\nname odd-ring\nspins 7\n" + ring +
          "stage 0.1 20 0 0\nstage 0.5 20 0 0\nstage 2 20 0 0\nobserve energy\n")


main()
