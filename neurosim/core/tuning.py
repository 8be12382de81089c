"""Every measured constant, a set for each backend: kernels, parts and the engine read it when they run.

None of them changes what is computed, except for the order of sums (and so the last bits). docs/performance.md says how
they were measured.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class CpuTuning:
    """Sizes of work on the CPU."""

    # -- the engine
    # Lanes of a segment: a sum is made lane by lane, so that any number of threads gives the same bits.
    lanes: int = 8
    # What the widest step of a segment may touch per block, in bytes. Larger than a core's cache of 1 MB: kernels cut their
    # work themselves, transform the weights once a call, and short calls make threads wait for the interpreter. Measured on
    # conv5 bp, 250 pairs, relative to 4 MB: 2 MB 1.19; 6, 8 and 12 MB 0.95 to 1.00.
    block_bytes: int = 8 << 20
    # Views, or moments, of a block: fewer lanes (2 at least) rather than fewer rows. A thread that comes back from a call of
    # 10 us and finds the interpreter taken is woken too late to get it before the other's next call. Two threads, 50 pairs,
    # relative to blocks of 7: 13 rows 0.83 (dtp) and 0.88 (bp), 25 rows 0.71 and 0.93. So up to twice as many rows may touch
    # more than block_bytes (bp at 50 pairs: 2 blocks of 25 instead of 20, 20 and 10, 0.92), within four times that much.
    least_rows: int = 24

    # -- rows that a step's blocks should hold
    # Of a dense product or an untied layer: below that it reads its weights too often.
    dense_rows: int = 64
    # Of more views than this, a head's error is made a block at a time, and never lies in memory whole.
    many_rows: int = 7 * 64
    # Places at most: a convolution of many views of such maps reads its weights too often, too.
    small_map: int = 4 * 4
    # Views a block of a deformation, which is many short calls. Microseconds a view on one and on two threads (Xeon): 43 and
    # 48 at 16 views, 42 and 37 at 24, 40 and 33 at 32, 39 and 26 at 64; 50 make two blocks of the 100 views of 50 pairs.
    view_rows: int = 50
    # Synapses a block: few are not handed out to threads, and calls are long enough for threads not to wait for each other.
    # 2 million synapses, adam and signum, ms on two threads (Xeon): 11.7 and 7.9 at 2^14, 6.7 and 4.9 at 2^15, 4.4 and 2.4
    # at 2^17.
    synapse_rows: int = 1 << 17

    # -- kernels
    # Bytes of the columns of one product: large enough to keep the matrix product busy, small enough for a core's own cache.
    # Measured on 32x32x32 -> 32: 70 GFLOP/s a core at 1 to 4 samples (1.2 to 4.7 MB), 49 at 8.
    column_bytes: int = 5 << 18
    # Channels up to which taps side by side beat columns. Microseconds a view of 32x32 to 32 channels on two threads (Xeon),
    # columns and taps: 3 channels 42 and 29, 4 40 and 32, 8 69 and 57 pooled, but 72 and 81 unpooled.
    few_channels: int = 4
    # Fewer channels than this make the products of tiles too thin to gain anything.
    tile_channels: int = 16
    # Tiles times channels of one set of products: 0.6 MB each for patches, weights, results.
    tile_set: int = 64 * 64
    # Channels of the results of one set of products.
    tile_results: int = 64
    # Fewer tiles than this are not worth what a set does for every weight.
    least_tiles: int = 64
    # Pooled units at once: half a MB an array, and calls long enough for threads not to wait for each other.
    pooled_units: int = 1 << 17
    # Up to so many samples an error comes down a head as the transpose of weights times samples: OpenBLAS packs what stands
    # at the right, and packing 32,768 x 64 weights costs more than few samples' product. ms on one thread, plainly and so:
    # 2.7 and 1.3 at 16 samples, 3.6 and 2.6 at 32, 5.4 and 5.4 at 64, 7.8 and 8.4 at 100.
    few_samples: int = 48
    # Presynaptic units of one product of a head's outer product.
    gathered_units: int = 512
    # Moments times lags times units compared at once with the memory: calls are long enough, arrays small.
    lagged_numbers: int = 1 << 16
    # Moments compared at once with all others: few enough to stay in the cache, enough to keep the calls few.
    compared_moments: int = 8
    # Pixels deformed at once, in 18 planes of float32. One thread gains little beyond 16,384 pixels (32x32 views,
    # microseconds a view on an EPYC: 57 at 4096, 38 at 8192, 32 at 16384), but two threads wait for each other between
    # shorter calls.
    deformed_pixels: int = 65536
    # Views whose colours are changed at once: long enough calls for two threads not to wait for each other (183 us a view at
    # 16, 108 at 32, 89 at 50).
    jittered_views: int = 64

    def constants(self) -> dict[str, int | float]:
        """All of them, by name: where these are the same, work is cut in the same places."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int | float)}


@dataclass
class GpuTuning:
    """Sizes of work on a GPU. Not yet measured on one."""

    # Threads of a block.
    threads: int = 256
    # Bytes of the patches of one product: bounds the memory; products of this size keep a GPU busy.
    patch_bytes: int = 1 << 28
    # Partial sums of one figure.
    partial_sums: int = 1024


CPU = CpuTuning()
GPU = GpuTuning()
