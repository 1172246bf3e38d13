"""For all tests, before any of them imports NumPy."""

import os

from hypothesis import settings

from ingest.repairs.memory import BUDGET

# The tests run in one process per core; threads of BLAS inside each would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("linli", deadline=None)
settings.load_profile("linli")

# A web process within the tests' own, which holds hundreds of megabytes, is not full.
BUDGET["web"] *= 100
