"""Solvers: asked, limited, and helped by lemmas."""
