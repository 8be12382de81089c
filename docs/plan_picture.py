"""Draw the plan of a rule: what `neurosim explain` prints, as a picture.

    python docs/plan_picture.py OUT.png [--rule ll]

Every box is a buffer. Every numbered dot is a step of the plan, with the number that `neurosim explain` gives it: lines
lead to it from the buffers that it reads, arrows from it to those that it changes. Boxes, dots and lines come from the
plan; where they stand comes from the rules below, a band a layer, with an upper and a lower lane:

    x_n ---------+--------------+------------------- head ----- z_n - push - M_n
     |           |         synapses of the        synapses       |            |
    respond      |            feedback            of the head   compare ------+
     |           |              |                    |           |
    up - W - dW - hebb - d - gate - e - deliver -----+--------- ez_n
"""

import argparse
import io
import sys

from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch
from PIL import Image

from neurosim import rules
from neurosim.data.views.affine import Affine
from neurosim.errors import NeurosimError
from neurosim.losses.hinge import Hinge
from neurosim.networks.network import Network
from neurosim.training.assembly import Assembly

RULES = ("ll", "bp", "rf", "urf")
LAYERS, IMAGE, PAIRS = "32 hardtanh, 64 pool", (32, 32, 3), 100
# Columns, lanes and sizes of the page; a unit is 0.64 inch.
UP, WEIGHT, UPDATE, CHANGE, HEBB, POST, GATE, ERROR, DELIVER = 1.0, 2.3, 3.45, 4.45, 5.6, 6.6, 7.75, 8.75, 9.9
RISER, FALLER, HEAD, TOP, PUSH, MEMORY = 10.9, 12.0, 12.9, 15.0, 16.15, 17.3
BAND, GAP, GROUND = 5.6, 4.4, -1.0  # from a layer to the next; from a lower lane to its upper one; the image's lane
WIDTH, HEIGHT, RADIUS, INCH = 1.0, 0.6, 0.25, 0.64
# What a buffer does: colour of its lines, fill of its box, the legend's word. Other roles (gates, rates, traces,
# figures) are not drawn.
ROLES = {
    "image": ("#7f8c8d", "#eeeeee", "image"),
    "activity": ("#2471a3", "#d6e6f5", "activity"),
    "forward weight": ("#c27c0e", "#fdebc8", "forward weight"),
    "error": ("#c0392b", "#fadbd8", "error, going back"),
    "feedback weight": ("#7d3c98", "#eadcf4", "feedback weight"),
    "memory": ("#148f77", "#d1efe9", "short-term memory"),
    "change": ("#5b8c1a", "#dff0d0", "sum of outer products"),
}
TRANSPORT, INK, PALE = "#e6007e", "#2c3e50", "#7f8c8d"
VERBS = {
    "push": "store",
    "deliver_dense": "deliver",
    "deliver_convolution": "deliver",
    "gate": "gate",
    "gate_pooled": "gate",
    "deform": "deform",
    "present": "show",
}
PLASTICITIES = ("sgd", "momentum", "signum", "adam")


def low(layer):
    """Height of a layer's lower lane."""
    return BAND * layer - GAP


def layer_of(buffer):
    """The number in its name: the band it belongs to; a feedback B lies in the band that it leads to."""
    name = buffer.base.name
    number = int("".join(filter(str.isdigit, name)) or 0)
    return number - (name.lstrip("d")[0] == "B")


def box(buffer):
    """Where a buffer stands: (x, y) of its middle."""
    name, y = buffer.base.name, low(layer_of(buffer))
    if name in ("images", "seen"):
        return {"images": CHANGE + 0.2, "seen": (WEIGHT + UPDATE) / 2 - 0.1}[name], GROUND
    kind = name.rstrip("0123456789")
    column = {
        "W": WEIGHT,
        "dW": CHANGE,
        "d": POST,
        "e": ERROR,
        "x": UP,
        "u": UP,
        "z": TOP,
        "ez": TOP,
        "M": MEMORY,
        "H": HEAD,
        "dH": HEAD,
        "F": DELIVER,
        "dF": DELIVER,
        "B": DELIVER,
        "dB": DELIVER,
    }[kind]
    lift = {
        "x": GAP,
        "z": GAP,
        "M": GAP,
        "u": 0.3 * GAP,
        "H": GAP - 0.9,
        "dH": GAP - 2.58,
        "F": 0.9,
        "B": 0.9,
        "dF": 2.58,
        "dB": 2.58,
    }.get(kind, 0)
    return column, y + lift


def dot(step):
    """Where a step stands: (x, y)."""
    result = next(b for b in step.changed.values() if drawn(b))
    name, y = result.base.name, low(layer_of(result))
    if step.kernel.name in ("deform", "present"):
        return (UPDATE if step.kernel.name == "deform" else WEIGHT - 0.2), GROUND
    if step.kernel.name in PLASTICITIES or step.kernel.name.startswith("hebbian"):
        updates = step.kernel.name in PLASTICITIES
        if name.lstrip("d")[0] == "W":
            return (UPDATE if updates else HEBB), y
        rise = 1.68 if updates else 3.5
        return (HEAD, y + GAP - rise) if "H" in name else (DELIVER, y + rise)
    return {
        "convolve": (UP, y),
        "activate": (UP, y + 0.6 * GAP),
        "pool": (UP, y + 0.6 * GAP),
        "dense": (HEAD, y + GAP),
        "push": (PUSH, y + GAP),
        "hinge_lags": (TOP, y + GAP / 2),
        "gate": (GATE, y),
        "gate_pooled": (GATE, y),
        "deliver_dense": (DELIVER, y),
        "deliver_convolution": (DELIVER, y),
    }[step.kernel.name]


def corners(step, buffer, start, end):
    """Where the line from a buffer to a step that reads it turns."""
    kind, bus = buffer.base.name.rstrip("0123456789"), low(layer_of(buffer)) + GAP
    riser = start if kind == "ez" else (start[0], start[1] - 0.72)
    if step.kernel.name.startswith("hebbian") and end[0] == HEAD:
        return [(FALLER, bus), (FALLER, end[1])] if kind == "x" else [(HEAD, start[1])]
    if kind == "x":
        return [(end[0], bus)]  # along the upper lane, then up or down
    if kind == "M":
        return [(start[0], end[1])]
    if kind == "ez" or (kind == "d" and end[0] == DELIVER):
        return [riser, (RISER, riser[1]), (RISER, end[1])]
    if kind == "H" and end[0] == DELIVER:
        return [(DELIVER, start[1])]
    if kind == "W" and end[0] == DELIVER:
        return [(start[0], start[1] - 0.96), (DELIVER, start[1] - 0.96)]
    return []


def drawn(buffer):
    """Whether a buffer has a place on the page."""
    return buffer.role in ROLES and "cursor" not in buffer.base.name


def ghost(buffer):
    """Buffers between two steps of one arrow: a name beside the line instead of a box."""
    return buffer.base.name == "seen" or buffer.base.name[0] == "u"


def line(axes, points, colour, arrow=False, **style):
    """A line through points; an arrow ends at the border of a box; a small dot marks where a line leaves another."""
    style = {"color": colour, "linewidth": 1.6, "zorder": 1, "solid_joinstyle": "round", "snap": True} | style
    if arrow:
        (x0, y0), (x, y) = points[-2:]
        sideways = abs(x - x0) > abs(y - y0)
        x -= sideways * WIDTH / 2 * (1 if x > x0 else -1)
        y -= (not sideways) * HEIGHT / 2 * (1 if y > y0 else -1)
        axes.annotate(
            "",
            (x, y),
            ((x0 + x) / 2, (y0 + y) / 2),
            zorder=2,
            arrowprops={
                "arrowstyle": "-|>",
                "color": colour,
                "linewidth": 0,
                "shrinkA": 0,
                "shrinkB": 0,
                "mutation_scale": 13,
            },
        )
        sizes = abs(x - x0) + abs(y - y0)
        points = [*points[:-1], (x - 0.1 * (x - x0) / sizes, y - 0.1 * (y - y0) / sizes)]  # the head has a sharp tip
    axes.plot(*zip(*points, strict=True), **style)


def draw_step(axes, number, step):
    """The dot of a step, its lines and its arrows."""
    here = dot(step)
    for buffer in filter(drawn, step.reads.values()):
        carried = step.kernel.name.startswith("deliver") and buffer.role == "forward weight"
        start = box(buffer)
        points = [start, *corners(step, buffer, start, here), here]
        style = {"linewidth": 2.6, "linestyle": (0, (2, 1))} if carried else {}
        line(axes, points, TRANSPORT if carried else ROLES[buffer.role][0], **style)
    for buffer in filter(drawn, step.changed.values()):
        end = box(buffer)
        turn = [(end[0], here[1])] if here[0] != end[0] and here[1] != end[1] else []
        line(axes, [here, *turn, end], ROLES[buffer.role][0], arrow=not ghost(buffer))
    axes.add_patch(Circle(here, RADIUS, facecolor="white", edgecolor=INK, linewidth=1.3, zorder=3))
    axes.text(*here, str(number), ha="center", va="center_baseline", fontsize=9.5, color=INK, zorder=4)
    if step.kernel.name.startswith("hinge"):
        axes.text(here[0] - 0.35, here[1], "compare", fontsize=10, color=PALE, va="center", ha="right")
    elif step.kernel.name in VERBS:
        axes.text(here[0], here[1] - 0.45, VERBS[step.kernel.name], fontsize=10, color=PALE, va="center", ha="center")


def draw_box(axes, x, y, role, text):
    """The box of a buffer."""
    edge, fill, _ = ROLES[role]
    axes.add_patch(
        FancyBboxPatch(
            (x - WIDTH / 2, y - HEIGHT / 2),
            WIDTH,
            HEIGHT,
            facecolor=fill,
            edgecolor=edge,
            boxstyle="round,pad=0,rounding_size=0.12",
            linewidth=1.4,
            zorder=3,
        )
    )
    axes.text(x, y, text, ha="center", va="center_baseline", fontsize=11.5 if len(text) < 5 else 10, zorder=4)


def write_band(axes, layer, title, steps):
    """What a layer is, and the equations of its own synapse's learning, in the empty middle of its band."""
    kernels = ("convolve", "activate", "pool", "dense", "deliver", "gate", "hebbian_convolution")
    y = low(layer) + GAP - 0.75
    axes.text(1.75, y, title, fontsize=12.5, weight="bold", color=INK, va="center")
    for number, step in steps:
        results = [b for b in step.changed.values() if drawn(b)]
        if step.kernel.name.startswith(kernels) and layer_of(results[0]) == layer and "B" not in results[0].base.name:
            y -= 0.42
            equation = step.equation.replace("(x)", "\u2297").replace("^T", "\u1d40").replace(" . ", " \u00b7 ")
            axes.text(2.25, y, str(number), fontsize=10, color=PALE, va="center", ha="right")
            axes.text(2.4, y, equation, fontsize=10, color=INK, va="center")


def write_legend(axes, roles, transported):
    """The colours, and what dots and lines mean, at the foot of the page."""
    for place, role in enumerate(role for role in ROLES if role in roles and role != "image"):
        x, y = ERROR + 3.1 * (place % 3), GROUND + 0.85 - 0.5 * (place // 3)
        draw_key(axes, x, y, ROLES[role])
        axes.text(x + 0.4, y, ROLES[role][2], fontsize=10, va="center")
    told = "A dot is a step of the plan, numbered as in neurosim explain:\nit reads along lines and changes where arrows point."
    axes.text(ERROR - 0.15, GROUND + 0.02, told, fontsize=10, va="top", color=PALE, linespacing=1.4)
    if transported:
        # No feedback weights then, so that the last place of the legend is free.
        axes.text(ERROR + 6.05, GROUND + 0.35, "dashed: transported", fontsize=10, va="center", color=TRANSPORT)


def draw_key(axes, x, y, colours):
    """One colour of the legend."""
    axes.add_patch(
        FancyBboxPatch(
            (x - 0.15, y - 0.12),
            0.36,
            0.24,
            facecolor=colours[1],
            edgecolor=colours[0],
            boxstyle="round,pad=0,rounding_size=0.06",
            linewidth=1.2,
        )
    )


def draw(rule, path):
    """The whole page."""
    network = rule.network
    steps = list(enumerate(Assembly(rule, Affine()).plan(rule.phases[0]), 1))
    right, bottom, top = MEMORY + 0.65, GROUND - 1.0, low(len(network)) + GAP + 0.5
    figure = Figure((INCH * (right - 0.35), INCH * (top - bottom)))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0.35, right), ylim=(bottom, top), aspect="equal")
    axes.set_axis_off()
    for number, step in steps:
        draw_step(axes, number, step)
    buffers = {b.base.name: b.base for _, step in steps for b in step.buffers.values() if drawn(b)}
    for name, buffer in buffers.items():
        x, y = box(buffer)
        if ghost(buffer):
            x, y = (x, y + 0.2) if name == "seen" else (x + 0.3, y - 0.1)
            axes.text(x, y, name, fontsize=10, color=ROLES[buffer.role][0], va="center", ha="center")
        else:
            draw_box(axes, x, y, buffer.role, name)
    for layer, text in enumerate(network.layers, 1):
        write_band(axes, layer, f"layer {layer}: {text}", steps)
    write_legend(axes, {b.role for b in buffers.values()}, any(feedback.kind == "bp" for feedback in rule.feedbacks))
    page = io.BytesIO()
    figure.savefig(page, dpi=150, facecolor="white")
    Image.open(page).convert("RGB").quantize(128).save(path, "PNG", optimize=True)  # a quarter of the bytes


def main():
    """Parse, draw, say where."""
    parser = argparse.ArgumentParser(description="Draw the plan of a rule.")
    parser.add_argument("out", help="the picture to write, OUT.png")
    parser.add_argument("--rule", choices=RULES, default="ll")
    given = parser.parse_args()
    try:
        draw(rules.make(given.rule, Network(LAYERS, IMAGE, PAIRS), Hinge()), given.out)
    except (NeurosimError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(2)
    print(f"picture: {given.out}")


if __name__ == "__main__":
    main()
