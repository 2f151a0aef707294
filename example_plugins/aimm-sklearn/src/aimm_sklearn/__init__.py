"""Every scikit-learn estimator as an ``aimm`` model type; the bundled data sets as data accesses."""

__version__ = "0.1.0"
