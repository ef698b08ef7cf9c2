"""lnsarith import, export and formats: networks that come as ONNX, and go as such."""
