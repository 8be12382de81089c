/* Views: pictures shown as they are, or deformed; reference.py beside this file says what each computes. */

KERNEL present(const void *image, REAL *activity, int kind, double gain, double offset, Index count)
{
    EACH(i) activity[i] = (REAL)(gain * pixel(image, kind, i) + offset);
}

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

/* Saturation and hue of one pixel (Smith 1978), without branches: see colour.py, recolour. */
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
KERNEL sum_lines(const REAL *view, double *sums, int columns, int channels, Index count)
{
    EACH(i) {
        double sum = 0;
        for (int c = 0; c < columns; c++) sum += light(view + (i * columns + c) * channels, channels);
        sums[i] = sum;
    }
}

/* The change number `turn` of every view; which one it is, the view's own order says. */
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

KERNEL remove_colour(REAL *view, const Byte *grey, int size, Index count)
{
    EACH(q) {
        if (!grey[q / size]) continue;
        REAL shade = light(view + q * 3, 3);
        for (int k = 0; k < 3; k++) view[q * 3 + k] = shade;
    }
}
