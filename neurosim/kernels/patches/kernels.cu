/* Comparisons of patches of one picture, and the order in which their errors are gathered. */

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
