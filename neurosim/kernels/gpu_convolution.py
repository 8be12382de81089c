"""Convolutions of the GPU: patches laid out by a kernel of gpu.cu, products by cuBLAS, sums gathered without atomics.

`neurosim.kernels.reference` says what each kernel computes; shapes and layouts are those of the CPU's form.
"""

# Bytes of the patches of one product: bounds the memory; products of this size keep a GPU busy. Not yet measured on one.
PATCH_BYTES = 1 << 28


class Convolutions:
    """The convolutions of `neurosim.kernels.gpu.Gpu`, which lends ``launch``, ``take`` and ``matmul``."""

    def _parts(self, like, row_bytes):
        """Slices of a few samples."""
        step = max(1, PATCH_BYTES // row_bytes)
        return [slice(start, min(start + step, len(like))) for start in range(0, len(like), step)]

    def _patches(self, plain, pooled):
        """Yield (slice of samples, columns ``(patch, 9 x channel)``)."""
        _, rows, columns, channels = plain.shape
        for part in self._parts(plain, rows * columns * 9 * channels * plain.itemsize):
            few = plain[part]
            laid = self.take("columns", (len(few) * rows * columns, 9 * channels), plain.dtype)
            self.launch(plain.dtype, "columns", laid.size, few, laid, rows, columns, channels, pooled)
            yield part, laid

    def convolve(self, presynaptic, weight, potential):
        """u = W * x, 3 x 3, padding 1; see `neurosim.kernels.reference.convolve`."""
        matrix = weight.reshape(-1, weight.shape[3])
        for part, columns in self._patches(presynaptic, potential.ndim == 5):
            self.matmul(columns, matrix, potential[part].reshape(len(columns), -1))

    def hebbian_convolution(self, pre, post, change):
        """change += sum of pre outer post; see `neurosim.kernels.reference.hebbian_convolution`."""
        product = self.take("product", (change.size // change.shape[3], change.shape[3]), change.dtype)
        for part, columns in self._patches(pre, post.ndim == 5):
            self.matmul(columns.T, post[part].reshape(len(columns), -1), product)
            self.launch(change.dtype, "add", change.size, product, change)

    def deliver_convolution(self, post, weight, error):
        """error = B^T post; every place sends to nine; see `neurosim.kernels.reference.deliver_convolution`."""
        _, rows, columns, channels = error.shape
        matrix = weight.reshape(-1, weight.shape[3]).T
        for part in self._parts(error, rows * columns * 9 * channels * error.itemsize):
            factor = post[part].reshape(-1, weight.shape[3])
            sent = self.take("columns", (len(factor), 9 * channels), error.dtype)
            self.matmul(factor, matrix, sent)
            few = error[part]
            self.launch(error.dtype, "gather_columns", few.size, sent, few, rows, columns, channels, post.ndim == 5)

    def upconvolve(self, presynaptic, weight, potential):
        """One product for the nine taps, then sums; see `neurosim.kernels.reference_inverse.upconvolve`."""
        _, rows, columns, channels = presynaptic.shape
        units = weight.shape[3]
        turned = self.take("turned", (channels, 9 * units), weight.dtype)
        self.launch(weight.dtype, "swap", weight.size, weight, turned, 9, channels, units)
        for part in self._parts(presynaptic, rows * columns * 9 * units * potential.itemsize):
            few, above = presynaptic[part].reshape(-1, channels), potential[part]
            sent = self.take("columns", (len(few), 9 * units), potential.dtype)
            self.matmul(few, turned, sent)
            self.launch(potential.dtype, "gather_up", above.size, sent, above, rows, columns, units)

    def hebbian_upconvolution(self, pre, post, change):
        """The factor's nine shifts, one product; see `neurosim.kernels.reference_inverse.hebbian_upconvolution`."""
        _, rows, columns, channels = pre.shape
        units = post.shape[3]
        product = self.take("product", (channels, 9 * units), change.dtype)
        for part in self._parts(pre, rows * columns * 9 * units * post.itemsize):
            few = pre[part].reshape(-1, channels)
            shifts = self.take("columns", (len(few), 9 * units), post.dtype)
            self.launch(post.dtype, "columns_up", shifts.size, post[part], shifts, rows, columns, units)
            self.matmul(few.T, shifts, product)
            self.launch(change.dtype, "add_swapped", change.size, product, change, channels, 9, units)

    def convolve_local(self, presynaptic, weight, potential):
        """u = W * x with weights of its own at every place; see `neurosim.kernels.reference_local.convolve_local`."""
        _, rows, columns, channels = presynaptic.shape
        places, units = rows * columns, potential.shape[-1]
        matrices, numbers = weight.reshape(places, 9 * channels, units), self.numbers(rows)
        for part in self._parts(presynaptic, places * 9 * channels * weight.itemsize):
            few, out = presynaptic[part], potential[part]
            patches = self.take("columns", (places, len(few), 9 * channels), weight.dtype)
            self.launch(weight.dtype, "columns_local", patches.size, few, numbers, patches, False, 1, len(few), rows, columns,
                        channels)  # fmt: skip
            laid = self.take("product", (places, len(few), units), weight.dtype)
            self.matmul(patches, matrices, laid)
            self.launch(weight.dtype, "lay_local", laid.size, laid, out, len(few), rows, columns, units, potential.ndim == 5)

    def deliver_local(self, post, weight, error):
        """error = B^T post, B of each place's own; see `neurosim.kernels.reference_local.deliver_local`."""
        _, rows, columns, channels = error.shape
        places, units = rows * columns, post.shape[-1]
        matrices = weight.reshape(places, 9 * channels, units)
        for part in self._parts(error, places * 9 * channels * weight.itemsize):
            few = error[part]
            factor = self.take("product", (places, units, len(few)), weight.dtype)
            self.launch(weight.dtype, "take_local", factor.size, post[part], factor, True, len(few), rows, columns, units,
                        post.ndim == 5)  # fmt: skip
            sent = self.take("columns", (places, 9 * channels, len(few)), weight.dtype)
            self.matmul(matrices, factor, sent)
            self.launch(weight.dtype, "gather_local", few.size, sent, few, len(few), rows, columns, channels)

    def hebbian_local(self, pre, post, index, change):
        """change = pre outer post at every place; see `neurosim.kernels.reference_local.hebbian_local`."""
        samples, rows, columns, channels = pre.shape
        count, height, units = len(index), change.shape[1], post.shape[-1]
        factor = self.take("product", (count, height * columns, samples, units), change.dtype)
        self.launch(change.dtype, "take_local", factor.size, post, factor, False, samples, count * height, columns, units,
                    post.ndim == 5)  # fmt: skip
        for part in self._parts(index, height * columns * samples * 9 * channels * change.itemsize):
            few = factor[part].reshape(-1, samples, units)
            patches = self.take("columns", (len(few), 9 * channels, samples), change.dtype)
            self.launch(change.dtype, "columns_local", patches.size, pre, index[part], patches, True, height, samples, rows,
                        columns, channels)  # fmt: skip
            self.matmul(patches, few, change[part].reshape(len(few), 9 * channels, units))
