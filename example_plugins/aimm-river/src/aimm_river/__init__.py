"""River's online models and data sets as plugins of aimm.

Importing this package imports nothing else: the entry points name its modules, which load when they are first used.
"""

__version__ = "0.1.0"
