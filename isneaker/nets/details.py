"""Details: the panels, seams and marks of a sneaker that w has no room for, as a grid of a byte a cell.

A second, spatial code beside w (as in arXiv 2202.02183), in a few levels a number (finite scalar quantisation,
arXiv 2309.15505), so that a photo's own fits into a link. w decides shape and colour, the details what is between.
"""

import torch
from torch import nn
from torch.nn import functional as F

CHANNELS, ROWS, COLUMNS = 4, 12, 16  # of the grid; a cell is 32x32 pixels of the picture
LEVELS = 4  # -1, -1/3, 1/3, 1; 0 in all channels: nothing is said of this cell
CELLS = ROWS * COLUMNS  # bytes of a packed grid
READ_WIDTH = 256  # pixels across of the photo that the encoder looks at
PIXELS = READ_WIDTH // COLUMNS  # across a cell, there


class DetailEncoder(nn.Module):
    """Photo -> details: a linear map of what the thumbnail misses in each cell, and what convolutions add that see the
    photo too, and the cell's neighbours."""

    def __init__(self, nef: int = 48):
        super().__init__()
        widths = (48, nef, 3 * nef // 2, 2 * nef)  # at a quarter of the photo, an eighth, a sixteenth
        self.linear = nn.Conv2d(3 * PIXELS**2, CHANNELS, 1)
        self.blocks = nn.Conv2d(2 * widths[0], widths[1], 3, padding=1)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip(widths[1:], widths[2:]))
        self.around = nn.Conv2d(widths[-1], widths[-1], 3, padding=1)
        self.to_details = nn.Conv2d(widths[-1], CHANNELS, 1)
        for conv in (self.blocks, *self.convs, self.around):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(self.to_details.weight)
        nn.init.zeros_(self.to_details.bias)

    def forward(self, photo: torch.Tensor, thumbnail: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,192,256] and their thumbnails [N,3,24,32] in [-1, 1] -> details [N,CHANNELS,12,16] before `quantise`."""
        missed = missing(photo, thumbnail)
        x = F.silu(self.blocks(F.pixel_unshuffle(torch.cat([1 - photo, missed], 1), 4)))
        for conv in self.convs:
            x = F.silu(conv(x))
        x = self.to_details(x + F.silu(self.around(x)))
        return (self.linear(F.pixel_unshuffle(missed, PIXELS)) + x).float()

    @torch.no_grad()
    def start(self, photos: torch.Tensor, thumbnails: torch.Tensor, returned: torch.Tensor) -> None:
        """Set the linear map to what thumbnails [N,3,24,32] miss of photos [N,3,192,256] that tells most, cell by cell, of
        what is missing in the pictures that w brings back (reduced-rank regression); N in the hundreds."""
        missed = missing(photos, thumbnails)
        cells = [F.pixel_unshuffle(x, PIXELS).permute(0, 2, 3, 1).flatten(0, 2) for x in (missed, returned - photos)]
        seen = cells[0].abs().amax(1) > 0.1  # the ground says nothing
        x, lost = (c[seen].double() for c in cells)
        mean = x.mean(0)
        x = x - mean
        covariance = x.T @ x
        ridge = 1e-3 * covariance.trace() / len(covariance) * torch.eye(len(covariance), dtype=x.dtype)
        predicted = torch.linalg.solve(covariance + ridge, x.T @ lost)  # [pixels,pixels]
        axes = torch.linalg.svd(x @ predicted, full_matrices=False)[2][:CHANNELS]
        weight = axes @ predicted.T
        weight /= (x @ weight.T).std(0)[:, None]
        self.linear.weight.copy_(weight[:, :, None, None])
        self.linear.bias.copy_(-weight @ mean)


class DetailDecoder(nn.Module):
    """Details, and the features of the shape that they lie on, -> what they add to the features twice as large."""

    def __init__(self, shape_channels: int, out_channels: int, ngf: int = 40):
        super().__init__()
        inner = 2 * ngf
        self.read = nn.Conv2d(CHANNELS, inner, 3, padding=1)
        self.around = nn.Conv2d(inner, inner, 3, padding=1)
        self.shape = nn.Conv2d(shape_channels, inner, 1)
        self.place = nn.Conv2d(inner, 4 * inner // 2, 3, padding=1)
        self.add = nn.Conv2d(inner // 2, out_channels, 1)
        nn.init.normal_(self.add.weight, 0, 0.5 * inner**-0.5)
        nn.init.zeros_(self.add.bias)

    def forward(self, details: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
        """Details [N,CHANNELS,12,16] and features [N,shape_channels,24,32] -> [N,out_channels,48,64]; it fades to 0 with
        the details."""
        present = details.flatten(1).abs().amax(1)[:, None, None, None].to(shape.dtype)
        x = F.leaky_relu(self.read(details), 0.2)
        x = x + F.leaky_relu(self.around(x), 0.2)
        x = F.interpolate(x, scale_factor=2, mode="bilinear") + self.shape(shape)
        x = F.pixel_shuffle(self.place(F.leaky_relu(x, 0.2)), 2)
        return present * self.add(F.leaky_relu(x, 0.2))


def missing(photo: torch.Tensor, thumbnail: torch.Tensor) -> torch.Tensor:
    """Photos [N,3,H,W] and thumbnails [N,3,24,32] -> by how much the photos are darker [N,3,H,W]."""
    return F.interpolate(thumbnail, photo.shape[2:], mode="bilinear") - photo


def quantise(x: torch.Tensor) -> torch.Tensor:
    """Numbers of any size -> the nearest of LEVELS values in [-1, 1]; gradients pass as if nothing was rounded."""
    x = torch.tanh(x)
    return x + (values(levels(x)) - x).detach()


def nothing() -> torch.Tensor:
    """Details [CHANNELS,12,16] that say nothing."""
    return torch.zeros(CHANNELS, ROWS, COLUMNS)


def pack(details: torch.Tensor) -> torch.Tensor:
    """Details [...,CHANNELS,12,16] -> bytes [...,CELLS], uint8."""
    weights = LEVELS ** torch.arange(CHANNELS, device=details.device)
    return (levels(details) * weights[:, None, None]).sum(-3).flatten(-2).to(torch.uint8)


def unpack(cells: torch.Tensor) -> torch.Tensor:
    """What `pack` made -> the details [...,CHANNELS,12,16]."""
    return values(unpack_levels(cells))


def unpack_levels(cells: torch.Tensor) -> torch.Tensor:
    """What `pack` made -> the numbers of the levels [...,CHANNELS,12,16], uint8."""
    places = [LEVELS**n for n in range(CHANNELS)]
    return torch.stack([cells // place % LEVELS for place in places], -2).unflatten(-1, (ROWS, COLUMNS))


def levels(details: torch.Tensor) -> torch.Tensor:
    """Details of any shape -> the number of each one's level, 0 to LEVELS - 1."""
    return ((details + 1) * ((LEVELS - 1) / 2)).round().long()


def values(numbers: torch.Tensor) -> torch.Tensor:
    """Numbers of levels -> details."""
    return numbers / ((LEVELS - 1) / 2) - 1
