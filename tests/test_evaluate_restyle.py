"""The judge of restyling: it learns languages from photos, and its measures mean what they say."""

import numpy as np
import pytest
from PIL import Image

from isneaker.languages import LANGUAGES
from isneaker.render import render
from isneaker.restyle import restyle
from tests.pictures import prepared
from train.data import Sneakers
from train.evaluate.classifier import LanguageClassifier
from train.evaluate.restyle import _iou, _lab_distance, _mask


@pytest.fixture(scope="module")
def classifier(data, tmp_path_factory):
    return LanguageClassifier(data, tmp_path_factory.mktemp("cache")), data


def test_the_classifier_learns_the_training_photos_and_reads_its_features_again(classifier, tmp_path):
    judge, data = classifier
    sneakers = Sneakers(data, tmp_path)
    probabilities = judge([Image.fromarray(sneakers.photos[i]) for i in sneakers.index])
    assert probabilities.shape == (len(sneakers.index), len(LANGUAGES)) and np.allclose(
        probabilities.sum(1), 1, atol=1e-5
    )
    assert (probabilities.argmax(1) == sneakers.languages[sneakers.index]).all()


def test_overlap_and_colour_distance_tell_the_same_shoe_from_another():
    photo, other = prepared("low", 3), prepared("high", 8)
    same = render(restyle(photo, (), 0))
    assert _iou(same, photo.mask) > 0.9 > 0.8 > _iou(other.photo, photo.mask)
    assert _lab_distance(same, photo) < 0.5 * _lab_distance(other.photo, photo)
    assert (_mask(photo.photo) & photo.mask).sum() / (_mask(photo.photo) | photo.mask).sum() > 0.95
