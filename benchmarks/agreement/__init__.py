"""Do the compiled kernels give the words of NumPy and of plain integers?

    python -m benchmarks.agreement               every operator, format and option
    python -m benchmarks.agreement --covering    as the tests do: any three choices together
    python -m benchmarks.agreement --plans 2000  random sums of products: formats, Delta methods,
                                                 orders, odd shapes, views that start anywhere

Exit 1 with the first inputs that differ, operator by operator.
"""
