"""Error units of the GPU: every comparison by a thread, then every error gathered in a fixed order.

`neurosim.kernels.reference_losses` and `neurosim.kernels.reference_patches` say what each computes.
"""

from neurosim.kernels.gpu_units import SUMS


class Losses:
    """The comparisons of `neurosim.kernels.gpu.Gpu`, which lends ``launch``, ``take`` and ``matmul``."""

    def collect(self, partial, value):
        """``value[f] += sum of partial[f]``, ``(figure, part)``, float64."""
        figures, parts = partial.shape
        if parts > SUMS:
            folded = self.take("folded", (figures, SUMS), "float64")
            self.launch("float32", "fold", folded.size, partial, folded, parts, SUMS)
            partial, parts = folded, SUMS
        self.launch("float32", "collect", figures, partial, value, parts)

    def _notes(self, shape, dtype):
        """What comparisons leave: signed weight, loss, state."""
        kinds = (("weight", dtype), ("loss", "float64"), ("state", "uint8"))
        return [self.take(f"comparison.{name}", shape, kind) for name, kind in kinds]

    def _tally(self, loss, state, value):
        """Add the loss, the active comparisons and all comparisons to value."""
        parts = min(loss.size, 16 * SUMS)
        partial = self.take("partial", (3, parts), "float64")
        self.launch("float32", "tally", parts, loss, state, partial, loss.size, parts)
        self.collect(partial, value)

    def _pull(self, mine, other, weight, out, turned=False, keep=False):
        """``out[i] (+)= sum_j weight[i, j] sign(mine[i] - other[j])``; turned: the weights are ``[j, i]``."""
        strides = (1, len(mine)) if turned else (len(other), 1)
        self.launch(out.dtype, "pull", out.size, mine, other, weight, out, len(other), mine.shape[1], *strides, keep)

    def hinge_all(self, view1, view2, index, error2, value, error1=None, *, margin_positive, margin_negative):
        """Contrastive hinge, all negatives; see `neurosim.kernels.reference_losses.hinge_all`."""
        pairs, units = view1.shape
        weight, loss, state = self._notes((len(view2), pairs), view1.dtype)
        margins = float(margin_positive), float(margin_negative)
        self.launch(view1.dtype, "compare_all", weight.size, view1, view2, index, weight, loss, state, pairs, units, *margins)
        self._pull(view2, view1, weight, error2)
        if error1 is not None:
            self._pull(view1, view2, weight, error1, turned=True, keep=True)
        self._tally(loss, state, value)

    def hinge_lags(
        self, trace, cursor, view2, index, error2, value, error1=None, *, pairs, lags, negative_weight, margin_positive,
        margin_negative
    ):  # fmt: skip
        """Contrastive hinge against the memory of K lags; see `neurosim.kernels.reference_losses.hinge_lags`."""
        capacity, units = trace.shape
        weight, loss, state = self._notes((len(view2), lags), view2.dtype)
        numbers = float(negative_weight), float(margin_positive), float(margin_negative)
        self.launch(view2.dtype, "compare_lags", weight.size, trace, cursor, view2, index, weight, loss, state, capacity, pairs,
                    lags, units, *numbers)  # fmt: skip
        shared = trace, cursor, view2, index, weight
        self.launch(view2.dtype, "pull_lags", error2.size, *shared, error2, capacity, pairs, lags, units)
        if error1 is not None:
            self.launch(view2.dtype, "push_lags", error1.size, *shared, error1, capacity, pairs, len(view2), lags, units)
        self._tally(loss, state, value)

    def _both(self, view1, view2):
        """Both views one below the other, a copy."""
        z = self.take("both", (2 * len(view1), view1.shape[1]), view1.dtype)
        for view, part in ((view1, z[: len(view1)]), (view2, z[len(view1) :])):
            self.launch(z.dtype, "copy", view.size, view, part)
        return z

    def _part(self, error, error1, error2):
        for view, part in ((error1, error[: len(error1)]), (error2, error[len(error1) :])):
            self.launch(error.dtype, "copy", view.size, part, view)

    def hinge_mean(self, view1, view2, error1, error2, value, *, margin_positive, margin_negative):
        """Mean-over-active hinge; see `neurosim.kernels.reference_losses.hinge_mean`."""
        z = self._both(view1, view2)
        count, units = z.shape
        weight, loss, state = self._notes((count, count), z.dtype)
        apart, active = self.take("apart", (count, count), "float64"), self.take("active", (count,), "int64")
        self.launch(z.dtype, "distances", apart.size, z, apart, count, units)
        self.launch(z.dtype, "count_active", count, apart, active, float(margin_negative))
        self.launch(z.dtype, "weigh_mean", weight.size, apart, active, weight, loss, state, count, float(margin_positive),
                    float(margin_negative))  # fmt: skip
        error = self.take("error", z.shape, z.dtype)
        self._pull(z, z, weight, error)
        self._pull(z, z, weight, error, turned=True, keep=True)
        self._part(error, error1, error2)
        self._tally(loss, state, value)

    def positive(self, view1, view2, error1, error2, value):
        """Positives only; see `neurosim.kernels.reference_losses.positive`."""
        share = 1 / (2 * len(view1) ** 2)
        _, loss, state = self._notes((len(view1),), view1.dtype)
        self.launch(view1.dtype, "positive", view1.size, view1, view2, error1, error2, share)
        self.launch(view1.dtype, "compare_own", len(view1), view1, view2, loss, state, view1.shape[1], share)
        self._tally(loss, state, value)

    def nt_xent(self, view1, view2, error1, error2, value, *, temperature, scale):
        """NT-Xent by one matrix of cosines; see `neurosim.kernels.reference_losses.nt_xent`."""
        z = self._both(view1, view2)
        count, units = z.shape
        unit, toward, error = (self.take(name, z.shape, z.dtype) for name in ("unit", "toward", "error"))
        length, cosine = self.take("length", (count,), z.dtype), self.take("cosine", (count, count), z.dtype)
        slope = self.take("slope", cosine.shape, z.dtype)
        top, total, loss = (self.take(name, (1, count), "float64") for name in ("top", "total", "loss"))
        self.launch(z.dtype, "normalise", count, z, unit, length, units)
        self.matmul(unit, unit.T, cosine)
        numbers = float(temperature), float(scale)
        self.launch(z.dtype, "softmax_rows", count, cosine, top, total, loss, *numbers)
        self.launch(z.dtype, "slopes", cosine.size, cosine, top, total, slope, count, *numbers)
        self.matmul(slope, unit, toward)
        self.launch(z.dtype, "across_unit", count, toward, unit, length, error, units)
        self._part(error, error1, error2)
        self.collect(loss, value)
        comparisons = float(count * (count - 1))
        self.launch("float32", "count_all", 1, value, comparisons, comparisons)

    def barlow(self, view1, view2, error1, error2, value, *, off_diagonal, scale, epsilon):
        """Barlow Twins by one matrix of correlations; see `neurosim.kernels.reference_losses.barlow`."""
        (pairs, units), real = view1.shape, view1.dtype
        normal = [self.take(f"normal{n}", view1.shape, real) for n in (1, 2)]
        spread = [self.take(f"spread{n}", (units,), real) for n in (1, 2)]
        for view, n, s in zip((view1, view2), normal, spread, strict=True):
            self.launch(real, "standardise", units, view, n, s, pairs, float(epsilon))
        slope, loss = self.take("slope", (units, units), real), self.take("loss", (1, units**2), "float64")
        self.matmul(normal[0].T, normal[1], slope)
        self.launch(real, "miss_identity", slope.size, slope, loss, units, pairs, float(off_diagonal), float(scale))
        toward = self.take("toward", view1.shape, real)
        self.matmul(normal[1], slope.T, toward)
        self.launch(real, "across_batch", units, toward, normal[0], spread[0], error1, pairs)
        self.matmul(normal[0], slope, toward)
        self.launch(real, "across_batch", units, toward, normal[1], spread[1], error2, pairs)
        self.collect(loss, value)
        self.launch("float32", "count_all", 1, value, float(units**2), float(units**2))

    def _order(self, negative, patches):
        """Which comparisons drew each patch: their numbers in order of patches, and where each patch begins."""
        order, start = self.take("order", negative.shape, "int64"), self.take("start", (patches + 1,), "int64")
        self.launch("float32", "rank", negative.size, negative, order)
        self.launch("float32", "starts", start.size, negative, order, start, negative.size)
        return order, start

    def gaze(self, view, negative, error, value, *, grid, negatives, margin_positive, margin_negative):
        """See `neurosim.kernels.reference_patches.gaze`."""
        (patches, units), right = view.shape, negative.size // negatives
        sizes = right, patches // grid**2, grid, negatives, units
        weight, loss, state = self._notes((right + negative.size,), view.dtype)
        self.launch(view.dtype, "compare_gaze", weight.size, view, negative, weight, loss, state, *sizes, float(margin_positive),
                    float(margin_negative))  # fmt: skip
        order, start = self._order(negative, patches)
        self.launch(view.dtype, "gather_gaze", error.size, view, negative, order, start, weight, error, *sizes)
        self._tally(loss, state, value)

    def _anchors(self, view, grid):
        """The anchors of all rows but the last two, ``(G - 2, N x G x P, D)``."""
        patches, places, units = view.shape
        pictures = patches // grid**2
        anchors = self.take("anchors", (grid - 2, pictures * grid * places, units), view.dtype)
        self.launch(view.dtype, "take_anchors", anchors.size, view, anchors, pictures, grid, places * units)
        return anchors

    def predict(self, view, weight, prediction, *, grid):
        """See `neurosim.kernels.reference_patches.predict`."""
        anchors = self._anchors(view, grid)
        self.matmul(anchors, weight, prediction.reshape(anchors.shape))

    def clapp(self, view, prediction, negative, error, factor, value, *, grid, negatives):
        """See `neurosim.kernels.reference_patches.clapp`."""
        patches, right = len(view), negative.size // negatives
        sizes = right, patches // grid**2, grid, negatives, view.size // patches
        weight, loss, state = self._notes((right + negative.size,), view.dtype)
        self.launch(view.dtype, "compare_clapp", weight.size, view, prediction, negative, weight, loss, state, *sizes)
        order, start = self._order(negative, patches)
        self.launch(view.dtype, "gather_clapp", error.size, prediction, order, start, weight, error, *sizes)
        self.launch(view.dtype, "factor_clapp", factor.size, view, negative, weight, factor, *sizes)
        self._tally(loss, state, value)

    def deliver_prediction(self, factor, weight, error, *, grid):
        """See `neurosim.kernels.reference_patches.deliver_prediction`."""
        sent = self.take("anchors", (len(factor), factor[0].size // weight.shape[2], weight.shape[1]), error.dtype)
        self.matmul(factor.reshape(len(factor), -1, weight.shape[2]), weight.swapaxes(1, 2), sent)
        size = error.size // len(error)
        self.launch(error.dtype, "add_anchors", sent.size, sent, error, factor.shape[1], grid, size)

    def hebbian_prediction(self, view, factor, change, *, grid):
        """See `neurosim.kernels.reference_patches.hebbian_prediction`."""
        anchors = self._anchors(view, grid)
        self.matmul(anchors.swapaxes(1, 2), factor.reshape(anchors.shape), change)
