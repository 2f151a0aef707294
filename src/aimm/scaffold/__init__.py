"""Make a new plugin package: :func:`create` fills in the cookiecutter template that lies beside this file."""

from aimm.scaffold._answers import KINDS, LICENSES, QUESTIONS, TEMPLATE, Answers
from aimm.scaffold._create import check_target, create

__all__ = ["KINDS", "LICENSES", "QUESTIONS", "TEMPLATE", "Answers", "check_target", "create"]
