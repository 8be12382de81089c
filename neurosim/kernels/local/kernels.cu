/* Untied layers: patches and maps laid out place by place, for one product a place. */

/* Patches by place, (place, sample, tap, channel) or turned (place, tap, channel, sample); the picture's row is
   height x index[r] + part. */
KERNEL columns_local(const REAL *x, const Long *index, REAL *out, int turned, int height, int samples, int rows,
                     int columns, int channels, Index count)
{
    EACH(i) {
        Index n = i % samples, k = i / samples % channels;
        Index tap = i / samples / channels % 9, place = i / samples / channels / 9;
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
KERNEL take_local(const REAL *full, REAL *out, int turned, int samples, int rows, int columns, int channels, int pooled,
                  Index count)
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

/* (place, sample, channel) back to potentials. */
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
