"""files.py OUT FOLDER: writes files as NumPy, scikit-learn and gzip write them into FOLDER, and
what scikit-learn and NumPy read from them, as JSON in OUT."""

import gzip
import json
import sys

import numpy
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

out, folder = sys.argv[1:3]
rng = numpy.random.default_rng(5)
answer = {"arrays": {}, "svm": {}}


def bits(values):
    """float32 bit patterns, which JSON carries exactly."""
    return numpy.ascontiguousarray(values, dtype="<f4").view("<u4").ravel().tolist()


whole = rng.integers(-100, 100, size=(7, 3))
for kind in ["<f4", ">f4", "<f8", ">f8", "|i1", "<i2", ">i4", "<i8", "|u1", ">u2", "<u8", "|b1"]:
    numbers = rng.normal(size=(7, 3)) if "f" in kind else numpy.abs(whole)
    for order in "CF":
        for version in [(1, 0), (2, 0), (3, 0)]:
            name = f"{kind.strip('<>|')}-{kind[0] == '>'}-{order}-{version[0]}.npy"
            array = numpy.asarray(numbers, dtype=kind, order=order)
            with open(f"{folder}/{name}", "wb") as file:
                numpy.lib.format.write_array(file, array, version=version)
            answer["arrays"][name] = bits(array.astype("<f4"))
numpy.save(f"{folder}/labels.npy", numpy.array([3, 1, 3, 2, 1, 1, 3], dtype="<i8"))

x = rng.normal(size=(20, 6)) * (rng.random((20, 6)) < 0.4)
x[0, 0] = 1.5
x[3, 5] = 2.5
y = rng.integers(0, 3, size=20)
groups = numpy.sort(rng.integers(0, 5, size=20))
for name, is_zero_based in [("zero.svm", True), ("one.svm", False)]:
    dump_svmlight_file(x, y, f"{folder}/{name}", zero_based=is_zero_based, query_id=groups,
                       comment="from scikit-learn")
    features, labels, query = load_svmlight_file(f"{folder}/{name}", query_id=True)
    answer["svm"][name] = {"features": bits(features.toarray()), "labels": labels.astype(int).tolist(),
                           "groups": query.tolist()}

rows = "a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(100_000))
with gzip.open(f"{folder}/one.csv.gz", "wb") as file:
    file.write(rows.encode())
cut = len(rows) // 3
with open(f"{folder}/members.csv.gz", "wb") as file:
    for piece in [rows[:cut], "", rows[cut:]]:
        file.write(gzip.compress(piece.encode()))
    file.write(bytes(100))
with gzip.open(f"{folder}/bomb.csv.gz", "wb") as file:
    file.write(b"a,y\n" + b"0,1\n" * 2_000_000)

with open(out, "w", encoding="utf-8") as file:
    json.dump(answer, file)
