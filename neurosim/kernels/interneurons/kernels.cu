/* Interneurons; reference.py beside this file says what each kernel computes. */

KERNEL sum_field(const REAL *x, REAL *total, int rows, int columns, int channels, int pooled, int side, double scale, Index count)
{
    EACH(i) {
        Place p = place_of(i, rows, columns, pooled);
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

KERNEL inhibit_place(const REAL *pre, const REAL *weight, REAL *potential, int inhibiting, int units, Index count)
{
    EACH(i) {
        Index place = i / units, d = i % units;
        REAL sum = 0;
        for (int k = 0; k < inhibiting; k++) sum += weight[k * units + d] * pre[place * inhibiting + k];
        potential[i] -= sum;
    }
}

KERNEL hebbian_place(const REAL *pre, const REAL *post, REAL *change, int inhibiting, int units, int places, Index count)
{
    EACH(i) {
        Index k = i / units, d = i % units;
        double sum = 0;
        for (Index p = 0; p < (Index)places; p++) sum += pre[p * inhibiting + k] * post[p * units + d];
        change[i] += (REAL)sum;
    }
}
