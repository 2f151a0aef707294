"""Options that the commands share."""

import click

seed_opt = click.option("--seed", default=0, show_default=True, help="Decides how rows are drawn, and trees are grown.")
test_size_opt = click.option(
    "--test-size",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    help="Share of rows to test on, where no fold says which.",
)
