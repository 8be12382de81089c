/* What the package's kernels share: copies, types, sums of figures. */

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

KERNEL add(const REAL *product, REAL *change, Index count)
{
    EACH(i) change[i] += product[i];
}

KERNEL advance(Long *cursor, int by, Index count)
{
    EACH(i) cursor[i] += by;
}

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

KERNEL count_all(double *value, double active, double comparisons, Index count)
{
    EACH(i) {
        value[1] += active;
        value[2] += comparisons;
    }
}
