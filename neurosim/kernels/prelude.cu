/* What all CUDA texts of the package have before them; each text is compiled with it alone.

   One element of a result is made by one thread, from arrays that the same launch does not change, by sums in a fixed
   order: no atomics and no shared memory, so results are the same at every run, for any grid and in any order of the threads.
   Nothing is included, and the file is plain C++ where __global__ and the four indices are given: the tests run it so.
   REAL is float or double; longer sums are kept in double. Activities are (sample, row, column, channel); where a
   layer is pooled its potentials are (sample, window, row, column, channel), window = 2 x row + column in the 2 x 2. */

typedef unsigned int Index;
typedef unsigned char Byte;
typedef long long Long;

#ifndef REAL
#define REAL float
#endif
#define KERNEL extern "C" __global__ void
#define EACH(i) for (Index i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)

enum { HARDTANH, TANH, LINEAR, RECTIFIED, SATURATING };
enum { BYTES, SINGLES, DOUBLES };          // of what an image is made
enum { NONE, INACTIVE, ACTIVE };           // the state of a comparison
#define CLOSED 4                           // a winner where hardtanh is saturated

__device__ inline REAL sign(REAL x) { return (REAL)((x > 0) - (x < 0)); }
__device__ inline REAL within(REAL x, REAL low, REAL high) { return x < low ? low : x > high ? high : x; }

/* ---- places ---- */

struct Place { Index sample, row, column; };

/* Where in the picture the potential number m lies (channels left out). */
__device__ inline Place place_of(Index m, int rows, int columns, int pooled)
{
    Place p;
    if (!pooled) {
        p.column = m % columns; m /= columns;
        p.row = m % rows;
        p.sample = m / rows;
        return p;
    }
    Index across = columns / 2, down = rows / 2;
    p.column = 2 * (m % across); m /= across;
    p.row = 2 * (m % down); m /= down;
    p.row += m % 4 / 2;
    p.column += m % 2;
    p.sample = m / 4;
    return p;
}

/* The number of the potential at a place of the picture. */
__device__ inline Index number_of(Index sample, Index row, Index column, int rows, int columns, int pooled)
{
    if (!pooled) return (sample * rows + row) * columns + column;
    Index window = 2 * (row % 2) + column % 2;
    return ((sample * 4 + window) * (rows / 2) + row / 2) * (columns / 2) + column / 2;
}

/* ---- shared by several topics ---- */

__device__ inline double pixel(const void *image, int kind, Index i)
{
    if (kind == BYTES) return ((const Byte *)image)[i] / 255.0;
    return kind == SINGLES ? (double)((const float *)image)[i] : ((const double *)image)[i];
}

__device__ inline REAL respond(REAL u, int phi)
{
    if (phi == SATURATING) return within(u, 0, 1);
    return phi == HARDTANH ? within(u, -1, 1) : phi == TANH ? (REAL)tanh(u) : phi == RECTIFIED && u < 0 ? (REAL)0 : u;
}

__device__ inline REAL slope(REAL x, int phi)
{
    if (phi == SATURATING) return (REAL)(x > 0 && x < 1);
    return phi == HARDTANH ? (REAL)(x > -1 && x < 1) : phi == TANH ? 1 - x * x : phi == RECTIFIED ? (REAL)(x > 0) : (REAL)1;
}

__device__ inline void change_weight(REAL *weight, REAL direction, const double *rate, double decay)
{
    *weight = *weight * (REAL)(1 - rate[0] * decay) - (REAL)rate[0] * direction;
}

__device__ inline double distance(const REAL *a, const REAL *b, int units)
{
    double sum = 0;
    for (int u = 0; u < units; u++) {
        REAL apart = b[u] - a[u];
        sum += apart < 0 ? -apart : apart;
    }
    return sum;
}

/* One hinge: its signed weight, its loss and its state. */
__device__ inline void note(double hinge, double sense, double weight, REAL *weights, double *loss, Byte *state)
{
    bool active = hinge > 0;
    *weights = active ? (REAL)(sense * weight) : (REAL)0;
    *loss = active ? weight * hinge : 0;
    *state = active ? ACTIVE : INACTIVE;
}

