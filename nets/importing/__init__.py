"""Networks from elsewhere: ONNX and QONNX files, scikit-learn; judged, and written out again."""
