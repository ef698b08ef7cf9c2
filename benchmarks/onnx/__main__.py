"""python -m benchmarks.onnx: see `benchmarks.onnx.operators`."""

from benchmarks.onnx.operators import main

main()
