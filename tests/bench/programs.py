# SPDX-License-Identifier: Apache-2.0
"""The programs that compare.py measures: the pbit command, one process a slice, and the peers,
which stay and answer one request a line."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
ONNX_INT8 = "int8-table"  # the fastest of onnx_write.js's kinds of 8 bits


def note(text):
    print(f"bench: {text}", file=sys.stderr)


def output_of(command):
    """Standard output of a program as JSON; ends the benchmark where the program fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"bench: {' '.join(command)}: exit status {done.returncode}")
    return json.loads(done.stdout)


class Pbit:
    """`pbit bench`, all its lines of one model and number of threads at once."""

    def __init__(self, build):
        self.command = os.path.join(build, "pbit")

    def measure(self, case, bits, threads, samples, batches, seconds):
        lines = output_of([
            self.command, "bench", "--json", "--case", case, "--bits", str(bits),
            "--samples", ",".join(map(str, samples)), "--batch", ",".join(map(str, batches)),
            "--seconds", str(seconds), f"software:threads={threads}",
        ])  # fmt: skip
        return {(line["samples"], line["batch"]): line["us_per_image"] for line in lines}


class Peer:
    """A program that answers a JSON request a line. One that fails is left out from then on."""

    def __init__(self, name, command, environment):
        self.name = name
        self.process = None
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env={**os.environ, **environment},
            )  # fmt: skip
        except OSError as error:
            self.leave_out(str(error))

    def leave_out(self, why):
        note(f"{self.name} is left out: {why}")
        self.close()

    def ask(self, request):
        """The answer, None where there is none."""
        if not self.process:
            return None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            self.leave_out("it ended")
            return None
        answer = json.loads(line)
        if "error" in answer:
            self.leave_out(answer["error"])
            return None
        return answer

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None


def onnxruntime(folder):
    """ONNX Runtime in node, None where it is not there."""
    modules = os.path.abspath(os.path.join(folder, "node_modules"))
    if not os.path.isdir(os.path.join(modules, "onnxruntime-node")):
        note(f"no onnxruntime-node in {modules}: ONNX Runtime is left out")
        return None
    return Peer(
        "ONNX Runtime",
        ["node", os.path.join(HERE, "onnxruntime.js"), os.path.join(folder, "models")],
        {"NODE_PATH": modules},
    )


def torch(folder):
    """PyTorch, None where it is not there. With OpenBLAS where peers.sh could get it."""
    have = subprocess.run([PYTHON, "-c", "import torch"], stderr=subprocess.DEVNULL, check=False)
    if have.returncode:
        note("no PyTorch here: it is left out (apt-get install python3-torch)")
        return None
    found = [
        where for where, _, files in os.walk(os.path.join(folder, "openblas"))
        if "libblas.so.3" in files
    ]  # fmt: skip
    paths = [os.path.abspath(where) for where in found]
    paths += filter(None, [os.environ.get("LD_LIBRARY_PATH")])
    if not found:
        note("PyTorch runs with the BLAS that is installed, which may be the slow reference")
    return Peer(
        "PyTorch",
        [PYTHON, os.path.join(HERE, "torch_naive.py")],
        {"LD_LIBRARY_PATH": ":".join(paths)} if paths else {},
    )
