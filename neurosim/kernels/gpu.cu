/* Every kernel of the GPU but matrix products; neurosim/kernels/reference.py says what each step computes.

   One element of a result is made by one thread, from arrays that the same launch does not change, by sums in a fixed
   order: no atomics and no shared memory, so results are the same at every run, for any grid and in any order of the threads.
   Nothing is included, and the file is plain C++ where __global__ and the four indices are given: the tests run it so.
   REAL is float or double; longer sums are kept in double. Activities are (sample, row, column, channel); where a
   layer is pooled its potentials are (sample, window, row, column, channel), window = 2 x row + column in the 2 x 2. */

typedef unsigned int Index;
typedef unsigned char Byte;
typedef long long Long;

#ifndef REAL
#define REAL float
#endif
#define KERNEL extern "C" __global__ void
#define EACH(i) for (Index i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)

enum { HARDTANH, TANH, LINEAR };
enum { BYTES, SINGLES, DOUBLES };          // of what an image is made
enum { NONE, INACTIVE, ACTIVE };           // the state of a comparison
#define CLOSED 4                           // a winner where hardtanh is saturated

__device__ inline REAL sign(REAL x) { return (REAL)((x > 0) - (x < 0)); }
__device__ inline REAL within(REAL x, REAL low, REAL high) { return x < low ? low : x > high ? high : x; }

/* ---- places ---- */

struct Place { Index sample, row, column; };

/* Where in the picture the potential number m lies (channels left out). */
__device__ inline Place place_of(Index m, int rows, int columns, int pooled)
{
    Place p;
    if (!pooled) {
        p.column = m % columns; m /= columns;
        p.row = m % rows;
        p.sample = m / rows;
        return p;
    }
    Index across = columns / 2, down = rows / 2;
    p.column = 2 * (m % across); m /= across;
    p.row = 2 * (m % down); m /= down;
    p.row += m % 4 / 2;
    p.column += m % 2;
    p.sample = m / 4;
    return p;
}

/* The number of the potential at a place of the picture. */
__device__ inline Index number_of(Index sample, Index row, Index column, int rows, int columns, int pooled)
{
    if (!pooled) return (sample * rows + row) * columns + column;
    Index window = 2 * (row % 2) + column % 2;
    return ((sample * 4 + window) * (rows / 2) + row / 2) * (columns / 2) + column / 2;
}

/* ---- convolutions ---- */

/* The 3 x 3 patch around every place: (place, tap, channel), 0 outside the picture. */
KERNEL columns(const REAL *x, REAL *out, int rows, int columns, int channels, int pooled, Index count)
{
    EACH(i) {
        Index k = i % channels, tap = i / channels % 9;
        Place p = place_of(i / channels / 9, rows, columns, pooled);
        int r = (int)(p.row + tap / 3) - 1, c = (int)(p.column + tap % 3) - 1;
        bool inside = r >= 0 && r < rows && c >= 0 && c < columns;
        out[i] = inside ? x[((p.sample * rows + r) * columns + c) * channels + k] : (REAL)0;
    }
}

/* What every place sent to the nine places around it, added up where it arrives. */
KERNEL gather_columns(const REAL *sent, REAL *error, int rows, int columns, int channels, int pooled, Index count)
{
    EACH(i) {
        Index k = i % channels;
        Place p = place_of(i / channels, rows, columns, 0);
        REAL sum = 0;
        for (int tap = 0; tap < 9; tap++) {
            int r = (int)p.row - tap / 3 + 1, c = (int)p.column - tap % 3 + 1;
            if (r >= 0 && r < rows && c >= 0 && c < columns)
                sum += sent[(number_of(p.sample, r, c, rows, columns, pooled) * 9 + tap) * channels + k];
        }
        error[i] = sum;
    }
}

KERNEL add(const REAL *product, REAL *change, Index count)
{
    EACH(i) change[i] += product[i];
}

KERNEL copy(const REAL *from, REAL *to, Index count)
{
    EACH(i) to[i] = from[i];
}

/* Doubles of numbers of either type. */
KERNEL widen(const void *from, double *to, int kind, Index count)
{
    EACH(i) to[i] = kind == SINGLES ? (double)((const float *)from)[i] : ((const double *)from)[i];
}

/* Words of 32 bits, of numbers of any type. */
KERNEL clear(Index *words, Index count)
{
    EACH(i) words[i] = 0;
}

/* (first, second, inner) to (second, first, inner). */
KERNEL swap(const REAL *in, REAL *out, int first, int second, int inner, Index count)
{
    EACH(i) {
        Index e = i % inner, f = i / inner % first, s = i / inner / first;
        out[i] = in[(f * second + s) * inner + e];
    }
}

/* The same, added to (second, first, inner). */
KERNEL add_swapped(const REAL *in, REAL *out, int first, int second, int inner, Index count)
{
    EACH(i) {
        Index e = i % inner, f = i / inner % first, s = i / inner / first;
        out[i] += in[(f * second + s) * inner + e];
    }
}

/* A transposed convolution of stride 2: what the places (row, column) of the small map sent, added up in the large one. */
KERNEL gather_up(const REAL *sent, REAL *u, int rows, int columns, int channels, Index count)
{
    EACH(q) {
        Index o = q % channels;
        Place p = place_of(q / channels, 2 * rows, 2 * columns, 0);
        REAL sum = 0;
        for (int tap = 0; tap < 9; tap++) {
            int r = (int)p.row + 1 - tap / 3, c = (int)p.column + 1 - tap % 3;
            if (r < 0 || c < 0 || r % 2 || c % 2 || r / 2 >= rows || c / 2 >= columns) continue;
            sum += sent[(((p.sample * rows + r / 2) * columns + c / 2) * 9 + tap) * channels + o];
        }
        u[q] = sum;
    }
}

/* The nine places of the large map that a place of the small one sends to: (place, tap, channel). */
KERNEL columns_up(const REAL *delta, REAL *out, int rows, int columns, int channels, Index count)
{
    EACH(q) {
        Index o = q % channels, tap = q / channels % 9;
        Place p = place_of(q / channels / 9, rows, columns, 0);
        int r = (int)(2 * p.row + tap / 3) - 1, c = (int)(2 * p.column + tap % 3) - 1;
        bool inside = r >= 0 && r < 2 * rows && c >= 0 && c < 2 * columns;
        out[q] = inside ? delta[((p.sample * 2 * rows + r) * 2 * columns + c) * channels + o] : (REAL)0;
    }
}

/* ---- untied layers ---- */

/* Patches by place, (place, sample, tap, channel) or turned (place, tap, channel, sample); the picture's row is
   height x index[r] + part. */
KERNEL columns_local(const REAL *x, const Long *index, REAL *out, int turned, int height, int samples, int rows, int columns,
                     int channels, Index count)
{
    EACH(i) {
        Index n = i % samples, k = i / samples % channels, tap = i / samples / channels % 9, place = i / samples / channels / 9;
        if (!turned) {
            k = i % channels;
            tap = i / channels % 9;
            n = i / channels / 9 % samples;
        }
        Index line = place / columns, column = place % columns;
        int row = (int)(height * index[line / height] + line % height);
        int r = row + (int)(tap / 3) - 1, c = (int)(column + tap % 3) - 1;
        bool inside = r >= 0 && r < rows && c >= 0 && c < columns;
        out[i] = inside ? x[((n * rows + r) * columns + c) * channels + k] : (REAL)0;
    }
}

/* Potentials or factors, pooled or not, to (place, sample, channel), or turned to (place, channel, sample). */
KERNEL take_local(const REAL *full, REAL *out, int turned, int samples, int rows, int columns, int channels, int pooled, Index count)
{
    EACH(i) {
        Index o = i % channels, n = i / channels % samples, place = i / channels / samples;
        if (turned) {
            n = i % samples;
            o = i / samples % channels;
        }
        out[i] = full[number_of(n, place / columns, place % columns, rows, columns, pooled) * channels + o];
    }
}

/* And back. */
KERNEL lay_local(const REAL *in, REAL *full, int samples, int rows, int columns, int channels, int pooled, Index count)
{
    EACH(i) {
        Index o = i % channels;
        Place p = place_of(i / channels, rows, columns, pooled);
        full[i] = in[((p.row * columns + p.column) * samples + p.sample) * channels + o];
    }
}

/* What every place sent, (place, tap, channel, sample), added up where it arrives. */
KERNEL gather_local(const REAL *sent, REAL *error, int samples, int rows, int columns, int channels, Index count)
{
    EACH(i) {
        Index k = i % channels;
        Place p = place_of(i / channels, rows, columns, 0);
        REAL sum = 0;
        for (int tap = 0; tap < 9; tap++) {
            int r = (int)p.row - tap / 3 + 1, c = (int)p.column - tap % 3 + 1;
            if (r >= 0 && r < rows && c >= 0 && c < columns)
                sum += sent[(((Index)(r * columns + c) * 9 + tap) * channels + k) * samples + p.sample];
        }
        error[i] = sum;
    }
}

/* ---- units ---- */

__device__ inline double pixel(const void *image, int kind, Index i)
{
    if (kind == BYTES) return ((const Byte *)image)[i] / 255.0;
    return kind == SINGLES ? (double)((const float *)image)[i] : ((const double *)image)[i];
}

KERNEL present(const void *image, REAL *activity, int kind, double gain, double offset, Index count)
{
    EACH(i) activity[i] = (REAL)(gain * pixel(image, kind, i) + offset);
}

__device__ inline REAL respond(REAL u, int phi)
{
    return phi == HARDTANH ? within(u, -1, 1) : phi == TANH ? (REAL)tanh(u) : u;
}

__device__ inline REAL slope(REAL x, int phi)
{
    return phi == HARDTANH ? (REAL)(x > -1 && x < 1) : phi == TANH ? 1 - x * x : (REAL)1;
}

KERNEL activate(const REAL *potential, REAL *activity, int phi, Index count)
{
    EACH(i) activity[i] = respond(potential[i], phi);
}

/* inside: elements of one place of the window, rows x columns x channels. */
KERNEL pool(const REAL *potential, REAL *activity, Byte *winner, int phi, int inside, Index count)
{
    EACH(i) {
        const REAL *u = potential + i / inside * 4 * inside + i % inside;
        REAL best = u[0];
        Byte place = 0;
        for (int w = 1; w < 4; w++)
            if (u[w * inside] > best) { best = u[w * inside]; place = (Byte)w; }
        REAL x = respond(best, phi);
        activity[i] = x;
        winner[i] = phi == HARDTANH && !(x > -1 && x < 1) ? (Byte)CLOSED : place;
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

/* ---- plasticity and memory ---- */

__device__ inline void change_weight(REAL *weight, REAL direction, const double *rate, double decay)
{
    *weight = *weight * (REAL)(1 - rate[0] * decay) - (REAL)rate[0] * direction;
}

KERNEL sgd(const REAL *change, REAL *weight, const double *rate, double decay, Index count)
{
    EACH(i) change_weight(weight + i, change[i], rate, decay);
}

KERNEL momentum(const REAL *change, REAL *weight, REAL *trace, const double *rate, double mu, double decay, Index count)
{
    EACH(i) {
        trace[i] = (REAL)mu * trace[i] + change[i];
        change_weight(weight + i, trace[i], rate, decay);
    }
}

KERNEL signum(const REAL *change, REAL *weight, REAL *trace, const double *rate, double bound, double mu, double decay, Index count)
{
    EACH(i) {
        trace[i] = (REAL)mu * trace[i] + change[i];
        change_weight(weight + i, (REAL)bound * sign(trace[i]), rate, decay);
    }
}

KERNEL adam(const REAL *change, REAL *weight, REAL *trace, REAL *square, const Long *ticks, const double *rate, double beta1,
            double beta2, double epsilon, double decay, Index count)
{
    EACH(i) {
        double t = (double)ticks[0];
        trace[i] = (REAL)beta1 * trace[i] + (REAL)(1 - beta1) * change[i];
        square[i] = (REAL)beta2 * square[i] + (REAL)(1 - beta2) * (change[i] * change[i]);
        REAL mean = trace[i] * (REAL)(1 / (1 - pow(beta1, t))), power = square[i] * (REAL)(1 / (1 - pow(beta2, t)));
        change_weight(weight + i, mean / ((REAL)sqrt(power) + (REAL)epsilon), rate, decay);
    }
}

KERNEL send_sign(const REAL *weight, REAL *sent, double scale, Index count)
{
    EACH(i) sent[i] = (REAL)scale * sign(weight[i]);
}

KERNEL advance(Long *cursor, int by, Index count)
{
    EACH(i) cursor[i] += by;
}

/* Rows from `first` on go into the ring; the cursor moves in a launch of its own. */
KERNEL store(const REAL *activity, REAL *trace, const Long *cursor, int first, int capacity, int units, Index count)
{
    EACH(i) {
        Index row = first + i / units, u = i % units;
        trace[(cursor[0] + row) % capacity * units + u] = activity[row * units + u];
    }
}

/* ---- biases, noise, targets ---- */

KERNEL add_bias(const REAL *one, const REAL *weight, REAL *potential, int channels, Index count)
{
    EACH(i) potential[i] += one[0] * weight[i % channels];
}

/* Sums of every parts-th row: (part, channel). */
KERNEL sum_rows(const REAL *post, double *partial, int rows, int parts, int channels, Index count)
{
    EACH(i) {
        Index part = i / channels, o = i % channels;
        double sum = 0;
        for (Index row = part; row < (Index)rows; row += parts) sum += post[row * channels + o];
        partial[i] = sum;
    }
}

KERNEL add_sums(const double *partial, const REAL *one, REAL *change, int parts, Index count)
{
    EACH(o) {
        double sum = 0;
        for (Index part = 0; part < (Index)parts; part++) sum += partial[part * count + o];
        change[o] += (REAL)(one[0] * sum);
    }
}

KERNEL add_noise(const REAL *activity, const REAL *noise, REAL *noisy, double sigma, Index count)
{
    EACH(i) noisy[i] = activity[i] + (REAL)sigma * noise[i];
}

KERNEL mismatch(const REAL *activity, const REAL *target, REAL *error, double *partial, double scale, int size, Index count)
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

KERNEL aim(const REAL *activity, const REAL *error, REAL *target, double step, Index count)
{
    EACH(i) target[i] = activity[i] - (REAL)step * error[i];
}

KERNEL correct_target(const REAL *activity, const REAL *restored, const REAL *aimed, REAL *target, Index count)
{
    EACH(i) target[i] = activity[i] - restored[i] + aimed[i];
}

/* ---- sums of what comparisons tell ---- */

/* (figure, size) to (figure, parts), every parts-th element. */
KERNEL fold(const double *in, double *out, int size, int parts, Index count)
{
    EACH(i) {
        Index figure = i / parts;
        double sum = 0;
        for (Index j = i % parts; j < (Index)size; j += parts) sum += in[figure * size + j];
        out[i] = sum;
    }
}

/* value[figure] += the sum of its parts. */
KERNEL collect(const double *partial, double *value, int parts, Index count)
{
    EACH(figure) {
        double sum = 0;
        for (Index part = 0; part < (Index)parts; part++) sum += partial[figure * parts + part];
        value[figure] += sum;
    }
}

/* Loss, active comparisons and comparisons: (3, parts). */
KERNEL tally(const double *loss, const Byte *state, double *partial, int size, int parts, Index count)
{
    EACH(part) {
        double sum = 0;
        Index active = 0, all = 0;
        for (Index i = part; i < (Index)size; i += parts) {
            sum += loss[i];
            active += state[i] == ACTIVE;
            all += state[i] != NONE;
        }
        partial[part] = sum;
        partial[parts + part] = active;
        partial[2 * parts + part] = all;
    }
}

/* ---- hinges ---- */

__device__ inline double distance(const REAL *a, const REAL *b, int units)
{
    double sum = 0;
    for (int u = 0; u < units; u++) {
        REAL apart = b[u] - a[u];
        sum += apart < 0 ? -apart : apart;
    }
    return sum;
}

/* One hinge: its signed weight, its loss and its state. */
__device__ inline void note(double hinge, double sense, double weight, REAL *weights, double *loss, Byte *state)
{
    bool active = hinge > 0;
    *weights = active ? (REAL)(sense * weight) : (REAL)0;
    *loss = active ? weight * hinge : 0;
    *state = active ? ACTIVE : INACTIVE;
}

/* Every view 2 against every view 1: (moment, pair). */
KERNEL compare_all(const REAL *view1, const REAL *view2, const Long *index, REAL *weight, double *loss, Byte *state,
                   int pairs, int units, double margin_positive, double margin_negative, Index count)
{
    EACH(q) {
        Index row = q / pairs, i = q % pairs;
        double apart = distance(view1 + i * units, view2 + row * units, units);
        bool own = index[row] == (Long)i;
        double sense = own ? 1 : -1, margin = own ? margin_positive : margin_negative;
        note(sense * (apart - margin), sense, 1, weight + q, loss + q, state + q);
    }
}

/* out[row] = keep x out[row] + sum_j weight[row x s0 + j x s1] sign(mine[row] - other[j]). */
KERNEL pull(const REAL *mine, const REAL *other, const REAL *weight, REAL *out, int others, int units, int s0, int s1, int keep,
            Index count)
{
    EACH(i) {
        Index row = i / units, u = i % units;
        double sum = 0;
        for (Index j = 0; j < (Index)others; j++) {
            REAL w = weight[row * s0 + j * s1];
            if (w != 0) sum += w * sign(mine[i] - other[j * units + u]);
        }
        out[i] = (keep ? out[i] : (REAL)0) + (REAL)sum;
    }
}

/* Every view 2 against the memory of so many lags: (moment, lag). */
KERNEL compare_lags(const REAL *trace, const Long *cursor, const REAL *view2, const Long *index, REAL *weight, double *loss,
                    Byte *state, int capacity, int pairs, int lags, int units, double negative_weight, double margin_positive,
                    double margin_negative, Index count)
{
    EACH(q) {
        Index row = q / lags, lag = q % lags;
        Long moment = cursor[0] - pairs + index[row] - lag;
        weight[q] = 0;
        loss[q] = 0;
        state[q] = NONE;
        if (moment < 0) continue;
        double apart = distance(trace + moment % capacity * units, view2 + row * units, units);
        double sense = lag ? -1 : 1, margin = lag ? margin_negative : margin_positive;
        note(sense * (apart - margin), sense, lag ? negative_weight : 1, weight + q, loss + q, state + q);
    }
}

/* The error of view 2. */
KERNEL pull_lags(const REAL *trace, const Long *cursor, const REAL *view2, const Long *index, const REAL *weight, REAL *error,
                 int capacity, int pairs, int lags, int units, Index count)
{
    EACH(i) {
        Index row = i / units, u = i % units;
        double sum = 0;
        for (int lag = 0; lag < lags; lag++) {
            REAL w = weight[row * lags + lag];
            Long moment = cursor[0] - pairs + index[row] - lag;
            if (w != 0) sum += w * sign(view2[i] - trace[moment % capacity * units + u]);
        }
        error[i] = (REAL)sum;
    }
}

/* The error of view 1, of the moments of this batch. */
KERNEL push_lags(const REAL *trace, const Long *cursor, const REAL *view2, const Long *index, const REAL *weight, REAL *error,
                 int capacity, int pairs, int moments, int lags, int units, Index count)
{
    EACH(i) {
        Index u = i % units;
        Long own = i / units, moment = cursor[0] - pairs + own;
        double sum = 0;
        for (Index row = 0; row < (Index)moments; row++) {
            Long lag = index[row] - own;
            if (lag < 0 || lag >= lags || moment < 0) continue;
            REAL w = weight[row * lags + lag];
            if (w != 0) sum += w * sign(view2[row * units + u] - trace[moment % capacity * units + u]);
        }
        error[i] -= (REAL)sum;
    }
}

/* Distances of all activities from one another: (2 x pairs, 2 x pairs). */
KERNEL distances(const REAL *z, double *apart, int all, int units, Index count)
{
    EACH(q) apart[q] = distance(z + q / all * units, z + q % all * units, units);
}

/* How many negatives of every row are active. Rows and columns of the distances are alike. */
KERNEL count_active(const double *apart, Long *active, double margin, Index count)
{
    EACH(i) {
        Index partner = (i + count / 2) % count;
        Long found = 0;
        for (Index j = 0; j < count; j++) found += j != i && j != partner && apart[j * count + i] < margin;
        active[i] = found;
    }
}

KERNEL weigh_mean(const double *apart, const Long *active, REAL *weight, double *loss, Byte *state, int all,
                  double margin_positive, double margin_negative, Index count)
{
    EACH(q) {
        Index i = q / all, j = q % all;
        bool own = j == (i + all / 2) % all;
        double sense = own ? 1 : -1, margin = own ? margin_positive : margin_negative;
        double share = own || active[i] < 1 ? 1 : (double)active[i];
        note(sense * (apart[q] - margin), sense, 1 / (all * share), weight + q, loss + q, state + q);
        if (i == j) {
            weight[q] = 0;
            loss[q] = 0;
            state[q] = NONE;
        }
    }
}

KERNEL positive(const REAL *view1, const REAL *view2, REAL *error1, REAL *error2, double weight, Index count)
{
    EACH(i) {
        error2[i] = (REAL)weight * sign(view2[i] - view1[i]);
        error1[i] = -error2[i];
    }
}

KERNEL compare_own(const REAL *view1, const REAL *view2, double *loss, Byte *state, int units, double weight, Index count)
{
    EACH(i) {
        REAL unused;
        note(distance(view1 + i * units, view2 + i * units, units), 1, weight, &unused, loss + i, state + i);
    }
}

/* ---- references that normalise ---- */

KERNEL count_all(double *value, double active, double comparisons, Index count)
{
    EACH(i) {
        value[1] += active;
        value[2] += comparisons;
    }
}

KERNEL normalise(const REAL *z, REAL *unit, REAL *length, int units, Index count)
{
    EACH(i) {
        double sum = 0;
        for (int u = 0; u < units; u++) sum += (double)z[i * units + u] * z[i * units + u];
        length[i] = (REAL)sqrt(sum);
        for (int u = 0; u < units; u++) unit[i * units + u] = z[i * units + u] / length[i];
    }
}

/* The largest cosine of every row, over tau, the sum of exponentials beside it, and the row's loss. */
KERNEL softmax_rows(const REAL *cosine, double *top, double *total, double *loss, double temperature, double scale, Index count)
{
    EACH(i) {
        Index partner = (i + count / 2) % count;
        double best = -1e300, sum = 0;
        for (Index j = 0; j < count; j++)
            if (j != i && cosine[j * count + i] > best) best = cosine[j * count + i];
        best /= temperature;
        for (Index j = 0; j < count; j++)
            if (j != i) sum += exp((REAL)(cosine[j * count + i] / temperature - best));
        top[i] = best;
        total[i] = sum;
        loss[i] = scale / count * (log(sum) + best - cosine[partner * count + i] / temperature);
    }
}

/* How every activity draws every other: symmetric, (2 x pairs, 2 x pairs). */
KERNEL slopes(const REAL *cosine, const double *top, const double *total, REAL *slope, int all, double temperature, double scale,
              Index count)
{
    EACH(q) {
        Index i = q / all, j = q % all;
        double s = cosine[q] / temperature, both = 0;
        if (i != j) both = exp((REAL)(s - top[i])) / total[i] + exp((REAL)(s - top[j])) / total[j];
        if (j == (i + all / 2) % all) both -= 2;
        slope[q] = (REAL)(scale / all / temperature * both);
    }
}

KERNEL across_unit(const REAL *toward, const REAL *unit, const REAL *length, REAL *error, int units, Index count)
{
    EACH(i) {
        double along = 0;
        for (int u = 0; u < units; u++) along += (double)toward[i * units + u] * unit[i * units + u];
        for (int u = 0; u < units; u++)
            error[i * units + u] = (toward[i * units + u] - unit[i * units + u] * (REAL)along) / length[i];
    }
}

/* Every unit's activity less its mean over the batch, over its spread. */
KERNEL standardise(const REAL *z, REAL *normal, REAL *spread, int pairs, double epsilon, Index count)
{
    EACH(u) {
        double mean = 0, power = 0;
        for (Index n = 0; n < (Index)pairs; n++) mean += z[n * count + u];
        mean /= pairs;
        for (Index n = 0; n < (Index)pairs; n++) power += (z[n * count + u] - mean) * (z[n * count + u] - mean);
        double wide = sqrt(power / pairs + epsilon);
        spread[u] = (REAL)wide;
        for (Index n = 0; n < (Index)pairs; n++) normal[n * count + u] = (REAL)((z[n * count + u] - mean) / wide);
    }
}

/* Correlations (unit of view 1, unit of view 2) become slopes in place. */
KERNEL miss_identity(REAL *correlation, double *loss, int units, int pairs, double off_diagonal, double scale, Index count)
{
    EACH(q) {
        bool own = q / units == q % units;
        double weight = own ? 1 : off_diagonal, miss = (double)correlation[q] / pairs - own;
        loss[q] = scale * weight * miss * miss;
        correlation[q] = (REAL)(2 * scale * weight * miss / pairs);
    }
}

KERNEL across_batch(const REAL *toward, const REAL *normal, const REAL *spread, REAL *error, int pairs, Index count)
{
    EACH(u) {
        double mean = 0, along = 0;
        for (Index n = 0; n < (Index)pairs; n++) {
            mean += toward[n * count + u];
            along += (double)toward[n * count + u] * normal[n * count + u];
        }
        mean /= pairs;
        along /= pairs;
        for (Index n = 0; n < (Index)pairs; n++)
            error[n * count + u] = (REAL)((toward[n * count + u] - mean - normal[n * count + u] * along) / spread[u]);
    }
}

/* ---- patches ---- */

/* Comparison m of a list (row k of the anchor; picture, row, column), (grid - k - 2) x many rows for each k. */
struct Shift { Index k, picture, row, column, rows; };

__device__ inline Shift shift_of(Index m, int pictures, int grid, int many)
{
    Shift s;
    for (s.k = 0;; s.k++) {
        s.rows = (grid - s.k - 2) * many;
        Index size = pictures * s.rows * grid;
        if (m < size) break;
        m -= size;
    }
    s.column = m % grid; m /= grid;
    s.row = m % s.rows;
    s.picture = m / s.rows;
    return s;
}

__device__ inline Index number_of_shift(Index k, Index picture, Index row, Index column, int pictures, int grid, int many)
{
    Index before = 0;
    for (Index j = 0; j < k; j++) before += pictures * (grid - j - 2) * many * grid;
    return before + (picture * ((grid - k - 2) * many) + row) * grid + column;
}

/* Comparison q: `right` of them with a patch ahead, then those with a random one. */
__device__ inline Shift comparison(Index q, int right, const Long *negative, int pictures, int grid, int negatives, Index *other)
{
    bool ahead = q < (Index)right;
    Shift s = shift_of(ahead ? q : q - right, pictures, grid, ahead ? 1 : negatives);
    *other = ahead ? (s.picture * grid + s.k + 2 + s.row) * grid + s.column : (Index)negative[q - right];
    return s;
}

KERNEL compare_gaze(const REAL *view, const Long *negative, REAL *weight, double *loss, Byte *state, int right, int pictures,
                    int grid, int negatives, int units, double margin_positive, double margin_negative, Index count)
{
    EACH(q) {
        Index other;
        Shift s = comparison(q, right, negative, pictures, grid, negatives, &other);
        Index anchor = (s.picture * grid + s.k) * grid + s.column;
        double apart = distance(view + anchor * units, view + other * units, units);
        double sense = q < (Index)right ? 1 : -1, margin = q < (Index)right ? margin_positive : margin_negative;
        note(sense * (apart - margin), sense, 1, weight + q, loss + q, state + q);
    }
}

/* The place of every random patch when they are ordered by patch, then by comparison. */
KERNEL rank(const Long *negative, Long *order, Index count)
{
    EACH(m) {
        Index before = 0;
        for (Index other = 0; other < count; other++)
            before += negative[other] < negative[m] || (negative[other] == negative[m] && other < m);
        order[before] = m;
    }
}

/* Where in that order each patch begins, and where the last one ends. */
KERNEL starts(const Long *negative, const Long *order, Long *start, int size, Index count)
{
    EACH(p) {
        Index low = 0, high = size;
        while (low < high) {
            Index middle = (low + high) / 2;
            if (negative[order[middle]] < (Long)p) low = middle + 1; else high = middle;
        }
        start[p] = low;
    }
}

/* The error of a patch: as what is compared with an anchor, and as an anchor. */
KERNEL gather_gaze(const REAL *view, const Long *negative, const Long *order, const Long *start, const REAL *weight, REAL *error,
                   int right, int pictures, int grid, int negatives, int units, Index count)
{
    EACH(i) {
        Index u = i % units, p = i / units, column = p % grid, row = p / grid % grid, picture = p / grid / grid;
        double sum = 0;
        for (Index k = 0; k + 2 <= row; k++) {
            REAL w = weight[number_of_shift(k, picture, row - k - 2, column, pictures, grid, 1)];
            sum += w * sign(view[i] - view[((picture * grid + k) * grid + column) * units + u]);
        }
        for (Long at = start[p]; at < start[p + 1]; at++) {
            Shift s = shift_of((Index)order[at], pictures, grid, negatives);
            sum += weight[right + order[at]] * sign(view[i] - view[((s.picture * grid + s.k) * grid + s.column) * units + u]);
        }
        for (Index ahead = row + 2; ahead < (Index)grid; ahead++) {
            REAL w = weight[number_of_shift(row, picture, ahead - row - 2, column, pictures, grid, 1)];
            sum -= w * sign(view[((picture * grid + ahead) * grid + column) * units + u] - view[i]);
        }
        for (Index j = 0; row + 2 < (Index)grid && j < (grid - row - 2) * negatives; j++) {
            Index m = number_of_shift(row, picture, j, column, pictures, grid, negatives);
            sum -= weight[right + m] * sign(view[negative[m] * units + u] - view[i]);
        }
        error[i] = (REAL)sum;
    }
}

/* size: places x units of a patch. */
KERNEL compare_clapp(const REAL *view, const REAL *prediction, const Long *negative, REAL *weight, double *loss, Byte *state,
                     int right, int pictures, int grid, int negatives, int size, Index count)
{
    EACH(q) {
        Index other;
        Shift s = comparison(q, right, negative, pictures, grid, negatives, &other);
        const REAL *expected = prediction + ((s.k * pictures + s.picture) * grid + s.column) * size;
        double score = 0, sense = q < (Index)right ? -1 : 1;
        for (int e = 0; e < size; e++) score += (double)view[other * size + e] * expected[e];
        note(1 + sense * score, sense, 1.0 / ((double)pictures * grid * s.rows), weight + q, loss + q, state + q);
    }
}

/* The error of all patches that are compared with a prediction. */
KERNEL gather_clapp(const REAL *prediction, const Long *order, const Long *start, const REAL *weight, REAL *error, int right,
                    int pictures, int grid, int negatives, int size, Index count)
{
    EACH(i) {
        Index e = i % size, p = i / size, column = p % grid, row = p / grid % grid, picture = p / grid / grid;
        double sum = 0;
        for (Index k = 0; k + 2 <= row; k++) {
            REAL w = weight[number_of_shift(k, picture, row - k - 2, column, pictures, grid, 1)];
            sum += (double)w * prediction[((k * pictures + picture) * grid + column) * size + e];
        }
        for (Long at = start[p]; at < start[p + 1]; at++) {
            Shift s = shift_of((Index)order[at], pictures, grid, negatives);
            sum += (double)weight[right + order[at]] * prediction[((s.k * pictures + s.picture) * grid + s.column) * size + e];
        }
        error[i] = (REAL)sum;
    }
}

/* The derivative by the predictions, (row of the anchor, picture, column, element). */
KERNEL factor_clapp(const REAL *view, const Long *negative, const REAL *weight, REAL *factor, int right, int pictures, int grid,
                    int negatives, int size, Index count)
{
    EACH(i) {
        Index e = i % size, rest = i / size, column = rest % grid, picture = rest / grid % pictures, k = rest / grid / pictures;
        double sum = 0;
        for (Index row = 0; row < grid - k - 2; row++) {
            REAL w = weight[number_of_shift(k, picture, row, column, pictures, grid, 1)];
            sum += (double)w * view[((picture * grid + k + 2 + row) * grid + column) * size + e];
        }
        for (Index row = 0; row < (grid - k - 2) * negatives; row++) {
            Index m = number_of_shift(k, picture, row, column, pictures, grid, negatives);
            sum += (double)weight[right + m] * view[negative[m] * size + e];
        }
        factor[i] = (REAL)sum;
    }
}

/* The anchors of a view in the order of the predictions: (row of the anchor, picture, column, element). */
KERNEL take_anchors(const REAL *view, REAL *anchors, int pictures, int grid, int size, Index count)
{
    EACH(i) {
        Index e = i % size, rest = i / size, column = rest % grid, picture = rest / grid % pictures, k = rest / grid / pictures;
        anchors[i] = view[((picture * grid + k) * grid + column) * size + e];
    }
}

/* And back, added to what is there. */
KERNEL add_anchors(const REAL *anchors, REAL *error, int pictures, int grid, int size, Index count)
{
    EACH(i) {
        Index e = i % size, rest = i / size, column = rest % grid, picture = rest / grid % pictures, k = rest / grid / pictures;
        error[((picture * grid + k) * grid + column) * size + e] += anchors[i];
    }
}

/* ---- deformations ---- */

/* One channel between four pixels; outside there is 0. */
__device__ inline REAL between(const void *image, int kind, Index first, int rows, int columns, int channels, double x, double y)
{
    int left = (int)floor(x), top = (int)floor(y);
    double total = 0;
    for (int corner = 0; corner < 4; corner++) {
        int r = top + corner / 2, c = left + corner % 2;
        if (r < 0 || r >= rows || c < 0 || c >= columns) continue;
        double share = (corner / 2 ? y - top : top + 1 - y) * (corner % 2 ? x - left : left + 1 - x);
        total += share * pixel(image, kind, first + (r * columns + c) * channels);
    }
    return (REAL)total;
}

/* Saturation and hue of one pixel (Smith 1978), without branches: see neurosim/kernels/deformation.py, recolour. */
__device__ inline void recolour(REAL *colour, double saturation, double hue)
{
    REAL r = colour[0], g = colour[1], b = colour[2];
    REAL value = r > g ? r : g, least = r < g ? r : g;
    value = value > b ? value : b;
    least = least < b ? least : b;
    REAL chroma = value - least, turn = (g - least) + (b - least) + (value - r);
    turn = chroma > 0 ? turn / chroma : (REAL)0;
    if (g < b) turn = -turn;
    turn = turn * (REAL)(1.0 / 6) + (REAL)hue;
    turn = (turn - (REAL)floor(turn)) * 6;
    chroma *= saturation > 0 ? (REAL)saturation : (REAL)0;
    if (chroma > value) chroma = value;
    for (int channel = 0; channel < 3; channel++) {
        REAL apart = turn - (REAL)(channel == 0 ? 3 : channel == 1 ? 2 : 4);
        apart = apart < 0 ? -apart : apart;
        colour[channel] = value - chroma * within(channel ? apart - 1 : 2 - apart, 0, 1);
    }
}

/* One pixel of a view, all its channels; colours as they are where `coloured` is 0. */
KERNEL deform(const void *image, const double *theta, const double *saturation, const double *hue, const Byte *flip, REAL *out,
              int kind, int rows, int columns, int channels, int border, int coloured, Index count)
{
    EACH(q) {
        Place p = place_of(q, rows, columns, 0);
        Index column = flip[p.sample] ? columns - 1 - p.column : p.column;
        const double *t = theta + 6 * p.sample;
        double x = columns > 1 ? 2.0 * column / (columns - 1) - 1 : 0, y = rows > 1 ? 2.0 * p.row / (rows - 1) - 1 : 0;
        double u = (t[0] * x + t[1] * y + t[2] + 1) / 2 * (columns - 1), v = (t[3] * x + t[4] * y + t[5] + 1) / 2 * (rows - 1);
        int edge = border ? 0 : 1;   /* one pixel further out every weight is 0 */
        u = u < -edge ? -edge : u > columns - 1 + edge ? columns - 1 + edge : u;
        v = v < -edge ? -edge : v > rows - 1 + edge ? rows - 1 + edge : v;
        Index first = p.sample * rows * columns * channels;
        for (int k = 0; k < channels; k++) out[q * channels + k] = between(image, kind, first + k, rows, columns, channels, u, v);
        if (coloured && channels == 3) recolour(out + q * 3, saturation[p.sample], hue[p.sample]);
    }
}

__device__ inline REAL light(const REAL *colour, int channels)
{
    if (channels == 3) return (REAL)0.2989 * colour[0] + (REAL)0.587 * colour[1] + (REAL)0.114 * colour[2];
    REAL sum = 0;
    for (int k = 0; k < channels; k++) sum += colour[k];
    return sum / channels;
}

/* The sum of the grey of every line: (sample, row). */
KERNEL lines(const REAL *view, double *sums, int columns, int channels, Index count)
{
    EACH(i) {
        double sum = 0;
        for (int c = 0; c < columns; c++) sum += light(view + (i * columns + c) * channels, channels);
        sums[i] = sum;
    }
}

/* The change number `turn` of every view; which one it is, each view says itself. */
KERNEL jitter(REAL *view, const double *sums, const double *brightness, const double *contrast, const double *saturation,
              const double *hue, const Long *order, int turn, int rows, int columns, int channels, Index count)
{
    EACH(q) {
        Index n = q / columns / rows;
        REAL *colour = view + q * channels;
        Long change = order[4 * n + turn];
        if (change > 1 && channels != 3) continue;
        double factor = change == 0 ? brightness[n] : change == 1 ? contrast[n] : saturation[n], other = 0;
        if (change == 1) {
            for (int r = 0; r < rows; r++) other += sums[n * rows + r];
            other /= rows * columns;
        }
        if (change == 2) other = light(colour, channels);
        if (change == 3) recolour(colour, 1, hue[n]);
        for (int k = 0; k < channels; k++) {
            REAL mixed = change == 3 ? colour[k] : (REAL)factor * colour[k] + (REAL)((1 - factor) * other);
            colour[k] = within(mixed, 0, 1);
        }
    }
}

KERNEL take_colour(REAL *view, const Byte *grey, int size, Index count)
{
    EACH(q) {
        if (!grey[q / size]) continue;
        REAL shade = light(view + q * 3, 3);
        for (int k = 0; k < 3; k++) view[q * 3 + k] = shade;
    }
}
