/* Competition; reference.py beside this file says what each kernel computes. */

enum { WINNER, OJA, SOFTHEBB, DIRECTION };

/* One place: k times the largest score that has not won yet, of equal ones the first. */
KERNEL compete(const REAL *potential, const REAL *threshold, REAL *activity, Byte *won, int units, int kind, int winners,
               Index count)
{
    EACH(i) {
        const REAL *u = potential + i * units;
        REAL *y = activity + i * units, top = 0, all = 0;
        Byte *w = won + i * units;
        for (int o = 0; o < units; o++) w[o] = 0;
        for (int k = 0; k < winners; k++) {
            int best = -1;
            for (int o = 0; o < units; o++)
                if (!w[o] && (best < 0 || u[o] - threshold[o] > u[best] - threshold[best])) best = o;
            if (!k) top = u[best] - threshold[best];
            w[best] = 1;
        }
        if (kind == SOFTHEBB)
            for (int o = 0; o < units; o++) all += (REAL)exp(u[o] - threshold[o] - top);
        for (int o = 0; o < units; o++) {
            if (kind == SOFTHEBB) {
                REAL p = (REAL)exp(u[o] - threshold[o] - top) / all;
                y[o] = w[o] ? p : -p;
                continue;
            }
            w[o] = w[o] && u[o] > 0;
            y[o] = !w[o] ? (REAL)0 : kind == OJA ? u[o] : (REAL)1;
        }
    }
}

/* One channel: its sums over all places, in their order. */
KERNEL tally_wins(const REAL *potential, const REAL *activity, const Byte *won, REAL *active, REAL *wins, int places, int units,
                  int kind, Index count)
{
    EACH(o) {
        double a = 0, n = 0;
        for (Index p = 0; p < (Index)places; p++) {
            Index i = p * units + o;
            a += activity[i] * (kind == WINNER ? (REAL)1 : kind == OJA ? activity[i] : potential[i]);
            n += won[i];
        }
        active[o] += (REAL)a;
        wins[o] += (REAL)n;
    }
}

KERNEL to_synapses(const REAL *active, REAL *at_synapses, double strength, int units, Index count)
{
    EACH(i) at_synapses[i] = (REAL)strength * active[i % units];
}

KERNEL adapt(const REAL *wins, REAL *threshold, double fair, double homeostasis, Index count)
{
    EACH(i) threshold[i] += (REAL)(homeostasis * fair) * wins[i] - (REAL)homeostasis;
}

KERNEL count_silent(const REAL *wins, double *silent, int units, Index count)
{
    EACH(i) {
        int none = 0;
        for (int o = 0; o < units; o++) none += wins[o] == 0;
        silent[i] = (double)none / units;
    }
}
