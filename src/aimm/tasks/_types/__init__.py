"""The types of parameters and outputs: model, grammar, hints, and what fits where."""

from aimm.tasks._types._assign import accepts, check_value
from aimm.tasks._types._grammar import STRUCTURES, parse_type, parse_types
from aimm.tasks._types._hints import hints_of, qualified_name, type_of_hint
from aimm.tasks._types._model import (
    ANY,
    BOOLEAN,
    BUILTINS,
    INTEGER,
    NULL,
    NUMBER,
    STRING,
    Type,
    enumerated,
    hinted_literal,
    hinted_mapping,
    list_of,
    literal_of,
    mapping_of,
    simple,
    tuple_of,
    type_of_value,
    union_of,
)

__all__ = [
    "ANY",
    "BOOLEAN",
    "BUILTINS",
    "INTEGER",
    "NULL",
    "NUMBER",
    "STRING",
    "STRUCTURES",
    "Type",
    "accepts",
    "check_value",
    "enumerated",
    "hinted_literal",
    "hinted_mapping",
    "hints_of",
    "list_of",
    "literal_of",
    "mapping_of",
    "parse_type",
    "parse_types",
    "qualified_name",
    "simple",
    "tuple_of",
    "type_of_hint",
    "type_of_value",
    "union_of",
]
