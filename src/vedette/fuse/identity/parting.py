"""Has the claim left its body, or the track?

A track whose body was missed may follow false plots away from it. The reports of its name go on where the
body is, and the claim seems to have left: who errs, the claim or the track? What looks say of the track from
the first report that does not fit tells it. False plots in the wide gate of a track that is lost prove
little; those of a body in its narrow one prove much. If they are false, the product of the likelihood ratios
of all looks exceeds exp(a) with a probability of exp(-a) at most, however long one waits (J. Ville, *Etude
critique de la notion de collectif*, 1939).
"""

import math

from vedette.fuse.kernels.kalman import F64
from vedette.fuse.picture import Picture
from vedette.fuse.sightings import NEVER

_LEAST = 1e-12


def looked(picture: Picture, existence: F64, pd: F64, hit: F64, *, whole: bool) -> None:
    """Count what a look that sees each track with the probability ``pd`` (n,), and saw it with ``hit`` (n,),
    says of those whose name is heard elsewhere; ``existence`` (n,): before it. ``whole``: what it has not
    seen by now it has missed."""
    for slot in picture.named[: len(hit)].nonzero()[0].tolist():
        if picture.dossiers[slot].parted != NEVER and (whole or hit[slot] > 0.0):
            picture.apart[slot] += gain(float(existence[slot]), float(pd[slot]), float(hit[slot]))


def gain(existence: float, pd: float, hit: float) -> float:
    """Log-likelihood ratio of one look: of a body where the track is, over none. With r the existence, L the
    ratio and 1 - r pd the weight of no plot, 1 - hit = (1 - r pd) / (1 - r + r L)."""
    r = max(existence, _LEAST)
    total = (1.0 - r * pd) / max(1.0 - hit, _LEAST)
    return math.log(max((total - 1.0 + r) / r, _LEAST))
