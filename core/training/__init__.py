"""The only torch code."""

import os

# Threads that wait sleep: on a shared machine the spinning of OpenMP's default took five sixths of all time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
