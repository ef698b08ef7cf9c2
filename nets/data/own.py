"""Data sets of a user's own arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nets.data.sets import Dataset

__all__ = ["OWN", "of_arrays", "parted"]

OWN = "own"  # the name of such a data set
FIFTH = 5  # of each class every fifth image is a test image where none are given


def of_arrays(given: Sequence) -> Dataset:
    """Return the data set of (images, labels) or (images, labels, test images, test labels).

    Images are uint8, n x h x w or n x h x w x 3, labels integers from 0. Of two arrays, every
    fifth image of each class is a test image. Raises TypeError for other than arrays of two or
    four, ValueError for arrays that do not fit.
    """
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 4):
        raise TypeError("dataset is a name, or (images, labels) or (images, labels, test images, "
                        "test labels)")
    arrays = [np.asarray(array) for array in given]
    for images, labels in zip(arrays[::2], arrays[1::2]):
        _check(images, labels)
    if len(arrays) == 2:
        arrays = parted(*arrays)
    images, labels, test_images, test_labels = arrays
    if not len(test_labels) or images.shape[1:] != test_images.shape[1:]:
        raise ValueError(f"test images must be as large as training images, {images.shape[1:]}, "
                         f"and at least one, got {test_images.shape}")
    classes = int(max(labels.max(), test_labels.max())) + 1
    return Dataset(OWN, images, labels.astype(np.int64), test_images,
                   test_labels.astype(np.int64), classes)


def _check(images: np.ndarray, labels: np.ndarray) -> None:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or not images.size:
        raise ValueError("images are uint8 of 0..255, n x h x w or n x h x w x 3, got "
                         f"{images.dtype} of shape {images.shape}")
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1] or labels.min() < 0:
        raise ValueError(f"labels are integers from 0, one for each of {len(images)} images, "
                         f"got {labels.dtype} of shape {labels.shape}")


def parted(images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Return inputs and labels to train on, then those to test on: every fifth of a class."""
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        test[np.flatnonzero(labels == label)[FIFTH - 1 :: FIFTH]] = True
    return [images[~test], labels[~test], images[test], labels[test]]
