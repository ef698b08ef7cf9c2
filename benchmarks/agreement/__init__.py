"""Do the compiled kernels give the words of NumPy and of plain integers?

    python -m benchmarks.agreement               every operator, format and option
    python -m benchmarks.agreement --covering    as the tests do: every pair of choices

Exit 1 with the first inputs that differ, operator by operator.
"""
