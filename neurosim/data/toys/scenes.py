"""What surrounds a toy's shape: proportions, colours, texture, pose, light and background, and the painting of them.

Camera coordinates: x to the right, y up, z towards the camera, which stands on the z axis at ``camera``; the unit of length
is half the width of a unit solid. All numbers are drawn at once, then toys are painted block by block, in any order.
"""

from typing import TypeAlias

import numpy as np

from neurosim.core.typing import Array
from neurosim.data.toys.solids import KINDS, intersect, outline

Arrays: TypeAlias = dict[str, Array]  # what is drawn of many toys or frames, by name
SIDE = 32  # pixels along each side of a picture
RAYS = 2  # rays a pixel, along each side
CLUTTER = 5  # things lying about behind a toy

# kind: the scale of x, of y and of z; the angle between the axis and the line of sight, degrees; the turn about the
# axis, degrees. The angles leave out the views in which solids look alike (a cylinder from above is a disc).
HABITS = {
    "cube": ((0.85, 1.15), (0.85, 1.15), (0.85, 1.15), (50, 68), (25, 65)),
    "tetrahedron": ((0.9, 1.1), (0.9, 1.1), (0.9, 1.1), (25, 55), (0, 360)),
    "octahedron": ((0.85, 1.15), (0.85, 1.15), (1.1, 1.5), (60, 82), (10, 80)),
    "sphere": ((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (0, 180), (0, 360)),
    "cylinder": ((0.85, 1.15), (0.85, 1.15), (1.0, 1.7), (50, 72), (0, 360)),
    "cone": ((0.85, 1.15), (0.85, 1.15), (1.0, 1.5), (65, 110), (0, 360)),
    "torus": ((0.85, 1.15), (0.85, 1.15), (0.85, 1.2), (15, 60), (0, 360)),
    "prism": ((0.85, 1.15), (0.85, 1.15), (1.0, 1.6), (28, 50), (0, 360)),
    "pyramid": ((0.85, 1.15), (0.85, 1.15), (0.9, 1.3), (40, 62), (25, 65)),
    "cross": ((0.85, 1.15), (0.85, 1.15), (0.85, 1.15), (40, 70), (20, 70)),
}
FORMS = {"torus": (0.3, 0.48), "cross": (0.17, 0.27)}
ROLL = 30  # degrees to either side that the camera may be turned
LIGHT = 0.8  # share of the toys that are lighter than their background; the others are darker
MOTION = (20, 60)  # degrees that a toy turns from its first frame to its last


def _tint(hue: Array, saturation: Array, value: Array) -> Array:
    """Hue, saturation, value in 0 .. 1 to red, green, blue on a new last axis."""
    sector = (hue[..., None] * 6 + np.array([0, 4, 2])) % 6
    pure = np.clip(np.abs(sector - 3) - 1, 0, 1)
    colour: Array = value[..., None] * (1 - saturation[..., None] * (1 - pure))
    return colour


def _colours(
    rng: np.random.Generator, tone: Array, saturation: tuple[float, float], shape: int | tuple[int, ...]
) -> Array:
    return _tint(np.asarray(rng.random(shape)), rng.uniform(*saturation, shape), tone)


def draw_toys(rng: np.random.Generator, labels: Array) -> Arrays:
    """What stays with a toy in every frame: its shape, surface and surroundings.

    Args:
        rng: consumed in the same way whatever the labels, which choose the ranges of shape and pose alone.
        labels: int64 ``(sample,)``, indices into `KINDS`.

    Returns:
        Arrays by name, float32 but for ``labels``, each with ``sample`` as its first axis.
    """
    count = len(labels)
    habits = np.array([HABITS[kind] for kind in KINDS])[labels]
    forms = np.array([FORMS.get(kind, (0, 0)) for kind in KINDS])[labels]
    drawn = habits[..., 0] + (habits[..., 1] - habits[..., 0]) * rng.random((count, 5))
    light_toy = rng.random(count) < LIGHT  # a light toy before a dark ground, or the other way round
    toy_tone = np.where(light_toy, rng.uniform(0.75, 1, count), rng.uniform(0.4, 0.65, count))

    texture = np.eye(4)[rng.integers(4, size=count)][:, :3]  # stripes, checks, clouds; a row of zeros is plain
    toys = {
        "scale": drawn[:, :3],
        "view": np.deg2rad(np.column_stack([drawn[:, 3:], rng.uniform(-ROLL, ROLL, count)])),
        "form": forms[:, 0] + (forms[:, 1] - forms[:, 0]) * rng.random(count),
        "colour": _colours(rng, toy_tone, (0.2, 0.8), count),
        "second": _colours(rng, toy_tone * rng.uniform(0.6, 0.9, count), (0.2, 0.8), count),
        "texture": texture,
        "waves": rng.normal(size=(count, 3, 3)) * rng.uniform(2, 4, (count, 1, 1)),
        "phases": rng.uniform(0, 2 * np.pi, (count, 3)),
        **_surroundings(rng, light_toy),
        "grain": rng.uniform(0, 0.04, count),
        "camera": rng.uniform(3.5, 7, count),
        "fill": rng.uniform(0.65, 0.9, count),
    }
    return {"labels": labels} | {name: value.astype(np.float32) for name, value in toys.items()}


def _surroundings(rng: np.random.Generator, light_toy: Array) -> Arrays:
    """The background of every toy and what lies about behind it; lighter than the toy where that is dark."""
    count = len(light_toy)

    def ground(*shape: int) -> Array:
        dark, light = rng.uniform(0.05, 0.4, (count, *shape)), rng.uniform(0.6, 1, (count, *shape))
        return np.where(light_toy.reshape(count, *[1] * len(shape)), dark, light)

    return {
        "ground": _colours(rng, ground(2), (0.1, 0.7), (count, 2)),
        "slope": rng.uniform(-1, 1, (count, 2)),
        "bars": rng.uniform(-6, 6, (count, 2)),
        "bar_height": rng.uniform(-0.12, 0.12, (count, 3)),
        "clutter": rng.uniform(-1.1, 1.1, (count, CLUTTER, 2)),
        "clutter_turn": rng.uniform(0, np.pi, (count, CLUTTER)),
        "clutter_size": rng.uniform(0.1, 0.5, (count, CLUTTER, 2)),
        "clutter_round": (rng.random((count, CLUTTER)) < 0.5).astype(float),
        "clutter_colour": _colours(rng, ground(CLUTTER), (0.2, 0.9), (count, CLUTTER)),
    }


def _about(axis: Array, angle: Array) -> Array:
    """Rotations by angle about unit axes: Rodrigues' formula, I + sin(angle) K + (1 - cos(angle)) K^2; (..., 3, 3)."""
    cross = np.zeros((*np.broadcast_shapes(axis.shape[:-1], angle.shape), 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        cross[..., j, i], cross[..., i, j] = axis[..., k], -axis[..., k]
    angle = angle[..., None, None]
    rotation: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return rotation


def _framing(toys: Arrays, rotation: Array) -> tuple[Array, Array]:
    """Where a toy's middle is seen, ``(sample, frame, 2)``, and the half width that holds it in every frame."""
    count, frames = rotation.shape[:2]
    low, high = np.empty((count, frames, 2)), np.empty((count, frames, 2))
    for label in np.unique(toys["labels"]):
        rows = toys["labels"] == label
        points = outline(KINDS[label], toys["form"][rows]) * toys["scale"][rows, None]
        seen = np.einsum("sfij,spj->sfpi", rotation[rows], points)
        plane = seen[..., :2] / (toys["camera"][rows, None, None, None] - seen[..., 2:])
        low[rows], high[rows] = plane.min(axis=2), plane.max(axis=2)
    return (low + high) / 2, (high - low).max(axis=(1, 2)) / 2


def draw_frames(rng: np.random.Generator, toys: Arrays, frames: int) -> Arrays:
    """What changes from frame to frame: pose, place and light.

    A toy turns evenly about one axis of its own, by 20 to 60 degrees from its first frame to its last, half of it
    before the pose that `draw_toys` chose; place, light and a drift of the background are drawn anew for each frame.

    Args:
        rng: random numbers.
        toys: from `draw_toys`.
        frames: at least 1.

    Returns:
        float32 arrays by name, with ``(sample, frame)`` as first axes.
    """
    count, both = len(toys["labels"]), (len(toys["labels"]), frames)
    tilt, turn, roll = toys["view"].astype(float).T
    x, _, z = np.eye(3)
    pose = _about(z, roll) @ _about(x, -tilt) @ _about(z, turn)
    spin = rng.normal(size=(count, 1, 3))
    spin /= np.linalg.norm(spin, axis=-1, keepdims=True)
    course = np.linspace(-0.5, 0.5, frames) if frames > 1 else np.zeros(1)
    angle = np.deg2rad(rng.uniform(*MOTION, (count, 1))) * course
    rotation = _about(spin, angle) @ pose[:, None]
    centre, half = _framing(toys, rotation)
    zoom = (half / toys["fill"])[:, None]
    spare = 0.85 * (1 - toys["fill"])[:, None, None]  # a toy never touches the picture's edge
    light = rng.uniform((-1, -0.3, 0.6), (1, 1, 1), (*both, 3))  # from the camera's side, more often from above
    drawn = {
        "rotation": rotation,
        "zoom": np.broadcast_to(zoom, both),
        "centre": centre - rng.uniform(-1, 1, (*both, 2)) * spare * zoom[..., None],
        "light": light / np.linalg.norm(light, axis=-1, keepdims=True),
        "ambient": rng.uniform(0.3, 0.45, both),
        "lamp": rng.uniform(0.7, 1, both),
        "gloss": np.broadcast_to(rng.uniform(0, 0.35, (count, 1)), both),
        "drift": rng.uniform(-0.15, 0.15, (*both, 2)) * (frames > 1),
    }
    return {name: value.astype(np.float32) for name, value in drawn.items()}


def _shade(toy: Arrays, frame: Arrays, point: Array, normal: Array) -> Array:
    """Texture, Lambert's law and a soft highlight: colours ``(3, object, ray)``."""
    waves, phases = toy["waves"].T[..., None], toy["phases"].T[..., None]  # (component, wave, object, 1)
    first, other, third = (
        np.sin(waves[0, w] * point[0] + waves[1, w] * point[1] + waves[2, w] * point[2] + phases[w]) for w in range(3)
    )
    stripes, checks, clouds = toy["texture"].T[..., None]
    pattern = stripes * first + checks * (first * other) * 2 + clouds * (first + other + third)
    pattern = np.clip(0.5 + 2 * pattern, 0, 1) * (stripes + checks + clouds)
    slant = normal / toy["scale"].T[..., None]
    slant /= np.sqrt((slant * slant).sum(axis=0)) + np.float32(1e-9)
    towards = np.stack([frame["light"], frame["light"] + (0, 0, 1)]).astype(
        np.float32
    )  # the lamp; halfway to the camera
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    lamp, halfway = np.einsum("soj,oji->sio", towards, frame["rotation"])[..., None]
    lit = np.maximum((slant * lamp).sum(axis=0), 0)
    shine = np.maximum((slant * halfway).sum(axis=0), 0) ** 16 * frame["gloss"][:, None]
    lit = frame["ambient"][:, None] + frame["lamp"][:, None] * (1 - frame["ambient"][:, None]) * lit
    colour, second = toy["colour"].T[..., None], toy["second"].T[..., None]
    shaded: Array = (colour + pattern * (second - colour)) * lit + shine
    return shaded


def _backdrop(toy: Arrays, frame: Arrays) -> Array:
    """A slope from one colour to another, soft bars, ellipses and rectangles: ``(3, object, row, column)``."""
    grid = ((np.arange(SIDE, dtype=np.float32) + 0.5) * 2 / SIDE - 1)[None]
    x = grid[:, None, :] + frame["drift"][:, 0, None, None]
    y = grid[:, :, None] + frame["drift"][:, 1, None, None]

    def each(value: Array) -> Array:
        return value.T[..., None, None]

    near, far = toy["ground"][:, 0], toy["ground"][:, 1]
    (slope_x, slope_y), (bar_x, bar_y) = each(toy["slope"]), each(toy["bars"])
    picture: Array = each(near) + each(far - near) * np.clip(0.5 + slope_x * x + slope_y * y, 0, 1)
    picture += each(toy["bar_height"]) * np.clip(2 * np.sin(bar_x * x + bar_y * y), -1, 1)
    for thing in range(CLUTTER):
        (place_x, place_y), (wide, high) = each(toy["clutter"][:, thing]), each(toy["clutter_size"][:, thing])
        cos, sin = each(np.cos(toy["clutter_turn"][:, thing])), each(np.sin(toy["clutter_turn"][:, thing]))
        along = np.abs((x - place_x) * cos + (y - place_y) * sin) / wide
        across = np.abs((y - place_y) * cos - (x - place_x) * sin) / high
        far_off = np.where(each(toy["clutter_round"][:, thing]) > 0, np.hypot(along, across), np.maximum(along, across))
        cover = np.clip((1 - far_off) * 4, 0, 1)
        picture += cover * (each(toy["clutter_colour"][:, thing]) - picture)
    return picture


def paint(kind: str, toy: Arrays, frame: Arrays, rng: np.random.Generator) -> Array:
    """Pictures of toys of one kind, one frame each.

    Args:
        kind: one of `KINDS`.
        toy: rows of `draw_toys`.
        frame: rows of `draw_frames`, one frame for each toy.
        rng: the grain of the pictures.

    Returns:
        uint8 ``(object, row, column, channel)``.
    """
    count, across = len(toy["form"]), SIDE * RAYS
    grid = ((np.arange(across, dtype=np.float32) + 0.5) * 2 / across - 1)[None]
    x = grid[:, None, :] * frame["zoom"][:, None, None] + frame["centre"][:, 0, None, None]
    y = -grid[:, :, None] * frame["zoom"][:, None, None] + frame["centre"][:, 1, None, None]
    # From camera to solid: (solid's axis, camera's axis, object, 1, 1). The transpose of a rotation is its inverse.
    inwards = (frame["rotation"] / toy["scale"][:, None, :]).T[..., None, None]
    direction = (inwards[:, 0] * x + inwards[:, 1] * y - inwards[:, 2]).reshape(3, count, -1)
    origin = inwards[:, 2, :, :, 0] * toy["camera"][:, None]
    t, normal = intersect(kind, toy["form"], origin, direction)
    hit = np.isfinite(t)
    point = origin + np.where(hit, t, 0) * direction
    front = _shade(toy, frame, point, normal) * hit
    front = front.reshape(3, count, SIDE, RAYS, SIDE, RAYS).mean(axis=(3, 5))
    cover = hit.reshape(count, SIDE, RAYS, SIDE, RAYS).mean(axis=(2, 4), dtype=np.float32)
    picture = np.moveaxis(front + _backdrop(toy, frame) * (1 - cover), 0, -1)
    picture += toy["grain"][:, None, None, None] * rng.standard_normal(picture.shape, np.float32)
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8))
