/* Biases; reference.py beside this file says what each computes. */

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
