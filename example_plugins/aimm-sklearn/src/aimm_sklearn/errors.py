"""What this plugin refuses, and why.

::

    UntrustedTypesError (ValueError)   an estimator or its bytes need types that nobody reviewed
    PayloadError (ValueError)          bytes are not what serialize wrote for this model type
    NoPredictionError (TypeError)      an estimator can neither predict nor transform

Each class composes its own message from its arguments, which are plain data: every error survives ``pickle``.
"""

from collections.abc import Sequence


class UntrustedTypesError(ValueError):
    """An estimator, or the bytes of one, need types that are not on the list of trusted types.

    Attributes:
        model_type: The model type that was asked for.
        types: Names of the unknown types, sorted.
        action: ``serialize`` or ``deserialize``.
    """

    def __init__(self, model_type: str, types: Sequence[str], action: str) -> None:
        super().__init__(model_type, tuple(types), action)
        self.model_type, self.types, self.action = model_type, tuple(types), action

    def __str__(self) -> str:
        listed = ", ".join(self.types)
        if self.action == "serialize":
            return (
                f"this {self.model_type} cannot be saved: it holds types that would be refused when it is loaded: "
                f"{listed}; build it from scikit-learn's own estimators, kernels and score functions instead"
            )
        return (
            f"the bytes given for {self.model_type} were refused, nothing of them was loaded: they hold types that "
            f"are not trusted: {listed}; types are trusted by name in aimm_sklearn, never because a file asks for "
            "them: use bytes that serialize wrote, from somebody you know"
        )


class PayloadError(ValueError):
    """Bytes, or an instance, are not what belongs to this model type.

    Attributes:
        model_type: The model type that was asked for.
        problem: What is wrong, and what to do.
    """

    def __init__(self, model_type: str, problem: str) -> None:
        super().__init__(model_type, problem)
        self.model_type, self.problem = model_type, problem

    def __str__(self) -> str:
        return f"{self.model_type}: {self.problem}"


class NoPredictionError(TypeError):
    """An estimator has neither ``predict`` nor ``transform``.

    Attributes:
        model_type: The model type that was asked for.
        advice: What to do instead.
    """

    def __init__(self, model_type: str, advice: str) -> None:
        super().__init__(model_type, advice)
        self.model_type, self.advice = model_type, advice

    def __str__(self) -> str:
        return f"{self.model_type} has neither predict nor transform for new data; {self.advice}"
