"""The other libraries, asked with our trees in the fastest way each offers.

A case says `family` (boosted or forest), `trees`, `leaves` or `depth`, the data set and the file of
our trees. What is made of them for a library is kept beside that file, in a folder named for its
bytes. Only scikit-learn takes no trees of others: it trains its own, in the same shape. Each
`…_asker` returns three functions: from a batch of rows to nothing, for speed; one that times single
rows, in microseconds; and from rows to the chance of the second class.
"""

import ctypes
import hashlib
import json
import os
import pathlib
import pickle
import sys
import time

import numpy
from sklearn import metrics

from prediction import trees
from training import datasets

# What converted trees may answer other than ours: most libraries add float32.
DIFFERENCE_MAX = 1e-4
ALONE_ROWS = 2000
ALONE_CALLS_MAX, ALONE_SECONDS_MAX = 20_000, 1


class Differs(Exception):
    """A library that answers otherwise than we do with the same trees."""


def made(case, name, make):
    """The path of what `make` writes for just these trees; half a one never stands there."""
    trees_file = pathlib.Path(case["model"])
    digest = hashlib.sha256(trees_file.read_bytes()).hexdigest()[:12]
    folder = trees_file.parent / digest
    folder.mkdir(exist_ok=True)
    if not (folder / name).exists():
        partial = folder / f"partial-{os.getpid()}-{name}"
        make(partial)
        partial.rename(folder / name)
    return folder / name


def held_out(case):
    """The rows after those to train on, and their classes."""
    data = datasets.DataSet(case["data"])
    x, y = data.arrays()
    return numpy.ascontiguousarray(x[data.train_rows:]), y[data.train_rows:]


# --- Models, made once per case ------------------------------------------------------------------


def ensemble(case):
    return trees.Ensemble.read(case["model"])


def lightgbm_model(case):
    import lightgbm

    return lightgbm.Booster(model_file=made(
        case, "lightgbm.txt", lambda path: path.write_text(trees.lightgbm_text(ensemble(case)))))


def xgboost_model(case):
    import xgboost

    return xgboost.Booster(model_file=made(
        case, "xgboost.ubj", lambda path: trees.xgboost_model(ensemble(case)).save_model(path)))


def yggdrasil_model(case):
    import ydf

    ydf.verbose(0)
    return ydf.load_model(str(made(case, "ydf", lambda path: trees.yggdrasil_model(
        ensemble(case), held_out(case)[0]).save(str(path)))))


def sklearn_model(case):
    from sklearn import __version__, ensemble

    path = pathlib.Path(case["model"]).with_name(f"sklearn-{__version__}.pickle")
    if not path.exists():
        data = datasets.DataSet(case["data"])
        x, y = (part[:data.train_rows] for part in data.arrays())
        if case["family"] == "boosted":
            model = ensemble.HistGradientBoostingClassifier(
                max_iter=case["trees"], max_leaf_nodes=case["leaves"], early_stopping=False)
        else:
            model = ensemble.RandomForestClassifier(
                case["trees"], max_depth=case["depth"], n_jobs=2, random_state=1)
        partial = path.with_name(f"partial-{os.getpid()}-{path.name}")
        partial.write_bytes(pickle.dumps(model.fit(x, y)))
        partial.rename(path)
    return pickle.loads(path.read_bytes())


def onnx_path(case):
    def make(path):
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType

        booster = lightgbm_model(case)
        model = onnxmltools.convert_lightgbm(
            booster, zipmap=False,
            initial_types=[("x", FloatTensorType([None, booster.num_feature()]))])
        path.write_bytes(model.SerializeToString())

    return made(case, "model.onnx", make)


def compiled_path(case):
    """Minutes for a large model. XGBoost's form has thresholds of float32, half the bytes."""
    def make(path):
        import tl2cgen
        import treelite

        tl2cgen.export_lib(
            treelite.frontend.from_xgboost(xgboost_model(case)), toolchain="gcc",
            libpath=str(path), params={"parallel_comp": 32, "quantize": 0},
            nthread=len(os.sched_getaffinity(0)))

    return made(case, "compiled.so", make)


# --- Asking --------------------------------------------------------------------------------------


def timed(call, arguments):
    """Microseconds of calls one by one, less what calling through ctypes costs."""
    nothing = ctypes.CDLL(None).abs
    clock = time.perf_counter_ns
    costs = []
    for _ in range(2000):
        start = clock()
        nothing(1)
        costs.append(clock() - start)
    cost = numpy.median(costs)
    for values in arguments[:100]:
        call(*values)
    times = []
    end = clock() + ALONE_SECONDS_MAX * 1e9
    for index in range(ALONE_CALLS_MAX):
        values = arguments[index % len(arguments)]
        start = clock()
        call(*values)
        times.append(clock() - start)
        if start > end:
            break
    return numpy.maximum(numpy.array(times) - cost, 0) / 1000


def lightgbm_asker(case, x, threads):
    """Its C interface: single rows by the fast path, which keeps its settings."""
    import lightgbm

    booster = lightgbm_model(case)
    library, width = lightgbm.basic._LIB, x.shape[1]
    parameters = f"num_threads={threads} predict_disable_shape_check=true".encode()
    config, size = ctypes.c_void_p(), ctypes.c_int64()
    # Kind of answer 0, trees from 0 on, all of them, float32 (0).
    assert library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, 0, 0, -1, 0, width, parameters, ctypes.byref(config)) == 0
    one = library.LGBM_BoosterPredictForMatSingleRowFast
    one.argtypes = [ctypes.c_void_p] * 4
    single = (ctypes.c_double * 2)()
    rows = [(config, row.ctypes.data, ctypes.addressof(size), ctypes.addressof(single))
            for row in x[:ALONE_ROWS]]
    many = library.LGBM_BoosterPredictForMat
    out = numpy.zeros(len(x))

    def ask(part):
        assert many(
            booster._handle, ctypes.c_void_p(part.ctypes.data), 0, len(part), width, 1, 0, 0, -1,
            parameters, ctypes.byref(size), ctypes.c_void_p(out.ctypes.data)) == 0

    def answer(part):
        ask(part)
        return out[:len(part)].copy()

    return ask, lambda: timed(one, rows), answer


def xgboost_asker(case, x, threads):
    """Its C interface for rows in place: no matrix of its own is made."""
    import xgboost

    booster = xgboost_model(case)
    booster.set_param({"nthread": threads})
    one = xgboost.core._LIB.XGBoosterPredictFromDense
    config = (b'{"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0, '
              b'"strict_shape": false, "missing": NaN}')
    shape, size, out = ctypes.c_void_p(), ctypes.c_uint64(), ctypes.c_void_p()

    def arguments(part):
        text = json.dumps({
            "data": [part.ctypes.data, True], "shape": list(part.shape), "typestr": "<f4",
            "version": 3}).encode()
        return (booster.handle, text, config, None, ctypes.byref(shape), ctypes.byref(size),
                ctypes.byref(out))

    def ask(part):
        assert one(*arguments(part)) == 0

    rows = [arguments(x[i:i + 1]) for i in range(ALONE_ROWS)]
    assert one(*rows[0]) == 0
    return ask, lambda: timed(one, rows), booster.inplace_predict


def sklearn_asker(case, x, threads):
    model = sklearn_model(case)
    if case["family"] == "forest":
        model.n_jobs = threads
    rows = [(x[i:i + 1],) for i in range(ALONE_ROWS)]
    return (model.predict_proba, lambda: timed(model.predict_proba, rows),
            lambda part: model.predict_proba(part)[:, 1])


def onnx_asker(case, x, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        str(onnx_path(case)), options, providers=["CPUExecutionProvider"])
    # Of a classifier the second output, the shares.
    wanted = [session.get_outputs()[-1].name]
    rows = [(wanted, {"x": x[i:i + 1]}) for i in range(ALONE_ROWS)]
    return (lambda part: session.run(wanted, {"x": part}),
            lambda: timed(session.run, rows),
            lambda part: session.run(wanted, {"x": part})[0].reshape(len(part), -1)[:, -1])


def onedal_asker(case, x, threads):
    """From XGBoost's form: in LightGBM's its converter moves thresholds by less than a float32."""
    import daal4py

    daal4py.daalinit(threads)
    model = daal4py.mb.convert_model(xgboost_model(case))
    call = model.predict_proba if case["family"] == "boosted" else model.predict
    rows = [(x[i:i + 1],) for i in range(ALONE_ROWS)]
    return (call, lambda: timed(call, rows),
            lambda part: numpy.asarray(call(part)).reshape(len(part), -1)[:, -1])


def tl2cgen_asker(case, x, threads):
    """Batches by its runtime, from matrices made before; single rows by the compiled function."""
    import tl2cgen

    path = compiled_path(case)
    predictor = tl2cgen.Predictor(str(path), nthread=threads)
    one = ctypes.CDLL(str(path)).predict
    one.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    out = numpy.zeros(4)
    entries = x[:ALONE_ROWS].astype(predictor.threshold_type)
    rows = [(row.ctypes.data, 0, out.ctypes.data) for row in entries]
    kept = {}

    def ask(part):
        key = part.ctypes.data, len(part)
        if key not in kept:
            if len(kept) > 64:
                kept.clear()
            kept[key] = tl2cgen.DMatrix(part)
        return predictor.predict(kept[key])

    return (ask, lambda: timed(one, rows),
            lambda part: ask(part).reshape(len(part)))


ASKERS = {
    "LightGBM": lightgbm_asker, "XGBoost": xgboost_asker, "scikit-learn": sklearn_asker,
    "ONNX Runtime": onnx_asker, "oneDAL": onedal_asker, "tl2cgen": tl2cgen_asker,
}


def yggdrasil_figures(model, x, batches, threads, seconds):
    """Its own benchmark, which asks without Python, with each of its engines: the fastest counts.

    One row's time is a mean: it tells no others.
    """
    engines = model.list_compatible_engines()
    engines = [name for name in engines if not name.endswith("Generic")] or engines
    found = []
    for batch in batches:
        part = trees.named(x[:max(batch, ALONE_ROWS)])
        for count in [1] if batch == 1 else threads:
            took = {}
            for engine in engines:
                model.force_engine(engine)
                took[engine] = model.benchmark(
                    part, benchmark_duration=seconds, warmup_duration=min(0.2, seconds),
                    batch_size=batch, num_threads=count).duration_per_example  # Seconds.
            engine = min(took, key=took.get)
            found.append({
                "batch": batch, "threads": count, "rows_per_second": 1 / took[engine],
                "engine": engine,
                "latency": {"mean": took[engine] * 1e6} if batch == 1 else None})
    return found


def figures(peer, case, batches, threads, seconds):
    """Rows a second and times of single rows; rows come shuffled."""
    x = held_out(case)[0]
    x = x[numpy.random.default_rng(1).permutation(len(x))]
    while len(x) < max(batches):
        x = numpy.vstack([x, x])
    if peer == "Yggdrasil":
        return yggdrasil_figures(yggdrasil_model(case), x, batches, threads, seconds)
    found = []
    for count in threads:
        ask, alone, _ = ASKERS[peer](case, x, count)
        for batch in batches:
            if batch == 1 and count == threads[0]:
                found.append(single(alone()))
            elif batch > 1:
                found.append({
                    "batch": batch, "threads": count,
                    "rows_per_second": speed(ask, x, batch, seconds)})
    return found


def single(times):
    return {
        "batch": 1, "threads": 1, "rows_per_second": 1e6 / float(times.mean()),
        "latency": {
            "min": float(times.min()), "median": float(numpy.median(times)),
            "p99": float(numpy.percentile(times, 99))}}


def speed(ask, x, batch, seconds):
    """Rows a second, the median of five rounds over batches that differ."""
    parts = [x[i * batch:(i + 1) * batch] for i in range(min(len(x) // batch, 32))]
    for part in parts if batch <= 1000 else parts[:1]:
        ask(part)
    start = time.perf_counter()
    ask(parts[-1])
    took = time.perf_counter() - start
    if took > max(1, seconds):  # Once says enough.
        return batch / took
    calls = max(1, int(seconds / 5 / max(took, 1e-7)))
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for index in range(calls):
            ask(parts[index % len(parts)])
        rounds.append(batch * calls / (time.perf_counter() - start))
    return float(numpy.median(rounds))


def quality(peer, case):
    """How far its answers are from ours with the same trees, and the area under its curve."""
    x, y = held_out(case)
    if peer == "Yggdrasil":
        found = yggdrasil_model(case).predict(trees.named(x))
    else:
        found = ASKERS[peer](case, x, 1)[2](x)
    area = float(metrics.roc_auc_score(y, found))
    if peer == "scikit-learn":
        return {"difference": None, "auc": area}
    difference = float(numpy.abs(found - our_answers(case)).max())
    if not difference <= DIFFERENCE_MAX:
        raise Differs(f"answers are up to {difference:.2g} away from ours with the same trees")
    return {"difference": difference, "auc": area}


def our_answers(case):
    found = numpy.fromfile(case["answers"], dtype=numpy.float32)
    return found.reshape(len(held_out(case)[0]), -1)[:, -1]


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    peer, case = wanted["peer"], wanted["case"]
    print(json.dumps(quality(peer, case) | {"figures": figures(
        peer, case, wanted["batches"], wanted["threads"], wanted["seconds"])}))
