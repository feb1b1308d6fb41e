"""Recordings in the form of Kinetics-Skeleton, made up."""

LABELS = ("juggling balls", "abseiling")


def body(x=0.25, y=0.75, score=0.5, hidden=()):
    """A skeleton, all joints at one place but those that were not found."""
    scores = [0.0 if joint in hidden else score for joint in range(18)]
    return {"pose": [x, y] * 18, "score": scores}


def clip(frames, label=0):
    """The document of a recording; each frame is a list of bodies."""
    return {
        "data": [
            {"frame_index": t, "skeleton": bodies}
            for t, bodies in enumerate(frames, start=1)
        ],
        "label": LABELS[label],
        "label_index": label,
    }
