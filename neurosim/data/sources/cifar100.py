"""CIFAR-100: where its files come from and how they are laid out."""

from neurosim.data.sources.base import Archive
from neurosim.data.sources.cifar import Cifar, Layout


class Cifar100(Cifar):
    """Photographs of a hundred kinds (Krizhevsky 2009), with its 100 fine labels."""

    name = "cifar100"
    summary = "photographs of a hundred kinds (Krizhevsky 2009)"
    files = Layout(
        name="cifar100",
        binary="cifar-100-binary",
        archives=("cifar-100-binary.tar.gz", "cifar-100-python.tar.gz"),
        archive=Archive(
            "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 185_000_000
        ),
        python="cifar-100-python",
        train=("train",),
        test="test",
        train_rows=50_000,
        test_rows=10_000,
        limits=(20, 100),
        labels="fine_labels",
        names=("fine_label_names.txt", "meta", "fine_label_names"),
        classes=tuple(str(number) for number in range(100)),
    )
