"""How a shoe lies in a picture: which way is down, where its toe points, where on the canvas it belongs."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy.spatial import ConvexHull
from skimage.measure import approximate_polygon, find_contours

from isneaker.design import COLUMNS, HEIGHT, ROWS, WIDTH
from isneaker.nets.cutout import Silhouettes
from isneaker.strokes import Stroke

ROOM = (464, 330)  # of the shoe on the canvas, in pixels
BASE = 352.5  # where the sole stands
STRAIGHT = 2e-3  # misfit that a degree costs: people mostly hold the camera straight


class Pose(NamedTuple):
    """Degrees to turn the picture counter-clockwise, whether to mirror it then, and how far the silhouette is from a
    sneaker's after that: about 1 for a sneaker."""

    angle: float
    mirrored: bool
    misfit: float


def pose_of(mask: np.ndarray, silhouettes: Silhouettes) -> Pose:
    """Mask [H,W] of bool -> the pose in which its outline looks most like a sneaker that stands, toe right."""
    outline = outline_of(mask)
    resting = _resting_angles(outline)
    angles = [0.0, *resting, *(angle + d for angle in resting[:2] for d in (-3, 3))]
    poses = [(angle, mirrored) for angle in angles for mirrored in (False, True)]
    shadows = np.stack([shadow_of(_stand(outline, *pose)) for pose in poses])
    misfits = silhouettes.misfit(torch.from_numpy(shadows)).numpy()
    misfits = misfits + STRAIGHT * np.abs([angle for angle, _ in poses])
    best, level = int(np.argmin(misfits)), int(np.argmin(misfits[:2]))
    if misfits[level] < 1.1 * misfits[best]:
        best = level
    return Pose(*poses[best], float(misfits[best]))


def outline_of(mask: np.ndarray) -> Stroke:
    """The border of a mask's largest part, a closed polyline [K,2] of x, y."""
    contour = max(find_contours(np.pad(mask, 1).astype(np.float32), 0.5), key=len)[:, ::-1] - 1
    return approximate_polygon(contour, 0.8)


def onto_canvas(outline: Stroke, angle: float, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
    """Outline in a picture and its pose -> matrix [2,2] and offset [2]: a point p of the picture belongs at
    p @ matrix + offset, where the shoe is as large as its room allows and stands on the common line."""
    matrix = _rotation(angle) * ((-1 if mirrored else 1), 1)
    points = outline @ matrix
    low, high = points.min(0), points.max(0)
    scale = (ROOM / np.maximum(high - low, 1)).min()
    return matrix * scale, np.array([WIDTH / 2, BASE]) - scale * np.array([(low[0] + high[0]) / 2, high[1]])


def _stand(outline: Stroke, angle: float, mirrored: bool) -> Stroke:
    matrix, offset = onto_canvas(outline, angle, mirrored)
    return outline @ matrix + offset


def _rotation(angle: float) -> np.ndarray:
    """Turns rows of x, y counter-clockwise as the eye sees it (y goes down)."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([[cos, -sin], [sin, cos]])


def _resting_angles(outline: Stroke) -> list[float]:
    """Degrees that bring each long edge of the convex hull to the ground, the longest first."""
    corners = outline[ConvexHull(outline).vertices]
    edges = np.roll(corners, -1, 0) - corners
    lengths = np.hypot(*edges.T)
    longest = [i for i in np.argsort(-lengths)[:5] if lengths[i] > 0.25 * np.ptp(outline, 0).max()]
    angles = []
    for i in longest:
        angle = np.degrees(np.arctan2(edges[i, 1], edges[i, 0]))
        edge, centre = np.stack([corners[i], corners.mean(0)]) @ _rotation(angle)
        angle += 0 if edge[1] > centre[1] else 180  # the edge goes below
        angles.append(float((angle + 180) % 360 - 180))
    return angles


def fill(outline: Stroke) -> np.ndarray:
    """Closed polyline on the canvas -> its inside, [384,512] of bool."""
    canvas = Image.new("1", (WIDTH, HEIGHT))
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in outline.tolist()], fill=1)
    return np.asarray(canvas)


def shadow_of(outline: Stroke) -> np.ndarray:
    """Outline on the canvas -> its cover of each cell, [48,64] in [0, 1]."""
    canvas = Image.new("L", (4 * COLUMNS, 4 * ROWS))
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in (outline / 2).tolist()], fill=255)
    return np.asarray(canvas.reduce(4), np.float32) / 255
