"""Memory of the process that gathers: what a chunk gave back serves the next one.

Chunks are columns of tens of megabytes. Given back to the system and asked for again each time, their pages are cleared each time, which took a tenth of all processor time.
"""

import ctypes

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of glibc's mallopt(3)
_KEPT, _ONE = 256 << 20, 32 << 20  # bytes that are kept free; of the largest piece that is kept (glibc takes no more)


def keep() -> None:
    """From now on, in the one arena that all processes have (`supervisor.zygote`). Where the C library is not glibc nothing changes."""
    if not hasattr(library := ctypes.CDLL(None), "mallopt"):
        return
    library.mallopt(_TRIM_THRESHOLD, _KEPT)
    library.mallopt(_MMAP_THRESHOLD, _ONE)
    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """A run has ended: nothing is kept free while there is no other."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
