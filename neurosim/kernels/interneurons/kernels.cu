/* Interneurons; reference.py beside this file says what each kernel computes. */

KERNEL sum_field(const REAL *x, REAL *total, int rows, int columns, int channels, int side, double scale, Index count)
{
    EACH(i) {
        Place p = place_of(i, rows, columns, 0);
        double sum = 0;
        int before = (side - 1) / 2;
        for (int tap = 0; tap < side * side; tap++) {
            int r = (int)p.row + tap / side - before, c = (int)p.column + tap % side - before;
            if (r < 0 || r >= rows || c < 0 || c >= columns) continue;
            for (int k = 0; k < channels; k++) sum += x[((p.sample * rows + r) * columns + c) * channels + k];
        }
        total[i] = (REAL)(scale * sum);
    }
}

KERNEL inhibit_place(const REAL *pre, const REAL *weight, REAL *potential, int rows, int columns, int inhibiting, int units,
                     int pooled, Index count)
{
    EACH(i) {
        Place p = place_of(i / units, rows, columns, pooled);
        const REAL *m = pre + ((p.sample * rows + p.row) * columns + p.column) * inhibiting;
        REAL sum = 0;
        for (int k = 0; k < inhibiting; k++) sum += weight[k * units + i % units] * m[k];
        potential[i] -= sum;
    }
}
