"""Units, images, plasticity, memory, biases and targets of the GPU: launches of gpu.cu, one element a thread."""

PHI = {"hardtanh": 0, "tanh": 1, "linear": 2}
KINDS = {"uint8": 0, "float32": 1, "float64": 2}  # of images
SUMS = 1024  # partial sums of one figure


class Units:
    """The elementwise kernels of `neurosim.kernels.gpu.Gpu`, which lends ``launch``, ``take`` and ``matmul``."""

    def present(self, image, activity, *, gain, offset):
        """x0 = gain * image / 255 + offset; see `neurosim.kernels.reference.present`."""
        self.launch(activity.dtype, "present", activity.size, image, activity, KINDS[image.dtype.name], float(gain), float(offset))

    def dense(self, presynaptic, weight, potential):
        """u = x W; see `neurosim.kernels.reference.dense`."""
        self.matmul(presynaptic, weight, potential)

    def hebbian_dense(self, pre, post, change):
        """change = pre^T post over all samples; see `neurosim.kernels.reference.hebbian_dense`."""
        self.matmul(pre.T, post, change)

    def deliver_dense(self, post, weight, error):
        """error = post B^T; see `neurosim.kernels.reference.deliver_dense`."""
        self.matmul(post, weight.T, error)

    def activate(self, potential, activity, *, nonlinearity):
        """x = phi(u); see `neurosim.kernels.reference.activate`."""
        self.launch(activity.dtype, "activate", activity.size, potential, activity, PHI[nonlinearity])

    def pool(self, potential, activity, winner, *, nonlinearity):
        """x = phi(max of a window), and which place won; see `neurosim.kernels.reference.pool`."""
        inside = activity.size // max(1, len(activity))
        self.launch(activity.dtype, "pool", activity.size, potential, activity, winner, PHI[nonlinearity], inside)

    def average(self, activity, mean):
        """mean = mean over 2 x 2 windows of x; see `neurosim.kernels.reference.average`."""
        self.launch(mean.dtype, "average", mean.size, activity, mean, *mean.shape[1:])

    def spread(self, mean, error):
        """A quarter of the error at each place of a window; see `neurosim.kernels.reference.spread`."""
        self.launch(error.dtype, "spread", error.size, mean, error, *mean.shape[1:])

    def gate(self, activity, error, post, *, nonlinearity):
        """post = phi'(u) error; see `neurosim.kernels.reference.gate`."""
        self.launch(post.dtype, "gate", post.size, activity, error, post, PHI[nonlinearity])

    def gate_pooled(self, activity, winner, error, post, *, nonlinearity):
        """The error goes to the place that won, through its gate; see `neurosim.kernels.reference.gate_pooled`."""
        inside = error.size // max(1, len(error))
        self.launch(post.dtype, "gate_pooled", error.size, activity, winner, error, post, PHI[nonlinearity], inside)

    def sgd(self, change, weight, rate, *, decay):
        """See `neurosim.kernels.reference_plasticity.sgd`."""
        self.launch(weight.dtype, "sgd", weight.size, change, weight, rate, float(decay))

    def momentum(self, change, weight, trace, rate, *, momentum, decay):
        """See `neurosim.kernels.reference_plasticity.momentum`."""
        self.launch(weight.dtype, "momentum", weight.size, change, weight, trace, rate, float(momentum), float(decay))

    def signum(self, change, weight, trace, rate, *, bound, momentum, decay):
        """See `neurosim.kernels.reference_plasticity.signum`."""
        numbers = float(bound), float(momentum), float(decay)
        self.launch(weight.dtype, "signum", weight.size, change, weight, trace, rate, *numbers)

    def adam(self, change, weight, trace, square, count, rate, *, beta1, beta2, epsilon, decay):
        """See `neurosim.kernels.reference_plasticity.adam`."""
        numbers = float(beta1), float(beta2), float(epsilon), float(decay)
        self.launch(weight.dtype, "adam", weight.size, change, weight, trace, square, count, rate, *numbers)

    def tick(self, count):
        """See `neurosim.kernels.reference_plasticity.tick`."""
        self.launch("float32", "advance", 1, count, 1)

    def send_sign(self, weight, sent, *, scale):
        """See `neurosim.kernels.reference_plasticity.send_sign`."""
        self.launch(sent.dtype, "send_sign", sent.size, weight, sent, float(scale))

    def push(self, activity, trace, cursor):
        """See `neurosim.kernels.reference_plasticity.push`."""
        capacity, units = trace.shape
        kept = min(len(activity), capacity)
        self.launch(trace.dtype, "store", kept * units, activity, trace, cursor, len(activity) - kept, capacity, units)
        self.launch(trace.dtype, "advance", 1, cursor, len(activity))

    def add_bias(self, presynaptic, weight, potential):
        """u += 1 b; see `neurosim.kernels.reference_inverse.add_bias`."""
        self.launch(potential.dtype, "add_bias", potential.size, presynaptic, weight, potential, weight.shape[1])

    def hebbian_bias(self, pre, post, change):
        """change += sum of 1 x post; see `neurosim.kernels.reference_inverse.hebbian_bias`."""
        channels = post.shape[-1]
        rows = post.size // channels
        parts = max(1, min(rows, SUMS))
        partial = self.take("partial", (parts, channels), "float64")
        self.launch(post.dtype, "sum_rows", partial.size, post, partial, rows, parts, channels)
        self.launch(post.dtype, "add_sums", channels, partial, pre, change, parts)

    def add_noise(self, activity, noise, noisy, *, sigma):
        """x~ = x + sigma n; see `neurosim.kernels.reference_inverse.add_noise`."""
        self.launch(noisy.dtype, "add_noise", noisy.size, activity, noise, noisy, float(sigma))

    def mismatch(self, activity, target, error, value, *, scale):
        """e = 2 scale (x - t); see `neurosim.kernels.reference_inverse.mismatch`."""
        partial = self.take("partial", (1, max(1, min(error.size, 64 * SUMS))), "float64")
        self.launch(error.dtype, "mismatch", partial.size, activity, target, error, partial, float(scale), error.size)
        self.collect(partial, value)

    def aim(self, activity, error, target, *, step):
        """t = x - step e; see `neurosim.kernels.reference_inverse.aim`."""
        self.launch(target.dtype, "aim", target.size, activity, error, target, float(step))

    def correct_target(self, activity, restored, aimed, target):
        """t = x - g(x above) + g(t above); see `neurosim.kernels.reference_inverse.correct_target`."""
        self.launch(target.dtype, "correct_target", target.size, activity, restored, aimed, target)

    def deform(self, image, theta, saturation, hue, flip, out, *, border):
        """See `neurosim.kernels.deformation.deform`; places are worked out in float64, colours in the type of out."""
        self._map(image, theta, (saturation, hue), flip, out, border, True)

    def deform_simclr(self, image, theta, brightness, contrast, saturation, hue, order, grey, flip, out):
        """See `neurosim.kernels.reference_deformation.deform_simclr`: a launch for each of the four turns."""
        samples, rows, columns, channels = out.shape
        given = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue}
        factors = [self.double(name, factor) for name, factor in given.items()]
        self._map(image, theta, factors[2:], flip, out, False, False)
        sums = self.take("lines", (samples, rows), "float64")
        for turn in range(4):
            self.launch(out.dtype, "lines", sums.size, out, sums, columns, channels)
            self.launch(out.dtype, "jitter", samples * rows * columns, out, sums, *factors, order, turn, rows, columns, channels)
        if channels == 3:
            self.launch(out.dtype, "take_colour", samples * rows * columns, out, grey, rows * columns)

    def _map(self, image, theta, colour, flip, out, border, coloured):
        _, rows, columns, channels = out.shape
        colour = [self.double(name, factor) for name, factor in zip(("saturation", "hue"), colour, strict=True)]
        self.launch(out.dtype, "deform", out.size // channels, image, self.double("theta", theta), *colour, flip, out,
                    KINDS[image.dtype.name], rows, columns, channels, border, coloured)  # fmt: skip
