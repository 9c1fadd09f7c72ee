"""Progress of a run: a bar where tqdm is, which knows notebooks, else a line an epoch."""

from __future__ import annotations

import json


def told(epoch: dict) -> str:
    """What an epoch came to, in a line."""
    rate = f"{epoch['samples_per_second']:,.0f} samples/s"
    return f"epoch {epoch['epoch']}: train {epoch['train_loss']:.5g}, test {epoch['test_loss']:.5g}, {rate}"


class Progress:
    """Hears what a run tells; says it if it `is_shown`."""

    def __init__(self, is_shown: bool, rows: int):
        self._bar, self._is_shown, self._rows = None, is_shown, rows
        if is_shown:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=rows, unit="rows", unit_scale=True)

    def __call__(self, what: str, *of) -> None:
        if what == "progress":
            epoch, samples, name, value, _ = of
            if self._bar is not None:
                self._bar.set_description(f"epoch {epoch}, {name} {value:.5g}", refresh=False)
                self._bar.update(min(samples, self._rows) - self._bar.n)
        elif self._is_shown:
            line = told(json.loads(of[0]))
            if self._bar is None:
                print(line)
            else:
                self._bar.reset()
                self._bar.set_postfix_str(line)

    def close(self) -> None:
        """Leaves the line of the bar."""
        if self._bar is not None:
            self._bar.close()
