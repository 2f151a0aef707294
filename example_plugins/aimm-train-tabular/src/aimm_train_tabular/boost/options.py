"""Options of the commands for boosted trees."""

import click

rounds_opt = click.option(
    "--rounds", type=click.IntRange(min=1), default=100, show_default=True, help="Number of trees."
)
rate_opt = click.option(
    "--rate", type=click.FloatRange(0, min_open=True), default=0.1, show_default=True, help="How much each tree counts."
)
