"""CIFAR-10: where its files come from and how they are laid out."""

from neurosim.data.sources.base import Archive
from neurosim.data.sources.cifar import Cifar, Layout


class Cifar10(Cifar):
    """Photographs of ten kinds (Krizhevsky 2009)."""

    name = "cifar10"
    summary = "photographs of ten kinds (Krizhevsky 2009)"
    files = Layout(
        name="cifar10",
        binary="cifar-10-batches-bin",
        archives=("cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"),
        archive=Archive(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 185_000_000
        ),
        python="cifar-10-batches-py",
        train=tuple(f"data_batch_{number}" for number in range(1, 6)),
        test="test_batch",
        train_rows=10_000,
        test_rows=10_000,
        limits=(10,),
        labels="labels",
        names=("batches.meta.txt", "batches.meta", "label_names"),
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    )
