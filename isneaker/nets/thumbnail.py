"""The thumbnail: which colour lies where, as a linear image of w.

Convolutions learn slowly to unfold w into panels of the right colour; a linear map can be fitted at once (as in eigenfaces), and
leaves the convolutions to draw it well.
"""

import torch
from torch import nn
from torch.nn import functional as F

HEIGHT, WIDTH = 24, 32
TOP, ROWS = 2, 20  # where sneakers lie; above and below is white


class Thumbnail(nn.Module):
    """w -> a thumbnail, and on the features of a shape what it adds to them."""

    def __init__(self, w_dim: int, channels: int, inner: int):
        super().__init__()
        self.linear = nn.Linear(w_dim, 3 * ROWS * WIDTH)
        self.read = nn.Conv2d(3, inner, 3, padding=1)
        self.shape = nn.Conv2d(channels, inner, 1)
        self.around = nn.Conv2d(inner, inner, 3, padding=1)
        self.add = nn.Conv2d(inner, channels, 1)
        for start in (self.linear, self.add):
            nn.init.zeros_(start.weight)
            nn.init.zeros_(start.bias)

    def colours(self, w: torch.Tensor) -> torch.Tensor:
        """w [N,w_dim] -> thumbnails [N,3,24,32] in about [-1, 1]."""
        return 1 - self._dark(w).float()

    def forward(self, w: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
        """w [N,w_dim] and features [N,channels,24,32] -> what is added to these."""
        x = F.leaky_relu(self.read(self._dark(w)) + self.shape(shape), 0.2)
        return self.add(F.leaky_relu(x + self.around(x), 0.2))

    def _dark(self, w: torch.Tensor) -> torch.Tensor:
        rows = self.linear(w).reshape(len(w), 3, ROWS, WIDTH)
        return F.pad(rows, (0, 0, TOP, HEIGHT - TOP - ROWS)).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def fit(self, w: torch.Tensor, photos: torch.Tensor) -> None:
        """Set the linear map by least squares: w [K,w_dim] of photos [K,3,24,32], K well over w_dim."""
        x = torch.cat([w, torch.ones_like(w[:, :1])], 1).double()
        dark = 1 - photos[:, :, TOP : TOP + ROWS].flatten(1).double()
        ridge = 1e-6 * x.square().sum(0).mean() * torch.eye(x.shape[1], dtype=x.dtype)
        solution = torch.linalg.solve(x.T @ x + ridge, x.T @ dark)
        self.linear.weight.copy_(solution[:-1].T)
        self.linear.bias.copy_(solution[-1])
