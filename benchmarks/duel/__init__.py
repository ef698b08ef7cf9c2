"""Two builds of this project against each other, and against PyTorch, in turn on one machine.

    git worktree add --detach ../old COMMIT
    python -m benchmarks.duel --old ../old [--torch PYTHON] [--rows lns12,threads] [--rounds 3]

Each side is a process of its own that lives as long as the duel, with kernels kept in a
folder of its own: `benchmarks.duel.side`, which calls what both builds have. Both sides of a
row run alternately; ratios are medians over the rounds. Where both are builds of this project
their words are compared, and a difference ends the duel. PyTorch is looked for in the Python
that --torch names, by default the one that runs this.

Times of one thread are processor times; those of two are of the clock, so that row wants both
cores for itself. Epochs are of the first --images images. `speed` is theirs / ours of the
seconds, `time` ours / theirs.
"""
