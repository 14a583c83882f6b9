"""Our trees as other libraries hold them, so that all answer with the same ones.

`Ensemble.read` takes the file that `learning-bench` writes (`TreesFile`). Its trees have one number
a leaf and scores are sums: a forest's shares of the second class are divided by the number of
trees, a booster's base score stands in the leaves of the first tree. A value goes left when it is
at most the threshold; missing values are not told apart, since the data has none.
"""

import dataclasses
import json
import pathlib
import tempfile

import numpy

LOGISTIC = 1  # TreeEnsemble.Transform


@dataclasses.dataclass
class Tree:
    """Arrays with one entry a node; both children of a node stand after it, side by side."""

    feature: numpy.ndarray  # −1 at a leaf.
    threshold: numpy.ndarray
    missing_left: numpy.ndarray
    left: numpy.ndarray  # At a leaf the leaf's index.
    cover: numpy.ndarray
    values: numpy.ndarray  # A row for each leaf.

    @property
    def is_leaf(self):
        return self.feature < 0

    def leaf_numbers(self):
        """Of each node the number of its leaf; meaningless at inner nodes."""
        return numpy.where(self.is_leaf, self.left, 0)


class Ensemble:
    def __init__(self, trees, features, averaged, transform, base):
        self.trees, self.features, self.averaged = trees, features, averaged
        self.transform, self.base = transform, base

    @classmethod
    def read(cls, path):
        raw = numpy.fromfile(path, dtype=numpy.int32)
        count, width, outputs, features, averaged, transform = (int(n) for n in raw[:6])
        base = raw[6:6 + outputs].view(numpy.float32).astype(float)
        at, trees = 6 + outputs, []
        for _ in range(count):
            nodes, values = raw[at:at + 2]
            at += 2
            feature, threshold, missing, left, cover = (
                raw[at + k * nodes:at + (k + 1) * nodes] for k in range(5))
            at += 5 * nodes
            leaves = raw[at:at + values].view(numpy.float32).reshape(-1, width)
            at += values
            trees.append(Tree(
                feature, threshold.view(numpy.float32), missing != 0, left,
                cover.view(numpy.float32), leaves))
        return cls(trees, features, averaged != 0, transform, base)

    @property
    def is_logistic(self):
        return self.transform == LOGISTIC

    def leaf_values(self, index):
        """What each leaf of a tree adds to the score of the second class, as float64."""
        values = self.trees[index].values[:, -1].astype(float)
        if self.averaged:
            return values / len(self.trees)
        return values + (self.base[-1] if index == 0 else 0)


# --- LightGBM, and through it ONNX ---------------------------------------------------------------


def lightgbm_text(ensemble):
    objective = "binary sigmoid:1" if ensemble.is_logistic else "regression"
    parts = [lightgbm_tree(ensemble, index) for index in range(len(ensemble.trees))]
    names = " ".join(f"f{i}" for i in range(ensemble.features))
    ranges = " ".join(["[-1e+30:1e+30]"] * ensemble.features)
    return "\n".join([
        "tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
        f"max_feature_idx={ensemble.features - 1}", f"objective={objective}",
        f"feature_names={names}", f"feature_infos={ranges}",
        "tree_sizes=" + " ".join(str(len(part)) for part in parts), "", "".join(parts)
        + "end of trees", "", "feature_importances:", "", "parameters:", "end of parameters", "",
        "pandas_categorical:null", ""])


def lightgbm_tree(ensemble, index):
    """Inner nodes are counted from the root on, leaf n is −1 − n: LightGBM's numbers."""
    tree, values = ensemble.trees[index], ensemble.leaf_values(index)
    inner = ~tree.is_leaf
    number = numpy.where(inner, numpy.cumsum(inner) - 1, -1 - tree.leaf_numbers())
    left, count = tree.left[inner], int(inner.sum())

    def line(name, numbers):
        return name + "=" + " ".join(map(repr, numbers.tolist()))

    leaf_cover = numpy.zeros(count + 1)
    leaf_cover[tree.leaf_numbers()[tree.is_leaf]] = tree.cover[tree.is_leaf]
    covers = tree.cover[inner].astype(int)
    lines = [f"Tree={index}", f"num_leaves={count + 1}", "num_cat=0"]
    if count > 0:
        lines += [
            line("split_feature", tree.feature[inner]), line("split_gain", numpy.ones(count)),
            line("threshold", tree.threshold[inner].astype(float)),
            line("decision_type", numpy.full(count, 2)), line("left_child", number[left]),
            line("right_child", number[left + 1])]
    lines.append(line("leaf_value", values))
    if count > 0:
        lines += [
            line("leaf_weight", leaf_cover), line("leaf_count", leaf_cover.astype(int)),
            line("internal_value", numpy.zeros(count)), line("internal_weight", covers),
            line("internal_count", covers)]
    return "\n".join([*lines, "is_linear=0", "shrinkage=1", "", "", ""])


# --- XGBoost, and through it oneDAL and compiled C -----------------------------------------------


def xgboost_model(ensemble):
    """Its trees put into the JSON of a booster of one round, whose base score adds nothing."""
    import xgboost

    settings = ({"objective": "binary:logistic", "base_score": 0.5} if ensemble.is_logistic
                else {"objective": "reg:squarederror", "base_score": 0.0})
    x = numpy.zeros((2, ensemble.features), dtype=numpy.float32)
    start = xgboost.train(settings, xgboost.DMatrix(x, [0, 1]), 1)
    document = json.loads(start.save_raw("json"))
    model = document["learner"]["gradient_booster"]["model"]
    count = len(ensemble.trees)
    model["gbtree_model_param"] |= {"num_trees": str(count), "num_parallel_tree": "1"}
    model["tree_info"] = [0] * count
    model["iteration_indptr"] = list(range(count + 1))
    model["trees"] = [xgboost_tree(ensemble, index, model["trees"][0]) for index in range(count)]
    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps(document).encode()))
    return booster


def xgboost_tree(ensemble, index, pattern):
    """A value goes left when it is less than the threshold: the next float32 after ours."""
    tree = ensemble.trees[index]
    leaf, nodes = tree.is_leaf, len(tree.feature)
    values = numpy.where(leaf, ensemble.leaf_values(index)[tree.leaf_numbers()], 0)
    above = numpy.nextafter(tree.threshold, numpy.float32(numpy.inf))
    parents = numpy.full(nodes, 2 ** 31 - 1)
    inner = numpy.nonzero(~leaf)[0]
    parents[tree.left[inner]] = inner
    parents[tree.left[inner] + 1] = inner
    return pattern | {
        "id": index, "base_weights": values.tolist(),
        "default_left": tree.missing_left.astype(int).tolist(),
        "left_children": numpy.where(leaf, -1, tree.left).tolist(),
        "right_children": numpy.where(leaf, -1, tree.left + 1).tolist(),
        "loss_changes": [0.0] * nodes, "parents": parents.tolist(),
        "split_conditions": numpy.where(leaf, values, above).tolist(),
        "split_indices": numpy.where(leaf, 0, tree.feature).tolist(),
        "split_type": [0] * nodes, "sum_hessian": tree.cover.astype(float).tolist(),
        "tree_param": pattern["tree_param"] | {
            "num_deleted": "0", "num_nodes": str(nodes),
            "num_feature": str(ensemble.features)}}


# --- Yggdrasil -----------------------------------------------------------------------------------


def named(x):
    return {f"f{i}": x[:, i] for i in range(x.shape[1])}


def yggdrasil_model(ensemble, x):
    """A model of its own of one tree, which gives the columns, with our trees in its place."""
    import ydf

    x = x[:1000]
    labels = numpy.arange(len(x)) % 2
    settings = {"label": "y", "task": ydf.Task.CLASSIFICATION, "num_trees": 1, "max_depth": 2,
                "num_threads": 1}
    learner = (
        ydf.RandomForestLearner(
            winner_take_all=False, compute_oob_performances=False, **settings)
        if ensemble.averaged else ydf.GradientBoostedTreesLearner(
            validation_ratio=0.0, early_stopping="NONE", **settings))
    model = learner.train(named(x) | {"y": labels}, verbose=0)
    places = {feature.name: feature.column_idx for feature in model.input_features()}
    places = [places[f"f{i}"] for i in range(ensemble.features)]
    columns = model.data_spec().columns
    means = [columns[place].numerical.mean for place in places]
    if not ensemble.averaged:
        model.set_initial_predictions([0.0])
    for index in range(len(ensemble.trees)):
        tree = yggdrasil_tree(ensemble, index, places, means)
        model.set_tree(0, tree) if index == 0 else model.add_tree(tree)
    with tempfile.TemporaryDirectory() as folder:  # Its engines are chosen when it is read.
        model.save(str(pathlib.Path(folder, "model")))
        return ydf.load_model(str(pathlib.Path(folder, "model")))


def yggdrasil_tree(ensemble, index, places, means):
    """A value takes the positive side when it reaches the threshold: the next one after ours.

    A missing value goes where the column's mean goes, or its fast engines would refuse the trees.
    """
    from ydf.model import tree as parts

    tree, values = ensemble.trees[index], ensemble.leaf_values(index)
    above = numpy.nextafter(tree.threshold, numpy.float32(numpy.inf))
    nodes = [None] * len(tree.feature)
    for node in range(len(nodes) - 1, -1, -1):  # Children first.
        if tree.feature[node] < 0:
            value = values[tree.left[node]]
            if ensemble.averaged:
                share = min(max(value * len(ensemble.trees), 0), 1)
                kept = parts.ProbabilityValue(
                    probability=[1 - share, share], num_examples=float(tree.cover[node]))
            else:
                kept = parts.RegressionValue(
                    value=value, num_examples=float(tree.cover[node]))
            nodes[node] = parts.Leaf(value=kept)
            continue
        nodes[node] = parts.NonLeaf(
            condition=parts.NumericalHigherThanCondition(
                missing=means[tree.feature[node]] >= above[node], score=1.0,
                attribute=places[tree.feature[node]], threshold=float(above[node])),
            neg_child=nodes[tree.left[node]], pos_child=nodes[tree.left[node] + 1])
    return parts.Tree(root=nodes[0])
