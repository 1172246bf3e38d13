"""For all tests, before any of them imports NumPy."""

import os

# The tests run in one process per core; threads of BLAS inside each would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
