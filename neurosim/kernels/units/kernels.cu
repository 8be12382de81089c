/* Units: responses, pools, gates, targets; reference.py beside this file says what each computes. */

KERNEL activate(const REAL *potential, REAL *activity, int phi, Index count)
{
    EACH(i) activity[i] = respond(potential[i], phi);
}

KERNEL mean_of_channels(const REAL *units, REAL *mean, int channels, Index count)
{
    EACH(i) {
        double sum = 0;
        for (int o = 0; o < channels; o++) sum += units[i * channels + o];
        mean[i] = (REAL)(sum / channels);
    }
}

KERNEL subtract_mean(const REAL *mean, REAL *units, int channels, Index count)
{
    EACH(i) units[i] -= mean[i / channels];
}

/* The largest of the four potentials of unit i's window; *place: the first that has it.
   inside: elements of one place of the window, rows x columns x channels. */
__device__ inline REAL largest(const REAL *potential, Index i, int inside, Byte *place)
{
    const REAL *u = potential + i / inside * 4 * inside + i % inside;
    REAL best = u[0];
    *place = 0;
    for (int w = 1; w < 4; w++)
        if (u[w * inside] > best) { best = u[w * inside]; *place = (Byte)w; }
    return best;
}

KERNEL pool(const REAL *potential, REAL *activity, Byte *winner, int phi, int inside, Index count)
{
    EACH(i) {
        Byte place;
        REAL x = respond(largest(potential, i, inside, &place), phi);
        activity[i] = x;
        winner[i] = phi == HARDTANH && !(x > -1 && x < 1) ? (Byte)CLOSED : place;
    }
}

KERNEL pool_alone(const REAL *potential, REAL *activity, int phi, int inside, Index count)
{
    EACH(i) {
        Byte place;
        activity[i] = respond(largest(potential, i, inside, &place), phi);
    }
}

KERNEL gate(const REAL *activity, const REAL *error, REAL *post, int phi, Index count)
{
    EACH(i) post[i] = error[i] * slope(activity[i], phi);
}

KERNEL gate_pooled(const REAL *activity, const Byte *winner, const REAL *error, REAL *post, int phi, int inside, Index count)
{
    EACH(i) {
        REAL delta = winner[i] == CLOSED ? (REAL)0 : error[i] * slope(activity[i], phi);
        REAL *target = post + i / inside * 4 * inside + i % inside;
        for (int w = 0; w < 4; w++) target[w * inside] = w == winner[i] ? delta : (REAL)0;
    }
}

KERNEL pool_mean(const REAL *potential, REAL *activity, int phi, int inside, Index count)
{
    EACH(i) {
        const REAL *u = potential + i / inside * 4 * inside + i % inside;
        REAL sum = 0;
        for (int w = 0; w < 4; w++) sum += respond(u[w * inside], phi);
        activity[i] = sum / 4;
    }
}

/* One potential: which window's error, a quarter of it. */
KERNEL gate_mean(const REAL *potential, const REAL *error, REAL *post, int phi, int inside, Index count)
{
    EACH(i) {
        Index window = i / (4 * inside) * inside + i % inside;
        post[i] = slope(respond(potential[i], phi), phi) * error[window] / 4;
    }
}

/* rows, columns: of the mean. */
KERNEL average(const REAL *x, REAL *mean, int rows, int columns, int channels, Index count)
{
    EACH(i) {
        Index o = i % channels;
        Place p = place_of(i / channels, rows, columns, 0);
        REAL sum = 0;
        for (Index w = 0; w < 4; w++)
            sum += x[((p.sample * 2 * rows + 2 * p.row + w / 2) * 2 * columns + 2 * p.column + w % 2) * channels + o];
        mean[i] = sum / 4;
    }
}

KERNEL spread(const REAL *mean, REAL *error, int rows, int columns, int channels, Index count)
{
    EACH(i) {
        Index o = i % channels;
        Place p = place_of(i / channels, 2 * rows, 2 * columns, 0);
        error[i] = mean[((p.sample * rows + p.row / 2) * columns + p.column / 2) * channels + o] / 4;
    }
}

KERNEL add_noise(const REAL *activity, const REAL *noise, REAL *noisy, double sigma, Index count)
{
    EACH(i) noisy[i] = activity[i] + (REAL)sigma * noise[i];
}

KERNEL set_target(const REAL *activity, const REAL *error, REAL *target, double step, Index count)
{
    EACH(i) target[i] = activity[i] - (REAL)step * error[i];
}

/* Every count-th element by one thread, which keeps the sum of its squares. */
KERNEL local_loss(const REAL *activity, const REAL *target, REAL *error, double *partial, double scale, int size, Index count)
{
    EACH(part) {
        double sum = 0;
        for (Index i = part; i < (Index)size; i += count) {
            REAL apart = activity[i] - target[i];
            error[i] = (REAL)(2 * scale) * apart;
            sum += (double)apart * apart;
        }
        partial[part] = scale * sum;
    }
}

KERNEL propagate_target(const REAL *activity, const REAL *restored, const REAL *restored_target, REAL *target, Index count)
{
    EACH(i) target[i] = activity[i] - restored[i] + restored_target[i];
}
