"""Trains small autoencoders on any GPU (Vulkan, Metal or DX12), and lets entropy find the bottleneck.

`Autoencoder` and `Clusters` are estimators of scikit-learn; `load` opens a run directory that this package or the program
`gpu-ae` has made.
"""

from ._estimators import Autoencoder, Clusters
from ._native import MODELS, __version__, devices
from ._run import Picture, Run, load

__all__ = ["MODELS", "Autoencoder", "Clusters", "Picture", "Run", "__version__", "devices", "load"]
