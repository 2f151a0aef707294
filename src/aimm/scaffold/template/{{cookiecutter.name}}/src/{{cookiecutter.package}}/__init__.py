"""The aimm plugin {{ cookiecutter.name }}."""
