"""How Sphinx builds the documentation."""

import sys
from pathlib import Path

import aimm

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "aimm"
version = release = aimm.__version__
copyright = "the aimm contributors"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "aimm_help",
    "readme_pages",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"aimm {version}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
add_module_names = False
napoleon_numpy_docstring = False
# What is documented stays documented: a reference to a name that no page has is an error.
nitpicky = True
suppress_warnings = ["ref.python"]  # fields of several classes have the same name
nitpick_ignore_regex = [
    # Names of other projects and of the standard library, of which we build no inventory: the build needs no network.
    ("py:.*", r"(collections|concurrent|typing|os|pathlib|pluggy|jsonschema|asyncio|json|click)\..*"),
    ("py:(class|exc|obj)", r"[A-Za-z]*"),
    ("py:class", r"(aimm\.)?_.*|aimm\.(\w+\.)+_.*|aimm\.(\w+\.)+[A-Z]"),
    ("py:data", r"[A-Z]+"),
    # The first sentence of a property's docstring, if it has a colon, is taken for its type.
    ("py:class", r".* .*"),
]
doctest_global_setup = """
from aimm import plugins
"""
doctest_global_cleanup = """
plugins.unload_all()
"""


def name_default(app, what, name, obj, options, signature, return_annotation):
    """Show the default of ``state_cb`` by its name; the types beside it need no module then."""
    # autodoc_preserve_defaults would do, but takes the first parameter of a bound method for ``self``.
    if signature and "<function ignore_state>" in signature:
        signature = signature.replace("<function ignore_state>", "ignore_state").replace("~typing.", "")
    return signature, return_annotation and return_annotation.replace("~typing.", "")


def setup(app):
    """Register the function above."""
    app.connect("autodoc-process-signature", name_default)
