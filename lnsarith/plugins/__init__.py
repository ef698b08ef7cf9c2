"""Delta methods and operators of one's own: files and packages that bring them."""
