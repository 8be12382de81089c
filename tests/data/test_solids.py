"""Where rays hit the solids, against definitions written another way and closed forms."""

import numpy as np
import pytest

from neurosim.data.toys import scenes, solids


def rays(kind, objects=6, count=400, seed=0):
    """Random eyes round a solid and rays towards it; form, origin (3, object, 1), direction (3, object, ray)."""
    rng = np.random.default_rng(seed)
    low, high = scenes.FORMS.get(kind, (0, 0))
    form = rng.uniform(low, high, objects).astype(np.float32)
    origin = rng.normal(size=(3, objects, 1))
    origin *= 5 / np.linalg.norm(origin, axis=0)
    direction = rng.uniform(-1.2, 1.2, (3, objects, count)) - origin
    return form, origin.astype(np.float32), direction.astype(np.float32)


def outside(kind, point, form):
    """How far a point is outside a solid by definition, at most 0 inside; written apart from the ray casting."""
    x, y, z = point
    if kind == "sphere":
        return np.sqrt(x * x + y * y + z * z) - 1
    if kind == "cylinder":
        return np.maximum(np.hypot(x, y) - 1, np.abs(z) - 1)
    if kind == "cone":
        return np.maximum(np.hypot(x, y) - (1 - z) / 2, np.abs(z) - 1)
    if kind == "torus":
        return np.hypot(np.hypot(x, y) - 1, z) - form[:, None]
    if kind == "cross":
        sizes = np.sort(np.abs(point), axis=0)
        return np.maximum(sizes[2] - 1, sizes[1] - form[:, None])
    if kind == "octahedron":
        return np.abs(point).sum(axis=0) - 1
    if kind == "cube":
        return np.abs(point).max(axis=0) - 1
    if kind == "pyramid":
        return np.maximum(np.maximum(np.abs(x), np.abs(y)) - (1 - z) / 2, -1 - z)
    if kind == "prism":
        walls = [np.cos(turn) * x + np.sin(turn) * y - 0.5 for turn in np.deg2rad([30, 150, 270])]
        return np.maximum(np.max(walls, axis=0), np.abs(z) - 1)
    assert kind == "tetrahedron"
    corners = [(0, 0, 1)] + [(8**0.5 / 3 * np.cos(a), 8**0.5 / 3 * np.sin(a), -1 / 3) for a in tetrahedron_turns()]
    return np.max([-np.tensordot(corner, point, 1) - 1 / 3 for corner in corners], axis=0)


def tetrahedron_turns():
    feet = solids.outline("tetrahedron", np.zeros(1))[0]
    feet = feet[np.argsort(feet[:, 2])[:3]]
    return np.arctan2(feet[:, 1], feet[:, 0])


@pytest.mark.parametrize("kind", solids.KINDS)
def test_a_ray_stops_where_it_first_enters_the_solid(kind):
    form, origin, direction = rays(kind)
    t, normal = solids.intersect(kind, form, origin, direction)
    hit = np.isfinite(t)
    assert 0.1 < hit.mean() < 0.95
    point = origin + np.where(hit, t, 0) * direction
    gap = outside(kind, point, form)
    assert np.abs(gap[hit]).max() < 3e-3
    cosine = (normal * direction).sum(axis=0) / np.linalg.norm(normal, axis=0) / np.linalg.norm(direction, axis=0)
    assert (cosine[hit] < 0.01).all()  # the surface that is hit faces the camera
    way = np.linspace(0, 2, 401)  # twice the way to a point near the middle: past the solid
    for share in way:
        walked = outside(kind, origin + share * direction, form)
        assert (walked[~hit] > -6e-3).all()  # a ray that misses never goes in
        assert (walked[hit & (share < t - 1e-3)] > -1e-3).all()  # and none is in before it hits the surface


@pytest.mark.parametrize("kind", solids.KINDS)
def test_normals_are_the_slope_of_the_definition(kind):
    form, origin, direction = rays(kind, seed=1)
    t, normal = solids.intersect(kind, form, origin, direction)
    hit = np.isfinite(t)
    point = (origin + np.where(hit, t, 0) * direction).astype(float)
    step = 1e-4
    shifts = np.eye(3)[:, :, None, None] * step
    slope = np.stack([outside(kind, point + s, form) - outside(kind, point - s, form) for s in shifts]) / (2 * step)
    cosine = (slope * normal).sum(axis=0) / (np.linalg.norm(slope, axis=0) * np.linalg.norm(normal, axis=0) + 1e-12)
    assert np.mean(cosine[hit] > 0.999) > 0.97  # all but the points at an edge, where a definition has two slopes


def test_sphere_seen_in_perspective_is_a_disc_of_known_size():
    """A unit sphere at distance D covers the directions within arcsin(1 / D), a disc of radius 1 / sqrt(D^2 - 1)."""
    distance, grid = 4.0, np.linspace(-0.4, 0.4, 201, dtype=np.float32)
    x, y = (axis.reshape(1, -1) for axis in np.meshgrid(grid, grid))
    origin = np.array([0, 0, distance], np.float32).reshape(3, 1, 1)
    t, _ = solids.intersect("sphere", np.zeros(1, np.float32), origin, np.stack([x, y, np.full_like(x, -1)]))
    radius = np.hypot(x, y)
    truth = 1 / np.sqrt(distance**2 - 1)
    clear = np.abs(radius - truth) > 1e-4
    np.testing.assert_array_equal(np.isfinite(t)[clear], (radius < truth)[clear])


def test_axis_aligned_rays_are_no_accident():
    """Rays along a face or an axis divide by nothing."""
    origin = np.array([0.25, 0.125, 5], np.float32).reshape(3, 1, 1)
    direction = np.array([0, 0, -1], np.float32).reshape(3, 1, 1)
    for kind in solids.KINDS:
        form = np.array([scenes.FORMS.get(kind, (0, 0))[1]], np.float32)
        t, _ = solids.intersect(kind, form, origin, direction)
        assert np.isinf(t[0, 0]) if kind == "torus" else abs(outside(kind, origin + t * direction, form)[0, 0]) < 1e-3
    misses = origin + np.array([3, 0, 0], np.float32).reshape(3, 1, 1)
    assert all(
        np.isinf(solids.intersect(k, np.full(1, 0.3, np.float32), misses, direction)[0]).all() for k in solids.KINDS
    )
