"""What the networks are trained to do well, each a function of a line or three."""

import torch
from torch.nn import functional as F


def weighted_mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean over everything of values [N,...], sample n counted weights[n] times."""
    return (values.reshape(len(values), -1).mean(1) * weights).sum() / len(weights)


def l1(fake: torch.Tensor, real: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference (arXiv 1611.07004, eq. 3)."""
    return weighted_mean((fake - real).abs(), weights)


def chroma_error(fake: torch.Tensor, real: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of the colours less their grey, cell by cell.

    Squared, because the median colour of shoes is grey: an absolute difference keeps a young network there.
    """
    fake, real = F.avg_pool2d(fake, 8), F.avg_pool2d(real, 8)
    chroma = (fake - fake.mean(1, keepdim=True)) - (real - real.mean(1, keepdim=True))
    return weighted_mean(chroma.square(), weights)


def feature_distance(fake: list[torch.Tensor], real: list[torch.Tensor], weights: torch.Tensor) -> torch.Tensor:
    """Squared difference of features that are normalised over channels, summed over maps (arXiv 1801.03924)."""
    return sum(
        weighted_mean((F.normalize(f.float(), dim=1) - F.normalize(r.float(), dim=1)).square().sum(1), weights)
        for f, r in zip(fake, real)
    )


def pooled_distance(fake: torch.Tensor, real: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Squared distance of pooled features [N,D], the real ones' square = 1: what is shown, wherever it is."""
    return weighted_mean((fake - real).float().square().sum(1) / real.float().square().sum(1), weights)


def unused_levels(codes: torch.Tensor) -> torch.Tensor:
    """How far each channel of codes [N,C,H,W] before their quantisation is from mean 0 and deviation 1: where all fall
    on one level, nothing is said, and nothing is learnt."""
    return (codes.mean((0, 2, 3)).square() + (codes.std((0, 2, 3)) - 1).square()).mean()


def generator_hinge(logits: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Generator's half of the hinge loss (arXiv 1802.05957)."""
    return weighted_mean(-logits.float(), weights)


def discriminator_hinge(real: torch.Tensor, fake: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Discriminator's half of the hinge loss."""
    return weighted_mean(F.relu(1 - real.float()) + F.relu(1 + fake.float()), weights)


def generator_logistic(logits: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Generator's half of the non-saturating loss (arXiv 1406.2661)."""
    return weighted_mean(F.softplus(-logits.float()), weights)


def discriminator_logistic(real: torch.Tensor, fake: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Discriminator's half of the non-saturating loss."""
    return weighted_mean(F.softplus(fake.float()), weights) + F.softplus(-real.float()).mean()


def r1_penalty(logits: torch.Tensor, photos: torch.Tensor) -> torch.Tensor:
    """Mean squared gradient of the logits' sum with respect to real photos (arXiv 1801.04406)."""
    (gradient,) = torch.autograd.grad(logits.float().sum(), photos, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def contrast(read: torch.Tensor, z: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """InfoNCE (arXiv 1807.03748): the code read from picture n must be nearer to z[n] than to the others' codes.

    A plain distance would be least with one code for all.
    """
    similarity = F.normalize(read, dim=1) @ F.normalize(z, dim=1).T  # [N,N]
    own = torch.arange(len(z), device=z.device)
    return weighted_mean(F.cross_entropy(similarity / 0.1, own, reduction="none"), weights)
