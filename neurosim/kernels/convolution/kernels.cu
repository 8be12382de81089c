/* Convolutions: patches laid out for products, and what products sent gathered. */

/* The patch of side x side around every place: (place, tap, channel), 0 outside the picture. */
KERNEL columns(const REAL *x, REAL *out, int rows, int columns, int channels, int pooled, int side, Index count)
{
    EACH(i) {
        Index k = i % channels, tap = i / channels % (side * side);
        Place p = place_of(i / channels / (side * side), rows, columns, pooled);
        int before = (side - 1) / 2;
        int r = (int)(p.row + tap / side) - before, c = (int)(p.column + tap % side) - before;
        bool inside = r >= 0 && r < rows && c >= 0 && c < columns;
        out[i] = inside ? x[((p.sample * rows + r) * columns + c) * channels + k] : (REAL)0;
    }
}

/* What every place sent to the places of its field, added up where it arrives. */
KERNEL gather_columns(const REAL *sent, REAL *error, int rows, int columns, int channels, int pooled, int side,
                      Index count)
{
    EACH(i) {
        Index k = i % channels;
        Place p = place_of(i / channels, rows, columns, 0);
        REAL sum = 0;
        int taps = side * side, before = (side - 1) / 2;
        for (int tap = 0; tap < taps; tap++) {
            int r = (int)p.row - tap / side + before, c = (int)p.column - tap % side + before;
            if (r >= 0 && r < rows && c >= 0 && c < columns)
                sum += sent[(number_of(p.sample, r, c, rows, columns, pooled) * taps + tap) * channels + k];
        }
        error[i] = sum;
    }
}
