"""A training plugin of ``aimm`` for tables; nothing heavy is imported before a training runs."""

__version__ = "0.1.0"


def aimm_examples() -> dict[str, object]:
    """Give the conformance kit arguments for the data sets."""
    from pathlib import Path

    from aimm.testing import call

    table = Path(__file__).with_name("iris.csv")  # 150 flowers by R. A. Fisher, 1936
    return {
        "tabular.breast_cancer": call(split="test", seed=1),
        "tabular.csv": call(path=str(table), target="species", split="test", seed=1),
    }
