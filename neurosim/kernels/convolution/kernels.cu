/* Convolutions: patches laid out for products, and what products sent gathered. */

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
