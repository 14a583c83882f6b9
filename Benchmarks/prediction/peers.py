"""The other libraries' models, trained in one shape and asked in the fastest way each offers.

A case says `family` (boosted or forest), `trees`, `leaves` or `depth`, and the data set. Models are
trained once and kept beside the data; LightGBM's boosted model and scikit-learn's forest also serve
the libraries that only predict. Each `…_asker` returns two functions: one from a batch of rows to
nothing, for speed, and one that times single rows and returns microseconds, or None where only
batches are offered.
"""

import ctypes
import json
import pathlib
import pickle
import subprocess
import sys
import time

import numpy

from training import datasets

BOOSTED = ("LightGBM", "XGBoost", "scikit-learn", "Yggdrasil", "ONNX Runtime", "oneDAL", "tl2cgen")
FOREST = ("LightGBM", "XGBoost", "scikit-learn", "Yggdrasil", "ONNX Runtime", "tl2cgen")


def place(case, name):
    shape = "-".join(str(case[k]) for k in ("family", "trees", "leaves", "depth") if case.get(k))
    folder = datasets.cache_folder() / "models" / f"{pathlib.Path(case['data']).name}-{shape}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def rows_of(case):
    """Rows to train on, their classes, and the rows after them, which are predicted."""
    data = datasets.DataSet(case["data"])
    x, y = data.arrays()
    count = data.train_rows
    return x[:count], y[:count], numpy.ascontiguousarray(x[count:])


# --- Training, once per case ---------------------------------------------------------------------


def lightgbm_model(case):
    import lightgbm

    path = place(case, "lightgbm.txt")
    if not path.exists():
        x, y, _ = rows_of(case)
        shared = {"objective": "binary", "num_threads": 2, "verbosity": -1, "lambda_l2": 1.0}
        if case["family"] == "boosted":
            shared |= {"num_leaves": case["leaves"], "min_data_in_leaf": 5 if case["leaves"] > 500
                       else 20, "min_sum_hessian_in_leaf": 0}
        else:
            shared |= {
                "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.632,
                "feature_fraction_bynode": x.shape[1] ** -0.5, "min_data_in_leaf": 1,
                "max_depth": case["depth"], "num_leaves": 2 ** case["depth"]}
        lightgbm.train(shared, lightgbm.Dataset(x, y), case["trees"]).save_model(path)
    return lightgbm.Booster(model_file=path)


def xgboost_model(case):
    import xgboost

    path = place(case, "xgboost.ubj")
    if not path.exists():
        x, y, _ = rows_of(case)
        shared = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1}
        if case["family"] == "boosted":
            shared |= {"grow_policy": "lossguide", "max_leaves": case["leaves"], "max_depth": 0,
                       "eta": 0.1}
            rounds = case["trees"]
        else:
            shared |= {
                "num_parallel_tree": case["trees"], "eta": 1, "subsample": 0.632,
                "min_child_weight": 0, "reg_lambda": 1e-5,
                "colsample_bynode": x.shape[1] ** -0.5, "max_depth": case["depth"]}
            rounds = 1
        xgboost.train(shared, xgboost.QuantileDMatrix(x, y), rounds).save_model(path)
    return xgboost.Booster(model_file=path)


def sklearn_model(case):
    from sklearn import ensemble

    path = place(case, "sklearn.pickle")
    if not path.exists():
        x, y, _ = rows_of(case)
        if case["family"] == "boosted":
            model = ensemble.HistGradientBoostingClassifier(
                max_iter=case["trees"], max_leaf_nodes=case["leaves"], early_stopping=False,
                min_samples_leaf=5 if case["leaves"] > 500 else 20)
        else:
            model = ensemble.RandomForestClassifier(
                case["trees"], max_depth=case["depth"], n_jobs=2, random_state=1)
        path.write_bytes(pickle.dumps(model.fit(x, y)))
    return pickle.loads(path.read_bytes())


def yggdrasil_model(case):
    import ydf

    ydf.verbose(0)
    path = place(case, "ydf")
    if not path.exists():
        # Its fast engines take no discretized columns; sorting whole ones takes fewer rows.
        x, y = (part[:20_000] for part in rows_of(case)[:2])
        shared = {"label": "y", "num_threads": 2, "task": ydf.Task.CLASSIFICATION}
        if case["family"] == "boosted":
            learner = ydf.GradientBoostedTreesLearner(
                num_trees=case["trees"], growing_strategy="BEST_FIRST_GLOBAL",
                max_num_nodes=case["leaves"], max_depth=-1, shrinkage=0.1, validation_ratio=0.0,
                early_stopping="NONE", **shared)
        else:
            learner = ydf.RandomForestLearner(
                num_trees=case["trees"], max_depth=case["depth"] + 1, winner_take_all=False,
                min_examples=1, compute_oob_performances=False, **shared)
        learner.train(named(x) | {"y": y}).save(str(path))
    return ydf.load_model(str(path))


def named(x):
    return {f"f{i}": x[:, i] for i in range(x.shape[1])}


# --- Asking --------------------------------------------------------------------------------------


def timed(call, count, arguments):
    """Microseconds of each of `count` calls, less what calling through ctypes costs."""
    nothing = ctypes.CDLL(None).abs
    clock = time.perf_counter_ns
    costs = []
    for _ in range(2000):
        start = clock()
        nothing(1)
        costs.append(clock() - start)
    cost = numpy.median(costs)
    times = []
    for index in range(count):
        values = arguments[index % len(arguments)]
        start = clock()
        call(*values)
        times.append(clock() - start)
    return numpy.maximum(numpy.array(times) - cost, 0) / 1000


def lightgbm_asker(case, x, threads):
    import lightgbm

    booster = lightgbm_model(case)
    library, width = lightgbm.basic._LIB, x.shape[1]
    parameters = f"num_threads={threads} predict_disable_shape_check=true".encode()
    config, out, size = ctypes.c_void_p(), (ctypes.c_double * 2)(), ctypes.c_int64()
    assert library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, 0, 0, 0, 0, width, parameters, ctypes.byref(config)) == 0
    one = library.LGBM_BoosterPredictForMatSingleRowFast
    one.argtypes = [ctypes.c_void_p] * 4
    rows = [(config, row.ctypes.data, ctypes.addressof(size), ctypes.addressof(out))
            for row in x[:2000]]
    return (lambda part: booster.predict(part, num_threads=threads),
            lambda count: timed(one, count, rows))


def xgboost_asker(case, x, threads):
    import xgboost

    booster = xgboost_model(case)
    booster.set_param({"nthread": threads})
    library = xgboost.core._LIB
    config = json.dumps({
        "type": 0, "training": False, "iteration_begin": 0, "iteration_end": 0,
        "strict_shape": False, "missing": float("nan")}).replace("NaN", "NaN").encode()
    shape, dim, out = ctypes.c_void_p(), ctypes.c_uint64(), ctypes.c_void_p()
    one = library.XGBoosterPredictFromDense
    texts = [json.dumps({
        "data": [row.ctypes.data, True], "shape": [1, x.shape[1]], "typestr": "<f4",
        "version": 3}).encode() for row in x[:2000]]
    rows = [(booster.handle, text, config, None, ctypes.byref(shape), ctypes.byref(dim),
             ctypes.byref(out)) for text in texts]
    assert one(*rows[0]) == 0
    return booster.inplace_predict, lambda count: timed(one, count, rows)


def sklearn_asker(case, x, threads):
    model = sklearn_model(case)
    if case["family"] == "forest":
        model.n_jobs = threads
    rows = [(x[i:i + 1],) for i in range(2000)]
    return model.predict_proba, lambda count: timed(
        model.predict_proba, min(count, 300), rows)


def onnx_asker(case, x, threads):
    import onnxruntime

    path = place(case, "model.onnx")
    if not path.exists():
        if case["family"] == "boosted":
            import onnxmltools
            from onnxmltools.convert.common.data_types import FloatTensorType
            kinds = [("x", FloatTensorType([None, x.shape[1]]))]
            model = onnxmltools.convert_lightgbm(
                lightgbm_model(case), initial_types=kinds, zipmap=False)
        else:
            import skl2onnx
            from skl2onnx.common.data_types import FloatTensorType
            model = skl2onnx.to_onnx(
                sklearn_model(case), initial_types=[("x", FloatTensorType([None, x.shape[1]]))],
                options={"zipmap": False})
        path.write_bytes(model.SerializeToString())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"])
    rows = [(None, {"x": x[i:i + 1]}) for i in range(2000)]
    return (lambda part: session.run(None, {"x": part}),
            lambda count: timed(session.run, min(count, 5000), rows))


def onedal_asker(case, x, threads):
    import daal4py

    daal4py.daalinit(threads)
    model = daal4py.mb.convert_model(lightgbm_model(case))
    rows = [(x[i:i + 1],) for i in range(2000)]
    return model.predict, lambda count: timed(model.predict, min(count, 500), rows)


def tl2cgen_asker(case, x, threads):
    import tl2cgen
    import treelite

    path = place(case, "compiled.so")
    if not path.exists():
        model = (treelite.frontend.from_lightgbm(lightgbm_model(case))
                 if case["family"] == "boosted" else treelite.sklearn.import_model(
                     sklearn_model(case)))
        tl2cgen.export_lib(
            model, toolchain="gcc", libpath=str(path),
            params={"parallel_comp": 32, "quantize": 0}, nthread=2)
    predictor = tl2cgen.Predictor(str(path), nthread=threads)
    one = ctypes.CDLL(str(path)).predict
    one.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    entries = [numpy.ascontiguousarray(row) for row in x[:2000]]
    out = numpy.zeros(4)
    rows = [(entry.ctypes.data, 0, out.ctypes.data) for entry in entries]
    kept = {}

    def ask(part):
        key = part.ctypes.data
        if key not in kept:
            if len(kept) > 64:
                kept.clear()
            kept[key] = tl2cgen.DMatrix(part)
        predictor.predict(kept[key])

    return ask, lambda count: timed(one, count, rows)


ASKERS = {
    "LightGBM": lightgbm_asker, "XGBoost": xgboost_asker, "scikit-learn": sklearn_asker,
    "ONNX Runtime": onnx_asker, "oneDAL": onedal_asker, "tl2cgen": tl2cgen_asker,
}


def yggdrasil_figures(case, x, batches, threads, seconds):
    """Its own benchmark, which asks its engine without Python."""
    model = yggdrasil_model(case)
    found = []
    for batch in batches:
        part = x[:max(batch, 2000)]
        while len(part) < batch:
            part = numpy.vstack([part, x])[:batch]
        for count in [1] if batch == 1 else threads:
            report = model.benchmark(
                named(part), benchmark_duration=seconds, warmup_duration=0.2, batch_size=batch,
                num_threads=count)
            took = report.duration_per_example  # Seconds.
            found.append({
                "batch": batch, "threads": count, "rows_per_second": 1 / took,
                "latency": {"median": took * 1e6} if batch == 1 else None})
    return found


def figures(peer, case, batches, threads, seconds):
    x = rows_of(case)[2]
    x = x[numpy.random.default_rng(1).permutation(len(x))]
    if peer == "Yggdrasil":
        return yggdrasil_figures(case, x, batches, threads, seconds)
    while len(x) < max(batches):
        x = numpy.vstack([x, x])
    found = []
    for batch in batches:
        for count in [1] if batch == 1 else threads:
            ask, alone = ASKERS[peer](case, x, count)
            if batch == 1:
                times = alone(20_000)
                found.append({
                    "batch": 1, "threads": 1, "rows_per_second": 1e6 / float(times.mean()),
                    "latency": {
                        "min": float(times.min()), "median": float(numpy.median(times)),
                        "p99": float(numpy.percentile(times, 99))}})
                continue
            found.append({
                "batch": batch, "threads": count, "rows_per_second": speed(ask, x, batch, seconds)})
    return found


def speed(ask, x, batch, seconds):
    """Rows a second, the median of five rounds over batches that differ."""
    parts = [x[i * batch:(i + 1) * batch] for i in range(min(len(x) // batch, 32))]
    ask(parts[0][:1000])
    start = time.perf_counter()
    ask(parts[-1])
    took = time.perf_counter() - start
    if took > 1:  # Once says enough.
        return batch / took
    calls = max(1, int(seconds / 5 / max(took, 1e-7)))
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for index in range(calls):
            ask(parts[index % len(parts)])
        rounds.append(batch * calls / (time.perf_counter() - start))
    return float(numpy.median(rounds))


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    print(json.dumps(figures(
        wanted["peer"], wanted["case"], wanted["batches"], wanted["threads"],
        wanted["seconds"])))
