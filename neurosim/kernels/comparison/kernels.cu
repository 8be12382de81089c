/* The contrastive hinges, and what the comparisons of several losses share. */

/* Every view 2 against every view 1: (moment, pair). */
KERNEL compare_all(const REAL *view1, const REAL *view2, const Long *index, REAL *weight, double *loss, Byte *state,
                   int pairs, int units, double margin_positive, double margin_negative, Index count)
{
    EACH(q) {
        Index row = q / pairs, i = q % pairs;
        double apart = distance(view1 + i * units, view2 + row * units, units);
        bool own = index[row] == (Long)i;
        double sense = own ? 1 : -1, margin = own ? margin_positive : margin_negative;
        note(sense * (apart - margin), sense, 1, weight + q, loss + q, state + q);
    }
}

/* out[row] = keep x out[row] + sum_j weight[row x s0 + j x s1] sign(mine[row] - other[j]). */
KERNEL pull(const REAL *mine, const REAL *other, const REAL *weight, REAL *out, int others, int units, int s0, int s1, int keep,
            Index count)
{
    EACH(i) {
        Index row = i / units, u = i % units;
        double sum = 0;
        for (Index j = 0; j < (Index)others; j++) {
            REAL w = weight[row * s0 + j * s1];
            if (w != 0) sum += w * sign(mine[i] - other[j * units + u]);
        }
        out[i] = (keep ? out[i] : (REAL)0) + (REAL)sum;
    }
}

/* Every view 2 against the memory of so many lags: (moment, lag). */
KERNEL compare_lags(const REAL *trace, const Long *cursor, const REAL *view2, const Long *index, REAL *weight, double *loss,
                    Byte *state, int capacity, int pairs, int lags, int units, double negative_weight, double margin_positive,
                    double margin_negative, Index count)
{
    EACH(q) {
        Index row = q / lags, lag = q % lags;
        Long moment = cursor[0] - pairs + index[row] - lag;
        weight[q] = 0;
        loss[q] = 0;
        state[q] = NONE;
        if (moment < 0) continue;
        double apart = distance(trace + moment % capacity * units, view2 + row * units, units);
        double sense = lag ? -1 : 1, margin = lag ? margin_negative : margin_positive;
        note(sense * (apart - margin), sense, lag ? negative_weight : 1, weight + q, loss + q, state + q);
    }
}

/* The error of view 2. */
KERNEL pull_lags(const REAL *trace, const Long *cursor, const REAL *view2, const Long *index, const REAL *weight, REAL *error,
                 int capacity, int pairs, int lags, int units, Index count)
{
    EACH(i) {
        Index row = i / units, u = i % units;
        double sum = 0;
        for (int lag = 0; lag < lags; lag++) {
            REAL w = weight[row * lags + lag];
            Long moment = cursor[0] - pairs + index[row] - lag;
            if (w != 0) sum += w * sign(view2[i] - trace[moment % capacity * units + u]);
        }
        error[i] = (REAL)sum;
    }
}

/* The error of view 1, of the moments of this batch. */
KERNEL push_lags(const REAL *trace, const Long *cursor, const REAL *view2, const Long *index, const REAL *weight, REAL *error,
                 int capacity, int pairs, int moments, int lags, int units, Index count)
{
    EACH(i) {
        Index u = i % units;
        Long own = i / units, moment = cursor[0] - pairs + own;
        double sum = 0;
        for (Index row = 0; row < (Index)moments; row++) {
            Long lag = index[row] - own;
            if (lag < 0 || lag >= lags || moment < 0) continue;
            REAL w = weight[row * lags + lag];
            if (w != 0) sum += w * sign(view2[row * units + u] - trace[moment % capacity * units + u]);
        }
        error[i] -= (REAL)sum;
    }
}
