"""Scribbled colours: what a scribble means for the part of the shoe that it lies on.

The picture is made without them; then each scribble shifts its part to its colour, shading kept. A part is what looks
alike, where the network sees the same segment, and what no line divides from the scribble (colourisation by geodesic
distance: Yatziv and Sapiro 2006).
"""

import numpy as np
import torch
from skimage.graph import MCP
from torch.nn import functional as F

MAX_CELLS = 48  # scribbled cells that are looked at; of more, an even choice
LINE = 2.5  # what crossing a line costs, in powers of e
STEP = 0.004  # what 4 pixels of way cost
REACH = 80  # pixels: of several scribbles on a part, the nearer one counts
SEGMENT, COLOUR, ROW = 3.5, 2.5, 1.0  # what a difference in segment, in colour [-1, 1] and in height costs


class Scribbles:
    """The scribbles of a drawing, ready to colour any picture made of it."""

    def __init__(self, ink: torch.Tensor, hints: torch.Tensor):
        """Ink [1,1,H,W] in [0, 1] and hints [1,4,H/8,W/8] (colour in [-1, 1] x mask, mask)."""
        rows, columns = torch.nonzero(hints[0, 3] > 0, as_tuple=True)
        chosen = torch.linspace(0, len(rows) - 1, min(len(rows), MAX_CELLS)).round().long()
        self.rows, self.columns = rows[chosen], columns[chosen]
        self.colours = hints[0, :3, self.rows, self.columns].T  # [C,3]
        self.ways = (
            F.interpolate(self._ways(ink, hints)[None], scale_factor=2, mode="bilinear").flatten(2).mT
        )  # [1,P,C]
        self.far = self._far(ink.shape[2] // 2, ink.shape[3] // 2)  # [P,C]

    def _far(self, height: int, width: int) -> torch.Tensor:
        """How much less a cell says about each pixel for lying away from it."""
        pixels = torch.cartesian_prod(torch.arange(height), torch.arange(width)) / (REACH / 2)
        cells = torch.stack([self.rows, self.columns], 1) * 8 / REACH
        return torch.cdist(pixels, cells).square() / 2

    def _ways(self, ink: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
        """How many lines and how long a way lie between each pixel and the scribbles of each cell's colour."""
        lines = F.max_pool2d(ink, 4)[0, 0].numpy() > 0.5
        costs = MCP(np.where(lines, LINE, STEP), fully_connected=False)  # no slipping through diagonals
        colours, kinds = torch.unique(self.colours, dim=0, return_inverse=True)
        maps = []
        for colour in colours:
            cells = (hints[0, :3] == colour[:, None, None]).all(0) & (hints[0, 3] > 0)
            pixels = cells.repeat_interleave(2, 0).repeat_interleave(2, 1).numpy()
            starts = np.argwhere(pixels & ~lines) if (pixels & ~lines).any() else np.argwhere(pixels)
            maps.append(costs.find_costs(starts)[0].copy())  # the next call writes over it
        ways = torch.from_numpy(np.array(maps, np.float32))
        beside = -F.max_pool2d(-ways, 3, stride=1, padding=1)  # a line belongs to the parts on both its sides
        return torch.where(torch.from_numpy(lines), beside, ways)[kinds]

    def colour(self, photo: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,H,W] in [-1, 1] of this drawing and their segments [N,S,H/4,W/4], which sum to 1 -> photos."""
        looks = self._looks(photo, segments)
        n, channels, height, width = looks.shape
        cells = F.avg_pool2d(looks, 4)[:, :, self.rows, self.columns].transpose(1, 2)  # [N,C,channels]
        unlike = torch.cdist(looks.flatten(2).transpose(1, 2), cells).square() / 2 + self.ways  # [N,P,C]
        cover = (2.2 * torch.exp(-unlike.amin(2)) - 0.2).clamp(0, 1)
        shifts = self.colours - F.avg_pool2d(photo, 8)[:, :, self.rows, self.columns].transpose(1, 2)  # [N,C,3]
        shift = torch.softmax(-2 * unlike - self.far, 2) @ shifts * cover[..., None]  # [N,P,3]
        shift = shift.transpose(1, 2).reshape(n, 3, height, width)
        return photo + F.interpolate(F.avg_pool2d(shift, 3, 1, 1), scale_factor=2, mode="bilinear")

    @staticmethod
    def _looks(photo: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
        """What tells parts apart, pixel by pixel: [N,S+4,H/2,W/2]."""
        segments = F.interpolate(SEGMENT * segments.clamp_min(1e-6).sqrt(), scale_factor=2, mode="bilinear")
        rows = torch.linspace(-ROW, ROW, segments.shape[2])[None, None, :, None]
        return torch.cat([segments, COLOUR * F.avg_pool2d(photo, 2), rows.expand_as(segments[:, :1])], 1)
