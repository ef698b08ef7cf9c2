"""Side-by-side measurements, each one command from the root of a checkout.

    pip install -e '.[peers]'             the competitors; a missing one is skipped
    python -m benchmarks                  the quick ones: startup, memory, speed
    python -m benchmarks.startup          help, first and second run
    python -m benchmarks.memory           an epoch of MNIST
    python -m benchmarks.speed            against PyTorch, xlns, apytypes, fxpmath
    python -m benchmarks.duel             two builds against each other, and PyTorch
    python -m benchmarks.kernels          instructions, loads and limits of the inner loops
    python -m benchmarks.agreement        kernels against NumPy, every combination of options
    python -m benchmarks.hardware.mutants          faults in Verilog: which sim and prove catch
    python -m benchmarks.hardware.mutants.cores    faults in whole cores: which their benches see
    python -m benchmarks.hardware.front            whole networks on an FPGA
    python -m benchmarks.training.accuracy         MNIST by arithmetic, 20 epochs, three seeds

Each says on stderr what it does and prints a table on stdout; with --record it adds a
JSON line a row, with machine, date, commit and versions, to benchmarks/results/, in a file named
as the script.
Exit 1 when a mark is not reached. MNIST comes from --data-dir, $LNSARITH_DATA, the
user's cache or a download. Measure on an idle machine: the lines hold its load.
"""

import os

# One thread for everybody, said before any of them is imported.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "APYTYPES_THREAD_COUNT",
)
for _name in THREADS:
    os.environ[_name] = "1"
