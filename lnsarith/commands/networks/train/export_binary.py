"""The end of a binary network's training: its bits, written and held against its floats."""

from __future__ import annotations

__all__ = ["export", "told"]


def export(kept, trainer) -> dict:
    """Write the network in bits into the run's folder; return what --json prints of it.

    The folder that was written is read again, and predicts the test images.
    """
    import numpy as np

    from nets.binary.fold import fold, stages
    from nets.binary.folder import GOLDEN, read_export, write_export
    from nets.layers.binary.layers import Scale
    from nets.network.evaluation import evaluate

    images, labels = trainer.test
    s, last = kept.settings, kept.records[-1]
    last_norm = stages(trainer.network)[-1].norm
    assert isinstance(last_norm, Scale)
    about = {"dataset": s.dataset, "shape": kept.data["shape"], "classes": kept.data["classes"],
             "model": s.model, "hidden": list(s.hidden) if s.model == "mlp" else [],
             "binarize_input": s.binarize_input, "epoch": last["epoch"],
             "test_accuracy": last["test_accuracy"], "logit_scale": 2 * last_norm.scale}
    folder = kept.folder / "export"
    write_export(folder, fold(trainer.network), about, images[:GOLDEN])
    packed, _ = read_export(folder)
    predicted = packed.predict(images)
    differ = int((predicted != evaluate(trainer.network, images, labels).predicted).sum())
    return {"binarize_input": s.binarize_input,
            "export_test_accuracy": float(np.mean(predicted == labels)),
            "export_differs": differ, "export": str(folder)}


def told(result: dict) -> list[str]:
    """Return lines that say how the bits do."""
    return [f"in bits: test {result['export_test_accuracy']:.2%}, "
            f"{result['export_differs']} predictions differ", result["export"]]
