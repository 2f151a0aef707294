"""A training plugin of ``aimm`` for tables; nothing heavy is imported before a training runs."""

__version__ = "0.1.0"


def aimm_examples() -> dict[str, object]:
    """Give the conformance kit arguments for the data set."""
    from aimm.testing import call

    return {"tabular.breast_cancer": call(split="test", seed=1)}
