"""The style encoder: which colours and materials a photo has, as a point on a sphere, whatever its shape."""

import torch
from torch import nn
from torch.nn import functional as F

STYLE_HEIGHT, STYLE_WIDTH = 96, 128  # pixels of the photo that the encoder looks at


class StyleEncoder(nn.Module):
    """Photo -> style code z. Mean and deviation of the features of every layer are kept, their places are not.

    No normalisation inside: it would lose how light or strong a colour is.
    """

    def __init__(self, nef: int = 48, z_dim: int = 64):
        super().__init__()
        widths = (3 + 1, nef, nef * 2, nef * 4, nef * 4)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip(widths[:-1], widths[1:]))
        for conv in self.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        self.to_z = nn.Linear(2 * sum(widths[1:]), z_dim)

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,96,128] in [-1, 1] -> codes [N,z_dim] of mean square 1."""
        return to_sphere(self.to_z(self._statistics(photo)).float())

    def _statistics(self, photo: torch.Tensor) -> torch.Tensor:
        rows = torch.linspace(-1, 1, photo.shape[2], dtype=photo.dtype, device=photo.device)
        rows = rows[None, None, :, None].expand(len(photo), 1, -1, photo.shape[3])
        x, pooled = torch.cat([1 - photo, rows], 1), []  # the rows tell sole from upper
        for conv in self.convs:
            x = F.silu(conv(x))
            pooled += [x.float().mean((2, 3)), x.float().flatten(2).std(2)]
        return torch.cat(pooled, 1)

    @torch.no_grad()
    def whiten(self, photos: torch.Tensor) -> None:
        """Start from codes that differ: set the last layer so that the codes of photos [N,3,96,128], N well over
        z_dim, have mean 0 and covariance 1."""
        statistics = self._statistics(photos)
        mean = statistics.mean(0)
        _, scales, axes = torch.linalg.svd((statistics - mean) / len(photos) ** 0.5, full_matrices=False)
        z_dim = self.to_z.out_features
        weight = axes[:z_dim] / scales[:z_dim, None].clamp_min(1e-4)
        self.to_z.weight.copy_(weight)
        self.to_z.bias.copy_(-weight @ mean)


def to_sphere(z: torch.Tensor) -> torch.Tensor:
    """Scale codes [N,z_dim] to mean square 1, where all codes live."""
    return z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)


class CodeBank(nn.Module):
    """The style codes of the training photos: a design language is a distribution over codes, drawn by seed.

    codes [K,z_dim] int8, in units of 1/scale; languages [K] int8, ascending.
    """

    scale = 32  # style codes reach about +-4
    noise = 0.15  # deviation of what a draw adds to a stored code

    def __init__(self, count: int, z_dim: int = 64):
        super().__init__()
        self.register_buffer("codes", torch.zeros(count, z_dim, dtype=torch.int8))
        self.register_buffer("languages", torch.zeros(count, dtype=torch.int8))

    @classmethod
    def of(cls, codes: torch.Tensor, languages: torch.Tensor) -> "CodeBank":
        """Codes [K,z_dim] and languages [K] of K photos -> their bank."""
        order = torch.argsort(languages, stable=True)
        bank = cls(*codes.shape)
        bank.codes.copy_((codes[order] * cls.scale).round().clamp(-127, 127))
        bank.languages.copy_(languages[order])
        return bank

    @classmethod
    def pack(cls, code: torch.Tensor) -> bytes:
        """A code [z_dim] -> the bytes that a Design keeps of it."""
        return (code * cls.scale).round().clamp(-127, 127).to(torch.int8).numpy().tobytes()

    def unpack(self, code: bytes) -> torch.Tensor:
        """What `pack` made -> the code [1,z_dim]. Raises ValueError where it is not one of this model's."""
        if len(code) != self.codes.shape[1]:
            raise ValueError("this is not a code of this model")
        return torch.tensor(list(memoryview(code).cast("b")), dtype=torch.float32)[None] / self.scale

    def draw(self, seed: int, mix: dict[int, float]) -> torch.Tensor:
        """Seed and weights of languages (none: the data's own mix) -> a code [1,z_dim].

        A mix is the weighted sum of each language's draw for this seed, so it is continuous in the weights.
        """
        generator = torch.Generator().manual_seed(seed)
        place = torch.rand((), generator=generator).item()
        noise = self.noise * torch.randn(1, self.codes.shape[1], generator=generator)
        z = noise + sum(weight * self._pick(place, language) for language, weight in (mix or {-1: 1.0}).items())
        return to_sphere(z)

    def _pick(self, place: float, language: int) -> torch.Tensor:
        """The stored code [1,z_dim] at a place in [0, 1) of a language's share, -1 for all."""
        start, end = self.share(language)
        index = start + int(place * (end - start))
        return self.codes[index : index + 1].float() / self.scale

    def share(self, language: int) -> tuple[int, int]:
        """Where a language's codes start and end; of -1, and of one that the training photos do not have: all."""
        if language < 0:
            return 0, len(self.codes)
        ends = torch.tensor([language, language + 1], dtype=torch.int8)
        start, end = torch.searchsorted(self.languages, ends).tolist()
        return (start, end) if start < end else (0, len(self.codes))
