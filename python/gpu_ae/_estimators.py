"""Estimators of scikit-learn."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _native
from ._progress import Progress
from ._run import Run, as_rows


#: Width of a code behind layers of one's own, if nothing is said.
CODE = 8


def _spelt(value) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_spelt(item) for item in value) + "]"
    return str(value)


class _Trained(BaseEstimator):
    """What the estimators share: rows are checked, a run is trained in a folder of its own or in `out`."""

    def _checked(self, X):
        X = validate_data(self, X, dtype=[np.float32, np.uint8], order="C", ensure_min_samples=2, allow_nd=True)
        return as_rows(X)

    def _train(self, model: str, X):
        rows = self._checked(X)
        asked = {
            "seed": self.seed, "device": self.device, "epochs": self.epochs, "batch_size": self.batch_size,
            "lr": self.learning_rate, **self._asked(rows), **(self.settings or {}),
        }
        settings = {key: _spelt(value) for key, value in asked.items() if value is not None}
        out = os.fspath(self.out) if self.out is not None else os.path.join(tempfile.mkdtemp(prefix="gpu-ae-"), "run")
        progress = Progress(self.verbose, len(rows))
        try:
            trained = _native.train(model, rows, settings, out, float(self.test_share), progress)
        except KeyboardInterrupt:
            print(f"interrupted; the checkpoint is kept in {out}")
            raise
        except BaseException:
            if self.out is None:
                shutil.rmtree(os.path.dirname(out), ignore_errors=True)
            raise
        finally:
            progress.close()
        self.run_ = Run(trained)
        if self.out is None:
            weakref.finalize(self.run_, shutil.rmtree, os.path.dirname(out), ignore_errors=True)
        return rows

    def _rows(self, X):
        check_is_fitted(self, "run_")
        return as_rows(validate_data(self, X, dtype=[np.float32, np.uint8], order="C", reset=False, allow_nd=True))

    def _asked(self, rows) -> dict:
        """Keys of the configuration that are an estimator's own."""
        raise NotImplementedError


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Trained):
    """An autoencoder: rows become codes, and codes rows.

    Parameters
    ----------
    model : a name of `gpu_ae.MODELS`: "bottleneck", "plain", "vae", "denoising", "conv-vae" and so on.
    code : width of the code; as the model says if nothing is said. Of networks of linear layers.
    hidden : widths of the layers before the code, which the decoder has in reverse.
    epochs, batch_size, learning_rate : as the model says and the number of rows asks for, if nothing is said.
    device : "auto", "gpu", "cpu" or a part of a name of `gpu_ae.devices()`.
    seed : of parameters, order and draws.
    test_share : share of the rows that is set aside to be tested with; of 0 the metrics are of all rows.
    settings : further keys of a configuration, as `{"entropy.alpha": 0.5}`.
    out : run directory, which must be new or empty; a temporary one if nothing is said.
    verbose : whether progress is shown.

    Attributes
    ----------
    run_ : the finished `Run`.
    """

    def __init__(
        self, model="bottleneck", *, code=None, hidden=None, epochs=None, batch_size=None, learning_rate=None,
        device="auto", seed=0, test_share=0.0, settings=None, out=None, verbose=False,
    ):
        self.model = model
        self.code = code
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.device = device
        self.seed = seed
        self.test_share = test_share
        self.settings = settings
        self.out = out
        self.verbose = verbose

    def _asked(self, rows):
        if self.hidden is None:
            return {"width": self.code}
        values = int(np.prod(rows.shape[1:]))
        is_unit = rows.dtype == np.uint8 or (rows.min() >= 0 and rows.max() <= 1)
        layers = [f'{{ linear = {width}, activation = "relu" }}' for width in self.hidden]
        last = f'{{ linear = {values}, activation = "{"sigmoid" if is_unit else "identity"}" }}'
        code = f"{{ linear = {self.code if self.code is not None else CODE} }}"
        return {
            "encoder": "[" + ", ".join([*layers, code]) + "]",
            "decoder": "[" + ", ".join([*reversed(layers), last]) + "]",
        }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Whatever rows are, codes are what the network computes with.
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X, y=None):
        """Trains on rows."""
        self._train(self.model, X)
        self._n_features_out = self.run_._trained.code_width
        return self

    def transform(self, X):
        """Codes of rows, `[rows, width of the code]`."""
        rows = self._rows(X)
        return self.run_.encode(rows)

    def inverse_transform(self, X):
        """Rows of codes."""
        check_is_fitted(self, "run_")
        return self.run_.decode(X)

    def score_samples(self, X):
        """How usual each row is: its squared error of reconstruction, negative."""
        rows = self._rows(X)
        return -self.run_.errors(rows)

    def score(self, X, y=None):
        """Mean of `score_samples`."""
        return float(np.mean(self.score_samples(X)))


class Clusters(ClusterMixin, _Trained):
    """Sorts rows into groups without labels, by an encoder that is certain of every row and uses all clusters alike.

    Parameters
    ----------
    n_clusters : how many groups.
    others : as in `Autoencoder`.

    Attributes
    ----------
    labels_ : the group of each row that it was trained on.
    run_ : the finished `Run`.
    """

    def __init__(
        self, n_clusters=8, *, epochs=None, batch_size=None, learning_rate=None, device="auto", seed=0, test_share=0.0,
        settings=None, out=None, verbose=False,
    ):
        self.n_clusters = n_clusters
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.device = device
        self.seed = seed
        self.test_share = test_share
        self.settings = settings
        self.out = out
        self.verbose = verbose

    def _asked(self, rows):
        return {"encoder": f"[{{ linear = {self.n_clusters} }}]"}

    def fit(self, X, y=None):
        """Trains on rows."""
        if self.n_clusters == 1:
            # There is nothing to learn.
            rows, self.run_ = self._checked(X), None
        else:
            rows = self._train("cluster", X)
        self.labels_ = self._logits(rows).argmax(axis=1)
        return self

    def _logits(self, rows):
        return np.zeros((len(rows), 1), np.float32) if self.run_ is None else self.run_.answers(rows)

    def predict(self, X):
        """The group of each row."""
        return self._logits(self._rows(X)).argmax(axis=1)

    def predict_proba(self, X):
        """How certain the encoder is of each group, `[rows, groups]`."""
        logits = self._logits(self._rows(X))
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)
