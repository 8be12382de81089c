/* Inverse paths: a transposed convolution of stride 2. */

/* What the places (row, column) of the small map sent, added up in the large one. */
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

/* (first, second, inner), added to (second, first, inner). */
KERNEL add_swapped(const REAL *in, REAL *out, int first, int second, int inner, Index count)
{
    EACH(i) {
        Index e = i % inner, f = i / inner % first, s = i / inner / first;
        out[i] += in[(f * second + s) * inner + e];
    }
}
