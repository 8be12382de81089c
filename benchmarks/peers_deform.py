"""The deformation of the views in PyTorch, twice: as it is usually written, and tuned by somebody who knows it.

Both read places by ``affine_grid`` and ``grid_sample`` (bilinear, corners aligned, 0 outside), change saturation and hue
in HSV and reverse columns, from the same pictures in uint8 and with the same parameters as `neurosim.kernels.views.deform`.
Parameters are drawn once: drawing them is part of no side's step.

- *published*: picture to tensor, grid, sample, the textbook's way to HSV and back with its six cases, flip.
- *tuned*: all grids by one product, the flip a sign in it; colours without cases and without the way to HSV, in place.
"""

import torch
from neurosim.bench.peers_torch import own_layout
from torch.nn import functional as F

TINY = torch.finfo(torch.float32).tiny  # so that a grey has the hue 0


def to_hsv(image):
    """``(sample, 3, row, column)`` red, green, blue to hue in turns, saturation and value, case by case."""
    red, green, blue = image.unbind(1)
    value, least = image.amax(1), image.amin(1)
    chroma = value - least
    some = torch.where(chroma == 0, torch.ones_like(chroma), chroma)
    from_red = ((green - blue) / some) % 6
    from_green, from_blue = (blue - red) / some + 2, (red - green) / some + 4
    hue = torch.where(value == red, from_red, torch.where(value == green, from_green, from_blue)) / 6
    saturation = chroma / torch.where(value == 0, torch.ones_like(value), value)
    return torch.stack([hue, saturation, value], 1)


def from_hsv(image):
    """The way back: each sixth of a turn has two of the four levels as its largest and least."""
    hue, saturation, value = image.unbind(1)
    sixth = torch.floor(6 * hue)
    part = 6 * hue - sixth
    low, falling = value * (1 - saturation), value * (1 - saturation * part)
    rising = value * (1 - saturation * (1 - part))
    cases = [
        (value, rising, low),
        (falling, value, low),
        (low, value, rising),
        (low, falling, value),
        (rising, low, value),
        (value, low, falling),
    ]
    colours = torch.stack([torch.stack(levels, 1) for levels in cases])
    place = (sixth.long() % 6)[None, :, None].expand(1, -1, 3, -1, -1)
    return colours.gather(0, place)[0]


class Deformed:
    """Pictures that are deformed anew at every look.

    Args:
        images: uint8 ``(sample, row, column, channel)``.
        parameters: of `neurosim.data.views.affine.Affine.draw`.
        tuned: which of the two ways of writing it.
    """

    def __init__(self, images, parameters, tuned):
        self.images, self.tuned = own_layout(images, tuned), tuned
        given = {name: torch.as_tensor(array) for name, array in parameters.items()}
        self.theta, self.flip = given["theta"].float(), given["flip"]
        y, x = torch.meshgrid(*(torch.linspace(-1, 1, count) for count in images.shape[1:3]), indexing="ij")
        self._signs = torch.where(self.flip[:, None, None], torch.tensor([-1.0, 1.0, 1.0]), 1.0)  # a flip negates x
        self._places = torch.stack([x, y, torch.ones_like(x)]).flatten(1)
        self.saturation, self.hue = (given[name].float()[:, None, None] for name in ("saturation", "hue"))

    def look(self):
        """The views, deformed, float32 in 0..1, in the side's own layout."""
        with torch.no_grad():
            return self._tuned() if self.tuned else self._published()

    def _sample(self, images, grid):
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=True)

    def _published(self):
        grid = F.affine_grid(self.theta, list(self.images.shape), align_corners=True)
        hue, saturation, value = to_hsv(self._sample(self.images.float() / 255, grid)).unbind(1)
        saturation = torch.clamp(saturation * self.saturation, max=1)
        images = from_hsv(torch.stack([(hue + self.hue) % 1, saturation, value], 1))
        return torch.where(self.flip[:, None, None, None], images.flip(3), images)

    def _tuned(self):
        count, _, rows, columns = self.images.shape
        grid = ((self.theta * self._signs).view(-1, 3) @ self._places).view(count, 2, rows, columns).permute(0, 2, 3, 1)
        images = self._sample(self.images.float().div_(255), grid)
        return self._recolour(*images.unbind(1)).contiguous(memory_format=torch.channels_last)

    def _recolour(self, red, green, blue):
        """The formulas of `neurosim.kernels.views.colour.recolour`."""
        value, least = torch.maximum(red, green), torch.minimum(red, green)
        value, least = torch.maximum(value, blue, out=value), torch.minimum(least, blue, out=least)
        chroma, turn = value - least, green + blue
        turn.add_(value).sub_(red).sub_(least, alpha=2).div_(chroma + TINY)
        turn.copysign_(green - blue).mul_(1 / 6).add_(self.hue)
        turn.frac_().add_(1).frac_().mul_(6)
        chroma = torch.minimum(chroma.mul_(self.saturation), value, out=chroma)
        weights = 2 - (turn - 3).abs_(), (turn - 2).abs_().sub_(1), (turn - 4).abs_().sub_(1)
        return torch.stack([torch.addcmul(value, chroma, w.clamp_(0, 1), value=-1) for w in weights], 1)
