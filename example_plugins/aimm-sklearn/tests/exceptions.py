"""The estimators that do not make the whole round trip with their defaults: name to reason.

A test holds that each of them fails in the way that its list says; so nothing stands here that would pass.
"""

CANNOT_BE_SAVED = {
    "Birch": "skops refuses it: its nodes refer to each other in circles",
}

_LABELS = "clusters only the data it is fitted with; round trip tested by labels_"
_EMBEDS = "embeds only the data it is fitted with; round trip tested by embedding_"
_COVARIANCE = "estimates a covariance; round trip tested by covariance_"

NOTHING_TO_PREDICT = {
    "AgglomerativeClustering": _LABELS,
    "ClassicalMDS": _EMBEDS,
    "DBSCAN": _LABELS,
    "EmpiricalCovariance": _COVARIANCE,
    "GraphicalLasso": _COVARIANCE,
    "GraphicalLassoCV": _COVARIANCE,
    "HDBSCAN": _LABELS,
    "KernelDensity": "scores samples; round trip tested by score_samples",
    "LedoitWolf": _COVARIANCE,
    "LocalOutlierFactor": "by default judges only the data it is fitted with; round trip tested by its factors",
    "MDS": _EMBEDS,
    "MinCovDet": _COVARIANCE,
    "NearestNeighbors": "finds neighbours; round trip tested by kneighbors",
    "OAS": _COVARIANCE,
    "OPTICS": _LABELS,
    "ShrunkCovariance": _COVARIANCE,
    "SpectralBiclustering": "clusters rows and columns of the data it is fitted with; tested by row_labels_",
    "SpectralClustering": _LABELS,
    "SpectralCoclustering": "clusters rows and columns of the data it is fitted with; tested by row_labels_",
    "SpectralEmbedding": _EMBEDS,
    "TSNE": _EMBEDS,
}

_ESTIMATOR = "stands around another estimator; round trip tested with one"
_SEVERAL = "stands around several other estimators; round trip tested with some"

NEEDS_ARGUMENTS = {
    "ClassifierChain": _ESTIMATOR,
    "ColumnTransformer": _SEVERAL,
    "FeatureUnion": _SEVERAL,
    "FixedThresholdClassifier": _ESTIMATOR,
    "FrozenEstimator": _ESTIMATOR,
    "GridSearchCV": _ESTIMATOR,
    "MultiOutputClassifier": _ESTIMATOR,
    "MultiOutputRegressor": _ESTIMATOR,
    "OneVsOneClassifier": _ESTIMATOR,
    "OneVsRestClassifier": _ESTIMATOR,
    "OutputCodeClassifier": _ESTIMATOR,
    "Pipeline": _SEVERAL,
    "RFE": _ESTIMATOR,
    "RFECV": _ESTIMATOR,
    "RandomizedSearchCV": _ESTIMATOR,
    "RegressorChain": _ESTIMATOR,
    "SelectFromModel": _ESTIMATOR,
    "SelfTrainingClassifier": _ESTIMATOR,
    "SequentialFeatureSelector": _ESTIMATOR,
    "SparseCoder": "codes with a dictionary that it is given; round trip tested with one",
    "StackingClassifier": _SEVERAL,
    "StackingRegressor": _SEVERAL,
    "TunedThresholdClassifierCV": _ESTIMATOR,
    "VotingClassifier": _SEVERAL,
    "VotingRegressor": _SEVERAL,
}
