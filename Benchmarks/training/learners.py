"""The other libraries' learners under one set of words.

Each function takes rows, targets and a specification (`task`, `categorical`, `threads`, `seed` and
the family's parameters), fits, and returns a function from rows to answers: the second class's
probability, all classes' probabilities, or a number. What a library calls a setting stands beside
ours; everything not named is its default.
"""

import numpy


def lightgbm(x, y, spec):
    import lightgbm

    shared = {
        "objective": {"binary": "binary", "classes": "multiclass", "regression": "regression"}[
            spec["task"]],
        "num_threads": spec["threads"], "seed": spec["seed"], "verbosity": -1,
    }
    if spec["task"] == "classes":
        shared["num_class"] = int(y.max()) + 1
    if spec["family"] == "boosted":
        shared |= {
            "num_leaves": spec["leaves"], "learning_rate": spec["rate"],
            "lambda_l2": spec["l2"], "max_bin": spec["bins"]}
        rounds = spec["rounds"]
    else:
        width = x.shape[1]
        depth = spec["depth"] or 17  # Its trees have at most 131,072 leaves.
        shared |= {
            "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.632,
            "feature_fraction_bynode": tried(spec, width) / width, "min_data_in_leaf": 1,
            # It holds a histogram for each of the leaves there might be, gigabytes of them.
            "max_depth": depth, "num_leaves": min(2 ** depth, 16_384, len(x)),
            "histogram_pool_size": 4096}
        rounds = spec["trees"]
    rows = lightgbm.Dataset(
        x, y, categorical_feature=spec["categorical"], params={
            "max_bin": spec.get("bins", 255), "num_threads": spec["threads"], "verbosity": -1})
    return lightgbm.train(shared, rows, rounds).predict


def xgboost(x, y, spec):
    import xgboost

    categorical = set(spec["categorical"])
    kinds = ["c" if i in categorical else "q" for i in range(x.shape[1])] if categorical else None
    shared = {
        "objective": {
            "binary": "binary:logistic", "classes": "multi:softprob",
            "regression": "reg:squarederror"}[spec["task"]],
        "tree_method": "hist", "nthread": spec["threads"], "seed": spec["seed"], "verbosity": 0,
        "max_bin": spec.get("bins", 255)}
    if spec["task"] == "classes":
        shared["num_class"] = int(y.max()) + 1
    if spec["family"] == "boosted":
        shared |= {
            "grow_policy": "lossguide", "max_leaves": spec["leaves"], "max_depth": 0,
            "eta": spec["rate"], "reg_lambda": spec["l2"]}
        rounds = spec["rounds"]
    else:
        shared |= {
            "num_parallel_tree": spec["trees"], "eta": 1, "subsample": 0.632, "reg_lambda": 1e-5,
            "min_child_weight": 0,
            "colsample_bynode": tried(spec, x.shape[1]) / x.shape[1],
            "max_depth": spec["depth"] or 0}
        rounds = 1
    rows = xgboost.QuantileDMatrix(
        x, y, max_bin=shared["max_bin"], nthread=spec["threads"], feature_types=kinds,
        enable_categorical=bool(categorical))
    booster = xgboost.train(shared, rows, rounds)
    return lambda rows: booster.inplace_predict(rows) if not categorical else booster.predict(
        xgboost.DMatrix(rows, feature_types=kinds, enable_categorical=True))


def scikit_learn(x, y, spec):
    from sklearn import ensemble

    is_regression = spec["task"] == "regression"
    if spec["family"] == "boosted":
        kind = (ensemble.HistGradientBoostingRegressor if is_regression
                else ensemble.HistGradientBoostingClassifier)
        model = kind(
            max_iter=spec["rounds"], learning_rate=spec["rate"], max_leaf_nodes=spec["leaves"],
            l2_regularization=spec["l2"], max_bins=spec["bins"], early_stopping=False,
            categorical_features=spec["categorical"] or None, random_state=spec["seed"])
    else:
        kind = (ensemble.RandomForestRegressor if is_regression
                else ensemble.RandomForestClassifier)
        model = kind(
            spec["trees"], max_depth=spec["depth"] or None, max_features=spec["features"],
            n_jobs=spec["threads"], random_state=spec["seed"])
    model.fit(x, y)
    if is_regression:
        return model.predict
    return lambda rows: answer(spec, model.predict_proba(rows))


def yggdrasil(x, y, spec):
    import ydf

    ydf.verbose(0)
    categorical = set(spec["categorical"])
    columns = [
        (f"f{i}", ydf.Semantic.CATEGORICAL if i in categorical else ydf.Semantic.NUMERICAL)
        for i in range(x.shape[1])]

    def named(rows):
        return {
            f"f{i}": rows[:, i] if i not in categorical else numpy.where(
                numpy.isnan(rows[:, i]), "", rows[:, i].astype(str))
            for i in range(rows.shape[1])}

    shared = {
        "label": "y", "features": columns, "num_threads": spec["threads"],
        "random_seed": 1 + spec["seed"],
        "task": ydf.Task.REGRESSION if spec["task"] == "regression" else ydf.Task.CLASSIFICATION}
    if spec["family"] == "boosted":
        learner = ydf.GradientBoostedTreesLearner(
            num_trees=spec["rounds"], growing_strategy="BEST_FIRST_GLOBAL",
            max_num_nodes=spec["leaves"], max_depth=-1, shrinkage=spec["rate"],
            l2_regularization=spec["l2"], validation_ratio=0.0, early_stopping="NONE",
            discretize_numerical_columns=True, num_discretized_numerical_bins=spec["bins"],
            **shared)
    else:
        width = x.shape[1]
        learner = ydf.RandomForestLearner(
            num_trees=spec["trees"], winner_take_all=False, min_examples=1,
            # Its depth counts nodes, where the others count splits.
            max_depth=spec["depth"] + 1 if spec["depth"] else -1,
            # It tries one feature more than it is told, and takes 0 for a default.
            num_candidate_attributes=max(1, tried(spec, width) - 1),
            compute_oob_performances=False, **shared)
    model = learner.train({**named(x), "y": y})
    return lambda rows: model.predict(named(rows), num_threads=spec["threads"])


def tried(spec, width):
    """Features tried at a node."""
    share = spec["features"]
    return max(1, int(width ** 0.5)) if share == "sqrt" else max(1, int(share * width))


def answer(spec, shares):
    return shares[:, 1] if spec["task"] == "binary" else shares


PEERS = {
    "LightGBM": lightgbm, "XGBoost": xgboost, "scikit-learn": scikit_learn,
    "Yggdrasil": yggdrasil,
}
MODULES = {
    "LightGBM": "lightgbm", "XGBoost": "xgboost", "scikit-learn": "sklearn", "Yggdrasil": "ydf",
}
