"""lnsarith rtl front: whole networks side by side, by accuracy, cells and images a second."""
