"""A user's own data: folders of images, arrays, tables and IDX pairs, and what is wrong with
them in a line."""

import gzip

import numpy as np
import pytest
from helpers.data_mirror import idx
from PIL import Image

from nets.data.download import DataError
from nets.data.files import as_bytes, as_dataset, load_own, ranges_of

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 6, 5)).astype(np.uint8)
LABELS = np.arange(12) % 3


def folder_of(home, names=("ant", "bee", "cat"), part=""):
    for i, (image, label) in enumerate(zip(IMAGES, LABELS)):
        place = home / part / names[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{i:02}.png")
    return str(home)


def test_a_folder_of_images_has_a_folder_a_class(tmp_path):
    own = load_own(folder_of(tmp_path))
    assert own.names == ("ant", "bee", "cat") and own.parts is None
    assert np.array_equal(own.y, np.repeat([0, 1, 2], 4))
    assert np.array_equal(own.x[own.y == 1], IMAGES[LABELS == 1])
    scaled = load_own(str(tmp_path), (3, 4), colours=True)
    assert scaled.x.shape == (12, 3, 4, 3) and scaled.x.dtype == np.uint8


def test_folders_named_by_numbers_keep_them_and_parts_are_told(tmp_path):
    folder_of(tmp_path, "2 0 10".split(), "train")
    folder_of(tmp_path, "2 0 10".split(), "test")
    own = load_own(str(tmp_path))
    assert own.names == tuple(map(str, range(11))) and set(own.y) == {0, 2, 10}
    assert len(own.parts[0]) == len(own.parts[1]) == 12 and len(own.test[1]) == 12
    data = as_dataset(own)
    assert data.classes == 11 and len(data.train_labels) == 12


def test_arrays_come_in_one_file_or_two(tmp_path):
    np.savez_compressed(tmp_path / "d.npz", X=IMAGES, y=LABELS)
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "y.npy", LABELS)
    np.savez(tmp_path / "p.npz", x_train=IMAGES[:8], y_train=LABELS[:8], x_test=IMAGES[8:],
             y_test=LABELS[8:])
    hot = np.eye(3)[LABELS]
    np.savez(tmp_path / "h.npz", images=IMAGES.astype(float), labels=hot)
    for path in ("d.npz", f"x.npy,{tmp_path}/y.npy", "h.npz"):
        own = load_own(f"{tmp_path}/{path}")
        assert np.array_equal(own.x, IMAGES) and np.array_equal(own.y, LABELS)
    parts = load_own(f"{tmp_path}/p.npz")
    assert np.array_equal(parts.test[0], IMAGES[8:])
    assert len(as_dataset(parts).train_labels) == 8


def test_a_table_has_a_column_of_labels(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,species,b\n1,oak,2.5\n-3,elm,0\n5,oak,10\n")
    own = load_own(str(path), label="species")
    assert own.names == ("elm", "oak") and own.y.tolist() == [1, 0, 1]
    assert own.x.tolist() == [[1, 2.5], [-3, 0], [5, 10]]
    bytes_ = as_bytes(own)
    assert bytes_.x.shape == (3, 1, 2) and bytes_.x[:, 0, 0].tolist() == [128, 0, 255]
    low, high = ranges_of(own)
    later = as_bytes(load_own(str(path), label="species").called(("oak", "elm", "fir")),
                     (low - 1, high + 1))
    assert later.y.tolist() == [0, 1, 0] and later.x.max() < 255
    path.write_text("1,2,0\n3,4,1\n")  # without names the last column is the label
    assert load_own(str(path)).y.tolist() == [0, 1]


@pytest.mark.parametrize("names", [
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
     "t10k-labels-idx1-ubyte"),
    ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte",
     "t10k-labels.idx1-ubyte"),
    ("emnist-x-train-images-idx3-ubyte.gz", "emnist-x-train-labels-idx1-ubyte.gz",
     "emnist-x-test-images-idx3-ubyte.gz", "emnist-x-test-labels-idx1-ubyte.gz")])
def test_idx_pairs_are_found_under_their_usual_names(names, tmp_path):
    arrays = (IMAGES[:8], LABELS[:8].astype(np.uint8), IMAGES[8:], LABELS[8:].astype(np.uint8))
    for name, array in zip(names, arrays):
        text = idx(array)
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    own = load_own(str(tmp_path))
    assert np.array_equal(own.x, IMAGES) and np.array_equal(own.y, LABELS)
    assert np.array_equal(own.test[1], LABELS[8:])


def wrong_sizes(home):
    folder_of(home)
    Image.fromarray(IMAGES[0, :4]).save(home / "bee" / "zz.png")
    return str(home), "zz.png is of 4 x 5, 00.png of 6 x 5; say what to scale them to"


def no_image(home):
    folder_of(home)
    (home / "ant" / "x.png").write_bytes(b"no image at all")
    return str(home), "x.png cannot be read as an image"


def empty(home):
    return str(home), "there is no image in it: a folder of images has a folder a class"


def not_finite(home):
    (home / "t.csv").write_text("a,y\nnan,0\n1,1\n")
    return str(home / "t.csv"), "inputs hold NaN or infinity"


def short_line(home):
    (home / "t.csv").write_text("a,b,y\n1,2,0\n1,1\n")
    return str(home / "t.csv"), "line 3 has not 3 columns"


def no_column(home):
    (home / "t.csv").write_text("a,b,y\n1,2,0\nx,2,0\n")
    return str(home / "t.csv"), "a column other than 'y' is no number"


def other_names(home):
    np.savez(home / "d.npz", pictures=IMAGES)
    return str(home / "d.npz"), "an .npz has x and y"


def too_few(home):
    np.savez(home / "d.npz", x=IMAGES, y=LABELS[:5])
    return str(home / "d.npz"), "12 inputs need as many labels, got 5"


def negative(home):
    np.savez(home / "d.npz", x=IMAGES, y=LABELS - 1)
    return str(home / "d.npz"), "labels must be 0..65535, got -1..1"


def missing(home):
    return str(home / "nothing"), "there is no such file or folder"


@pytest.mark.parametrize("make", [wrong_sizes, no_image, empty, not_finite, short_line, no_column,
                                  other_names, too_few, negative, missing],
                         ids=lambda f: f.__name__)
def test_what_is_wrong_with_data_is_one_line(make, tmp_path):
    path, text = make(tmp_path)
    with pytest.raises(DataError) as told:
        load_own(path)
    assert text in str(told.value) and "\n" not in str(told.value)
    assert str(tmp_path) in str(told.value)


def test_a_class_that_a_run_does_not_know_is_told(tmp_path):
    own = load_own(folder_of(tmp_path))
    with pytest.raises(DataError, match="there is no class 'bee'; there are ant, cat, dog"):
        own.called(("ant", "cat", "dog"))
