import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePosixPath

from symgnn_pyg.data import Recording, SkeletonData, prepare
from symgnn_pyg.datasets.motion_dataset import MotionDataset
from symgnn_pyg.datasets.windows import SPLITS, check_window, clip_windows
from symgnn_pyg.errors import DataError, check_choices, check_sizes
from symgnn_pyg.io import Source, read_ntu, read_text
from symgnn_pyg.skeleton import Skeleton

BENCHMARKS = {"xsub": (60, 120), "xview": (60,), "xset": (120,)}
# The training subjects of both data sets: those of NTU-RGB+D end at 40.
SUBJECTS = frozenset((
    1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38,
    45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81,
    82, 83, 84, 85, 86, 89, 91, 92, 93, 94, 95, 97, 98, 100, 103,
))  # fmt: skip
CAMERAS = (2, 3)
NAME = re.compile("S[0-9]{3}C[0-9]{3}P[0-9]{3}R[0-9]{3}A(?P<action>[0-9]{3})")


# In the authors' words; NTU-RGB+D has the first sixty.
ACTIONS = tuple(
    """\
drink water; eat meal/snack; brushing teeth; brushing hair; drop; pickup;
throw; sitting down; standing up (from sitting position); clapping; reading;
writing; tear up paper; wear jacket; take off jacket; wear a shoe;
take off a shoe; wear on glasses; take off glasses; put on a hat/cap;
take off a hat/cap; cheer up; hand waving; kicking something;
put something inside pocket / take out something from pocket;
hopping (one foot jumping); jump up; make a phone call/answer phone;
playing with phone/tablet; typing on a keyboard;
pointing to something with finger; taking a selfie; check time (from watch);
rub two hands together; nod head/bow; shake head; wipe face; salute;
put the palms together; cross hands in front (say stop); sneeze/cough;
staggering; falling; touch head (headache);
touch chest (stomachache/heart pain); touch back (backache);
touch neck (neckache); nausea or vomiting condition;
use a fan (with hand or paper)/feeling warm; punching/slapping other person;
kicking other person; pushing other person; pat on back of other person;
point finger at the other person; hugging other person;
giving something to other person; touch other person's pocket; handshaking;
walking towards each other; walking apart from each other; put on headphone;
take off headphone; shoot at the basket; bounce ball; tennis bat swing;
juggling table tennis balls; hush (quite); flick hair; thumb up; thumb down;
make ok sign; make victory sign; staple book; counting money; cutting nails;
cutting paper (using scissors); snapping fingers; open bottle; sniff (smell);
squat down; toss a coin; fold paper; ball up paper; play magic cube;
apply cream on face; apply cream on hand back; put on bag; take off bag;
put something into a bag; take something out of a bag; open a box;
move heavy objects; shake fist; throw up cap/hat; hands up (both hands);
cross arms; arm circles; arm swings; running on the spot;
butt kicks (kick backward); cross toe touch; side kick; yawn;
stretch oneself; blow nose; hit other person with something;
wield knife towards other person; knock over other person (hit with body);
grab other person's stuff; shoot at other person with a gun; step on foot;
high-five; cheers and drink; carry something with other person;
take a photo of other person; follow other person;
whisper in other person's ear; exchange things with other person;
support somebody with one's hand (someone is sick, help him to walk);
finger-guessing game (playing rock-paper-scissors)\
""".replace("\n", " ").split("; ")
)


class NTURGBD(MotionDataset):
    r"""NTU-RGB+D and NTU-RGB+D 120: clips of 60 or 120 actions of one or two
    persons, seen by three Kinect cameras, as positions of 25 joints in
    metres, read from files :obj:`SsssCcccPpppRrrrAaaa.skeleton`.

    A sample is a whole clip, recorded at 30 frames per second and stretched
    by linear interpolation over the observed and the future frames.
    :func:`~symgnn_pyg.io.read_ntu` describes which bodies it has. No body is
    made up, and none is dropped for appearing in few frames.

    The :obj:`"test"` split is the published one of the benchmark:
    cross-subject (:obj:`"xsub"`), cross-view (:obj:`"xview"`, 60 classes) or
    cross-setup (:obj:`"xset"`, 120 classes). The :obj:`"val"` split is this
    library's own: the training clips of the subjects whose number ends in 5,
    which :obj:`"train"` leaves out.

    The field moves the middle of the first body's spine to the origin and
    turns the body upright: :obj:`Compose([Center(1), NormalizeView(spine=(0,
    1), shoulders=(8, 4))])` of :obj:`symgnn_pyg.transforms` does that.

    Args:
        root: The folder or zip archive with the files, in any subfolders.
            Clips of actions beyond :obj:`num_classes` are left out.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        benchmark: :obj:`"xsub"`, :obj:`"xview"` or :obj:`"xset"`.
            (default: :obj:`"xsub"`)
        num_classes: 60 or 120. (default: :obj:`60`)
        num_observed: The number of observed frames. (default: :obj:`64`)
        num_future: The number of frames to predict. (default: :obj:`10`)
        max_bodies: The largest number of bodies of a sample.
            (default: :obj:`2`)
        exclude: The published list of clips with missing skeletons: a
            heading, then one name per line. They are left out and listed in
            the attribute :obj:`excluded`. (default: :obj:`None`)
        skip_faulty: If set to :obj:`True`, files that cannot be parsed are
            left out and listed in the attribute :obj:`skipped`, with those
            that show no body, instead of raising an error.
            (default: :obj:`False`)
        path: The HDF5 file for the parsed sequences. It is written again
            when the files or the arguments change. (default: :obj:`root` with
            suffix :obj:`.h5`, beside it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` or :obj:`exclude` does not exist.
        DataError: If a file has another name or cannot be parsed, or there
            are no clips of the split; the message names file and line.
        ValueError: If there is no such split, benchmark, number of classes or
            window.

    The data are available to academic researchers who accept the terms of the
    `ROSE Lab <https://rose1.ntu.edu.sg/dataset/actionRecognition>`_ of
    Nanyang Technological University, and may not be redistributed. Sources: the
    `"NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis"
    <https://arxiv.org/abs/1604.02808>`_ and the `"NTU RGB+D 120: A
    Large-Scale Benchmark for 3D Human Activity Understanding"
    <https://arxiv.org/abs/1905.04757>`_ papers.

    **STATS:**

    .. list-table::
        :header-rows: 1

        * - data set
          - recordings
          - joints
          - channels
          - classes
        * - NTU-RGB+D
          - 56,880
          - 25
          - 3
          - 60
        * - NTU-RGB+D 120
          - 114,480
          - 25
          - 3
          - 120
    """

    unit = "metres"

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        *,
        benchmark: str = "xsub",
        num_classes: int = 60,
        num_observed: int = 64,
        num_future: int = 10,
        max_bodies: int = 2,
        exclude: str | os.PathLike[str] | None = None,
        skip_faulty: bool = False,
        path: str | os.PathLike[str] | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_window(num_observed, num_future, 1)
        check_choices(SPLITS, split=split)
        check_choices([*BENCHMARKS], benchmark=benchmark)
        if num_classes not in BENCHMARKS[benchmark]:
            raise ValueError(
                f"The benchmark {benchmark!r} has "
                f"{' or '.join(map(str, BENCHMARKS[benchmark]))} classes, got "
                f"'num_classes' {num_classes}"
            )
        check_sizes(1, max_bodies=max_bodies)
        without = set() if exclude is None else _read_names(exclude)
        with Source(root) as source:
            found = list(_recordings(source))
            recordings = [r for r in found if r.label < num_classes]
            if found and not recordings:
                raise DataError(
                    f"{source.path} holds {len(found)} clips, but all are of "
                    f"actions beyond the first {num_classes}; pass a larger "
                    f"'num_classes'"
                )
            opened = prepare(
                path or f"{source.path}.h5",
                source,
                [r for r in recordings if r.name not in without],
                parse=partial(read_ntu, max_bodies=max_bodies),
                skeleton=Skeleton.get("ntu25"),
                classes=ACTIONS[:num_classes],
                recipe=f"max_bodies={max_bodies}",
                skip_faulty=skip_faulty,
            )
        chosen = [
            i
            for i, name in enumerate(opened.names)
            if _split(name, benchmark) == split
        ]
        if not chosen:
            raise DataError(
                f"{source.path} holds no clip of the {split!r} split of "
                f"{benchmark!r}"
            )
        super().__init__(
            opened,
            clip_windows(opened, chosen),
            num_observed=num_observed,
            num_future=num_future,
            transform=transform,
        )
        self.split = split
        self.benchmark = benchmark
        self.excluded = [r.name for r in recordings if r.name in without]
        self.skipped = opened.skipped


def _split(name: str, benchmark: str) -> str:
    setup, camera, subject = int(name[1:4]), int(name[5:8]), int(name[9:12])
    training = {
        "xsub": subject in SUBJECTS,
        "xview": camera in CAMERAS,
        "xset": setup % 2 == 0,
    }[benchmark]
    if not training:
        return "test"
    return "val" if subject % 10 == 5 else "train"


def _recordings(source: Source) -> Iterator[Recording]:
    for file in source:
        path = PurePosixPath(file)
        if path.suffix.lower() != ".skeleton":
            continue
        found = NAME.fullmatch(path.stem)
        if found is None or not 1 <= int(found["action"]) <= len(ACTIONS):
            raise DataError(
                f"{source.where(file)}: {path.stem!r} is not a clip of "
                f"NTU-RGB+D; expected a name such as S001C002P003R002A013"
            )
        yield Recording(path.stem, file, int(found["action"]) - 1)


def _read_names(path: str | os.PathLike[str]) -> set[str]:
    names: set[str] = set()
    content, _ = read_text(path)
    text = content.decode(errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.strip().removesuffix(".skeleton")
        if NAME.fullmatch(name):
            names.add(name)
        elif name and names:
            raise DataError(
                f"{path}, line {number}: expected the name of a clip, such as "
                f"S001C002P003R002A013, got {name!r}"
            )
    if not names:
        raise DataError(f"{path} names no clips, such as S001C002P003R002A013")
    return names
