"""The estimators as scikit-learn checks them, and what it does not check."""

import pickle
import signal
import threading
import time

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import gpu_ae

QUICK = {"epochs": 40, "device": "cpu"}


@parametrize_with_checks([gpu_ae.Autoencoder("plain", **QUICK), gpu_ae.Clusters(3, epochs=200, device="cpu")])
def test_scikit_learn_takes_them_for_its_own(estimator, check):
    check(estimator)


def images(rows=400, seed=0):
    """Discs of many sizes, uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:12, :12]
    at = rng.uniform(3, 8, (rows, 2, 1, 1))
    radius = rng.uniform(1.5, 4, (rows, 1, 1))
    return (((y - at[:, 0]) ** 2 + (x - at[:, 1]) ** 2 < radius**2) * 255).astype(np.uint8)


def test_an_autoencoder_learns_and_is_found_again(tmp_path):
    rows = images()
    model = gpu_ae.Autoencoder("plain", hidden=[32], code=4, epochs=60, batch_size=50, device="cpu", out=tmp_path / "run")
    codes = model.fit_transform(rows)
    assert codes.shape == (400, 4) and codes.dtype == np.float32
    made = model.inverse_transform(codes)
    seen = rows.reshape(400, -1) / np.float32(255)
    errors = ((made - seen) ** 2).mean(axis=1)
    np.testing.assert_allclose(-model.score_samples(rows), errors, rtol=1e-4)
    assert errors.mean() < 0.5 * seen.var(axis=0).mean()
    run = gpu_ae.load(tmp_path / "run", device="cpu")
    np.testing.assert_array_equal(run.encode(rows), codes)
    assert len(run.epochs) == 60 and run.epochs[-1]["test_loss"] < run.epochs[0]["test_loss"]
    assert list(run.metrics.index) == list(range(1, 61))
    assert run.reconstructions(rows)._repr_png_().startswith(b"\x89PNG")
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(rows), codes)


def test_bytes_and_their_shares_are_the_same_rows():
    rows = images(60)
    floats = rows.astype(np.float32) / np.float32(255)
    settings = {"epochs": 5, "device": "cpu", "seed": 3}
    of_bytes, of_floats = [gpu_ae.Autoencoder("plain", **settings).fit(x).transform(x) for x in (rows, floats)]
    np.testing.assert_allclose(of_bytes, of_floats, atol=1e-6)


def test_values_beyond_shares_come_back_as_they_were():
    rows = np.random.default_rng(1).normal(50, 20, (300, 6)).astype(np.float32)
    model = gpu_ae.Autoencoder("plain", hidden=[24], code=6, epochs=150, learning_rate=1e-2, device="cpu").fit(rows)
    made = model.inverse_transform(model.transform(rows))
    assert ((made - rows) ** 2).mean() < 0.2 * rows.var()


def test_what_makes_no_sense_is_refused_by_name():
    rows = images(50)
    for settings, word in [({"lr": -1}, "lr"), ({"no.such.key": 1}, "no.such.key"), ({"epochs": "many"}, "epochs")]:
        with pytest.raises(ValueError, match=word):
            gpu_ae.Autoencoder("plain", device="cpu", settings=settings).fit(rows)
    with pytest.raises(ValueError, match="no such model"):
        gpu_ae.Autoencoder("transformer").fit(rows)
    with pytest.raises(ValueError, match="no such folder"):
        gpu_ae.load("no-such-run")


def test_an_interrupt_leaves_a_checkpoint(tmp_path, capsys):
    # A process that was begun in the background may have been told to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model = gpu_ae.Autoencoder("plain", epochs=100_000, device="cpu", out=tmp_path / "run")
    threading.Thread(target=lambda: (time.sleep(2), signal.raise_signal(signal.SIGINT))).start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(images())
    assert "is kept in" in capsys.readouterr().out
    assert gpu_ae.load(tmp_path / "run").encode(images(3)).shape[0] == 3


def test_the_lock_is_released():
    counted, is_over = [0], threading.Event()

    def count():
        while not is_over.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    begin = time.perf_counter()
    gpu_ae.Autoencoder("plain", epochs=300, device="cpu").fit(images())
    seconds = time.perf_counter() - begin
    is_over.set()
    thread.join()
    assert counted[0] > 50 * seconds, f"{counted[0]} times in {seconds:.1f} s"
