"""Ten solids and where a ray hits them: the geometry of the built-in data set.

Every solid is given once, in its own coordinates, about two units across and with its axis along z. A toy's proportions
are a scale along each of the three axes: the rays are divided by it, so that only the unit solids below are ever intersected.
Arrays are components first, ``(3, object, ray)``, so that each component is contiguous.
"""

from collections.abc import Iterator
from itertools import product
from typing import TypeAlias

import numpy as np

from neurosim.core.typing import Array

KINDS = ("cube", "tetrahedron", "octahedron", "sphere", "cylinder", "cone", "torus", "prism", "pyramid", "cross")
Hit: TypeAlias = tuple[Array, Array]  # t and the outward normal, see `intersect`
_ROOT3 = 3**0.5
_AXES = np.array([sign * np.eye(3)[axis] for axis in range(3) for sign in (1, -1)])
_EIGHT = np.array(list(product((-1.0, 1.0), repeat=3)))
_FOUR = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / _ROOT3
# The tetrahedron stands on a face: its first corner, (1, 1, 1) / sqrt 3, is turned to the z axis.
_UPRIGHT = np.array([(1, -1, 0), (1, 1, -2), (1, 1, 1)]) / np.sqrt([[2], [6], [3]])
_FOOT = np.array([0, 0, -1])
_THIRDS = np.array([(np.cos(turn), np.sin(turn), 0) for turn in np.pi * np.array([1 / 2, 7 / 6, 11 / 6])])

# A convex solid is {x : normal . x <= offset for every face}. kind: (normals (face, 3), offsets (face,)).
FACES = {
    "cube": (_AXES, np.ones(6)),
    "tetrahedron": (-_FOUR @ _UPRIGHT.T, np.full(4, 1 / 3)),
    "octahedron": (_EIGHT / _ROOT3, np.full(8, 1 / _ROOT3)),
    "prism": (np.vstack([-_THIRDS, -_FOOT, _FOOT]), np.array([0.5, 0.5, 0.5, 1, 1])),
    "pyramid": (
        np.vstack([_FOOT, (_AXES[:4] * 2 - _FOOT) / 5**0.5]),
        np.array([1, *[1 / 5**0.5] * 4]),
    ),
}
_RING = 1.0  # from the torus's centre to the middle of its tube


def outline(kind: str, form: Array) -> Array:
    """Points whose hull holds the solid closely: enough to frame a picture of it.

    Args:
        kind: one of `KINDS`.
        form: ``(object,)``, the torus's tube radius or the cross's half arm width; no other solid uses it.

    Returns:
        ``(object, point, 3)`` in the solid's own coordinates.
    """
    turn = np.linspace(0, 2 * np.pi, 25)[:-1]
    circle = np.stack([np.cos(turn), np.sin(turn), np.zeros(24)], axis=1)
    up = np.array([0, 0, 1.0])
    width = form[:, None, None]
    if kind == "torus":
        return np.concatenate([circle * (_RING + width * reach) + up * width * lift for reach, lift in _tube()], axis=1)
    if kind == "cross":
        ends = [_EIGHT * (axis == 0) * width + axis for axis in _AXES]
        return np.concatenate(ends, axis=1)
    points = {
        "cube": _EIGHT,
        "tetrahedron": _FOUR @ _UPRIGHT.T,
        "octahedron": _AXES,
        "sphere": np.concatenate([np.cos(lift) * circle + np.sin(lift) * up for lift in np.linspace(-1.5, 1.5, 9)]),
        "cylinder": np.concatenate([circle + up, circle - up]),
        "cone": np.concatenate([circle - up, up[None]]),
        "prism": np.concatenate([_THIRDS + up, _THIRDS - up]),
        "pyramid": np.array([(1, 1, -1), (1, -1, -1), (-1, 1, -1), (-1, -1, -1), (0, 0, 1)]),
    }[kind]
    return np.broadcast_to(points, (len(form), *points.shape))


def _tube() -> Iterator[tuple[float, float]]:
    """Eight directions round the torus's tube: (outwards, upwards)."""
    turn = np.arange(8) * np.pi / 4
    return zip(np.cos(turn), np.sin(turn), strict=True)


def intersect(kind: str, form: Array, origin: Array, direction: Array) -> Hit:
    """The first point of each ray ``origin + t direction`` on a solid. The origin lies outside it.

    Args:
        kind: one of `KINDS`.
        form: float32 ``(object,)``, see `outline`.
        origin: float32 ``(3, object, 1)``, the camera.
        direction: float32 ``(3, object, ray)``, of any length.

    Returns:
        t, float32 ``(object, ray)``, infinite where the ray misses; the outward normal there, ``(3, object, ray)``, of
        any length, and meaningless where the ray misses.

    Raises:
        KeyError: a kind that does not exist.
    """
    if kind == "sphere":
        return _sphere(origin, direction)
    if kind == "cylinder":
        return _frustum(1.0, 0.0, origin, direction)
    if kind == "cone":
        return _frustum(0.5, -0.5, origin, direction)
    if kind == "torus":
        return _torus(form, origin, direction)
    if kind == "cross":
        return _cross(form, origin, direction)
    normals, offsets = FACES[kind]
    return _convex(normals.astype(np.float32), offsets.astype(np.float32)[:, None, None], origin, direction)


def _dot(a: Array, b: Array) -> Array:
    result: Array = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return result


def _convex(normals: Array, offsets: Array, origin: Array, direction: Array) -> Hit:
    """Half-spaces: the ray is inside from the last face it enters to the first it leaves; offsets (face, object, 1)."""
    enter = np.full(direction.shape[1:], -np.inf, np.float32)
    leave = np.full(direction.shape[1:], np.inf, np.float32)
    face = np.zeros(direction.shape[1:], np.intp)
    for index, (normal, offset) in enumerate(zip(normals, offsets, strict=True)):
        slope = _dot(normal, direction)
        # A ray along a face is inside its half-space or outside for good: a hair of slope gives +-a huge t.
        slope[np.abs(slope) < 1e-9] = 1e-9
        t = (offset - _dot(normal, origin)) / slope
        entering = slope < 0
        np.minimum(leave, t, out=leave, where=~entering)
        entering &= t > enter
        np.copyto(enter, t, where=entering)
        np.copyto(face, index, where=entering)
    t = np.where((enter < leave) & (enter > 0), enter, np.float32(np.inf))
    return t, normals.T[:, face]


def _sphere(origin: Array, direction: Array) -> Hit:
    """|origin + t direction|^2 = 1, the nearer root."""
    square, half = _dot(direction, direction), _dot(origin, direction)
    under = half * half - square * (_dot(origin, origin) - 1)
    hit = under > 0
    t = np.where(hit, (-half - np.sqrt(np.where(hit, under, 0))) / square, np.float32(np.inf))
    return t, origin + np.where(hit, t, 0) * direction


def _frustum(base: float, slope: float, origin: Array, direction: Array) -> Hit:
    """x^2 + y^2 = (base + slope z)^2 between z = -1 and z = 1, with its discs: a cylinder, or a cone."""
    (x, y, z), (dx, dy, dz) = origin, direction
    radius, narrowing = base + slope * z, slope * dz
    square = dx * dx + dy * dy - narrowing * narrowing
    square[np.abs(square) < 1e-9] = 1e-9
    half = x * dx + y * dy - radius * narrowing
    under = half * half - square * (x * x + y * y - radius * radius)
    root = np.sqrt(np.maximum(under, 0))
    best = np.full(square.shape, np.inf, np.float32)
    for t in ((-half - root) / square, (-half + root) / square):
        np.copyto(best, t, where=(under > 0) & (t > 0) & (t < best) & (np.abs(z + t * dz) <= 1))
    level = np.zeros(square.shape, np.float32)  # +-1 where a disc is hit first
    steep = np.where(np.abs(dz) < 1e-9, np.float32(1e-9), dz)
    for end in (-1, 1):
        t = (end - z) / steep
        on = (x + t * dx) ** 2 + (y + t * dy) ** 2 < (base + slope * end) ** 2
        on &= (t > 0) & (t < best)
        np.copyto(best, t, where=on)
        np.copyto(level, end, where=on)
    t, side = np.where(np.isfinite(best), best, 0), level == 0
    normal = (side * (x + t * dx), side * (y + t * dy), np.where(side, -slope * (radius + t * narrowing), level))
    return best, np.stack(normal)


def _torus(form: Array, origin: Array, direction: Array, steps: int = 80) -> Hit:
    """Sphere tracing: walk by the distance to (sqrt(x^2 + y^2) - ring)^2 + z^2 = tube^2 until it is next to nothing."""
    length = np.sqrt(_dot(direction, direction))
    unit = direction / length
    middle = -_dot(origin, unit)
    bound = (_RING + form[:, None]) ** 2 - (_dot(origin, origin) - middle * middle)
    near = np.flatnonzero(bound > 0)
    rays = unit.reshape(3, -1)[:, near]
    toy = near // direction.shape[2]
    start, tube = origin[:, toy, 0], form[toy]
    middle, reach = middle.ravel()[near], np.sqrt(bound.ravel()[near])
    walked, last = middle - reach, middle + reach
    found = np.full(bound.size, np.inf, np.float32)
    alive = np.arange(len(near))
    for _ in range(steps):
        point = start[:, alive] + walked[alive] * rays[:, alive]
        gap = np.hypot(np.hypot(point[0], point[1]) - _RING, point[2]) - tube[alive]
        done = gap < 3e-4
        # A ray that grazes the tube would take ever smaller steps: the least step is 3e-3, and a hit steps back again.
        walked[alive] += np.where(done, gap, np.maximum(gap, np.float32(3e-3)))
        found[near[alive[done]]] = walked[alive[done]]
        alive = alive[~done & (walked[alive] < last[alive])]
        if not len(alive):
            break
    t = found.reshape(bound.shape) / length
    point = origin + np.where(np.isfinite(t), t, 0) * direction
    ring = 1 - _RING / np.maximum(np.hypot(point[0], point[1]), 1e-6)
    return t, np.stack([point[0] * ring, point[1] * ring, point[2]])


def _cross(form: Array, origin: Array, direction: Array) -> Hit:
    """Three square bars of half width `form` through one another, one along each axis."""
    normals = _AXES.astype(np.float32)
    found: list[Hit] = []
    for axis in range(3):
        offsets = np.repeat(form[None, :, None], 6, axis=0)
        offsets[2 * axis : 2 * axis + 2] = 1
        found.append(_convex(normals, offsets, origin, direction))
    (best, normal), *others = found
    for t, other in others:
        nearer = t < best
        np.copyto(best, t, where=nearer)
        np.copyto(normal, other, where=nearer)
    return best, normal
